"""How tickets are named to servicers in the app, and which buttons their cards carry. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bot.desk.news import TicketNote
from core.actor import Actor
from core.permissions import Permission
from core.ports import CardButton
from core.views import Priority, TicketState, TicketView

ACCEPT, PASS_ON, NUDGE, ESCALATE, TAKE_OVER, DONE = (
    "t-accept",
    "t-pass",
    "t-nudge",
    "t-escalate",
    "t-take",
    "t-done",
)
MEASURES: Final[Mapping[str, str]] = {
    "first_response": "首次响应",
    "next_response": "下次回复",
    "resolution": "解决",
}
STATES: Final[Mapping[TicketState, str]] = {
    TicketState.NEW: "待受理",
    TicketState.OPEN: "处理中",
    TicketState.WAITING: "等待客户",
    TicketState.SUSPENDED: "已挂起",
    TicketState.RESOLVED: "已解决",
    TicketState.CLOSED: "已关闭",
    TicketState.CANCELLED: "已作废",
}
PRIORITIES: Final[Mapping[Priority, str]] = {
    Priority.LOW: "低",
    Priority.NORMAL: "普通",
    Priority.HIGH: "高",
    Priority.URGENT: "紧急",
}


def buttons_for(
    ticket: TicketView, reader: Actor | None, notes: Sequence[TicketNote]
) -> tuple[CardButton, ...]:
    """Whoever has it works on it; others hurry, and take over what is free or where they may."""
    promised = next((one.follow_up_id for one in notes if one.follow_up_id), None)
    found = [CardButton(f"{DONE}_{promised}", "已跟进", "primary")] if promised else []
    is_mine = reader is not None and ticket.servicer_id == reader.servicer_id
    may_manage = reader is not None and reader.may(Permission.TICKET_MANAGE)
    if is_mine:
        if ticket.state is TicketState.NEW:
            found.append(CardButton(ACCEPT, "受理", "primary"))
        return (*found, CardButton(PASS_ON, "转给同事"), CardButton(ESCALATE, "升级"))
    if ticket.servicer_id is not None:
        found.append(CardButton(NUDGE, "催促", "primary"))
    if ticket.servicer_id is None or may_manage:
        found.append(CardButton(TAKE_OVER, "我来处理"))
        found.append(CardButton(PASS_ON, "转给同事"))
    return (*found, CardButton(ESCALATE, "升级"))
