"""The reply window's ledger, as arithmetic: may we still write to this customer, and how often?

微信客服: at most 5 messages within 48 h of the customer's last one; each customer message opens
the window anew. Source: developer.work.weixin.qq.com/document/path/94677
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.accounts.limits import AccountLimits
from core.settings import reception
from core.views import ReplyWindowView


@dataclass(frozen=True, slots=True)
class Window:
    """left, until: None on channels without a window."""

    left: int | None
    until: datetime | None

    def view(self, now: datetime, rules: reception.Window) -> ReplyWindowView:
        """What people see: a window that is over has nothing left."""
        if self.until is None:
            return ReplyWindowView(left=None, until=None)
        warn_at = self.until - timedelta(seconds=rules.warn_before_s)
        return ReplyWindowView(
            left=self.room(now), until=self.until, warn_left=rules.warn_left, warn_at=warn_at
        )

    def room(self, now: datetime) -> int | None:
        """How many messages may go now; None: any number."""
        if self.left is None or self.until is None:
            return None
        return self.left if now < self.until else 0

    def allows(self, count: int, now: datetime, *, reserve: int = 0) -> bool:
        """May `count` messages go and leave `reserve` for later ones?"""
        room = self.room(now)
        return room is None or room - reserve >= count

    def take(self, count: int) -> Window:
        """The window after `count` messages of ours."""
        if self.left is None:
            return self
        return Window(max(0, self.left - count), self.until)


def opened(limits: AccountLimits, customer_wrote_at: datetime) -> Window:
    """The window that a customer's message opens; counted from the moment they wrote."""
    if limits.window_messages is None or limits.window_s is None:
        return Window(None, None)
    return Window(limits.window_messages, customer_wrote_at + timedelta(seconds=limits.window_s))
