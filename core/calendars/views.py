"""Calendars as they leave the core."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from core.views import View

DayEntry = Literal["closed", "make_up", "custom"]
PeriodTexts = tuple[str, str]


class CalendarView(View):
    """covered_until: last day of the public table; needs_attention: it ends soon, enter days."""

    id: str
    name: str
    week: tuple[tuple[PeriodTexts, ...], ...]
    make_up: tuple[PeriodTexts, ...] = ()
    follows_holidays: bool
    is_default: bool
    covered_until: date | None
    needs_attention: bool
    version: int


class CalendarDayView(View):
    """source: entered (by an administrator), table (public holidays) or week."""

    day: date
    periods: tuple[PeriodTexts, ...]
    name: str = ""
    source: Literal["entered", "table", "week"]


class ShiftView(View):
    id: str
    servicer_id: str
    team_id: str | None
    kind: Literal["duty", "leave"]
    starts_at: datetime
    ends_at: datetime
    note: str = ""
