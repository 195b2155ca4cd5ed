"""Time as a part that can be replaced. Aware UTC only; people see Asia/Shanghai by default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")


def midnight(now: datetime) -> datetime:
    """When the day of this moment began in Shanghai."""
    local = now.astimezone(LOCAL_ZONE)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


class Clock(Protocol):
    def now(self) -> datetime: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that a test moves by hand. Ships with the product so that its users can test too."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in Shanghai

    def now(self) -> datetime:
        return self._now

    def advance(self, **parts: float) -> datetime:
        """Move on by `timedelta(**parts)` and return the new moment."""
        self._now += timedelta(**parts)
        return self._now
