"""The only writer of calendars, entered days and the roster."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Final, Literal

from sqlalchemy import delete, update

from core.actor import Actor
from core.audit import service as audit
from core.calendars.models import CalendarDayRow, CalendarRow, RosterRow
from core.calendars.queries import (
    EVERY_CALENDAR,
    calendar_view,
    parse_periods,
    row_of,
    shift_view,
)
from core.calendars.views import CalendarView, DayEntry, PeriodTexts, ShiftView
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.ids import new_id
from core.permissions import Permission
from core.servicers.models import ServicerRow
from core.timers import service as timers

#: Timer that has open deadlines computed anew; set wherever calendars or policies change.
RULES_CHANGED: Final = "deadlines.rules_changed"
_KINDS = {"休": "closed", "班": "make_up", "closed": "closed", "make_up": "make_up"}
_HEADINGS = ("日期", "date", "day")
_MAX_IMPORT_ROWS = 2000


@dataclass(frozen=True, slots=True)
class CalendarDraft:
    """week: seven lists of ("09:00", "12:00"), Monday first."""

    name: str
    week: Sequence[Sequence[PeriodTexts]]
    make_up: Sequence[PeriodTexts] = ()
    follows_holidays: bool = True
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class DayDraft:
    day: date
    kind: DayEntry
    periods: Sequence[PeriodTexts] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class ShiftDraft:
    """team_id None: for every team of the servicer."""

    servicer_id: str
    starts_at: datetime
    ends_at: datetime
    kind: Literal["duty", "leave"] = "duty"
    team_id: str | None = None
    note: str = ""


async def create(tx: Tx, draft: CalendarDraft, *, by: Actor) -> CalendarView:
    by.require(Permission.TEAM_MANAGE)
    row = CalendarRow(id=new_id(), created_at=tx.now, **_columns(draft))
    await _one_default(tx, draft)
    tx.db.add(row)
    await rules_changed(tx)
    await audit.append(tx, by=by, action="calendar.created", target=row.id)
    return calendar_view(row, tx.now)


async def change(
    tx: Tx, calendar_id: str, draft: CalendarDraft, *, version: int, by: Actor
) -> CalendarView:
    """Raises: NotFound; Conflict when somebody changed it first; Invalid."""
    by.require(Permission.TEAM_MANAGE)
    row = await row_of(tx, calendar_id)
    if row.version != version:
        raise Conflict(version=row.version)
    await _one_default(tx, draft)
    for name, value in _columns(draft).items():
        setattr(row, name, value)
    row.version = version + 1
    await rules_changed(tx)
    await audit.append(tx, by=by, action="calendar.changed", target=row.id)
    return calendar_view(row, tx.now)


async def set_days(
    tx: Tx, days: Sequence[DayDraft], *, by: Actor, calendar_id: str | None = None
) -> int:
    """Enter days for one calendar, or for all (None); what was entered before is replaced."""
    by.require(Permission.TEAM_MANAGE)
    scope = EVERY_CALENDAR if calendar_id is None else (await row_of(tx, calendar_id)).id
    for draft in days:
        parse_periods(draft.periods)
        values = {
            "kind": draft.kind,
            "periods": [list(period) for period in draft.periods],
            "name": draft.name,
        }
        await tx.db.execute(
            tx.upsert(CalendarDayRow)
            .values(scope=scope, day=draft.day, **values)
            .on_conflict_do_update(index_elements=["scope", "day"], set_=values)
        )
    await rules_changed(tx)
    await audit.append(
        tx, by=by, action="calendar.days_entered", target=scope, facts={"days": len(days)}
    )
    return len(days)


async def clear_day(tx: Tx, day: date, *, by: Actor, calendar_id: str | None = None) -> None:
    """Forget an entered day; the table or the weekly pattern holds again."""
    by.require(Permission.TEAM_MANAGE)
    scope = EVERY_CALENDAR if calendar_id is None else calendar_id
    await tx.db.execute(
        delete(CalendarDayRow).where(CalendarDayRow.scope == scope, CalendarDayRow.day == day)
    )
    await rules_changed(tx)
    await audit.append(
        tx, by=by, action="calendar.day_cleared", target=scope, facts={"day": day.isoformat()}
    )


async def rules_changed(tx: Tx) -> None:
    """Have every open deadline computed anew, soon and in steps."""
    await timers.set_timer(tx, RULES_CHANGED, "", tx.now)


def parse_days(text: str) -> tuple[DayDraft, ...]:
    """Days from CSV lines `2027-02-08,休,春节` or `2027-02-14,班,春节`; a heading is skipped.

    Raises: Invalid `bad_rows` with `errors`, a list of (line, message).
    """
    drafts, errors = [], []
    for number, cells in enumerate(csv.reader(io.StringIO(text.lstrip("\ufeff"))), start=1):
        if not any(cells) or (number == 1 and cells[0].strip().lower() in _HEADINGS):
            continue
        try:
            drafts.append(_day_draft(cells))
        except (ValueError, KeyError, IndexError):
            errors.append((str(number), "应为：日期,休|班,名称，例如 2027-02-08,休,春节"))
    if errors or len(drafts) > _MAX_IMPORT_ROWS:
        raise Invalid("bad_rows", errors=errors)
    return tuple(drafts)


async def add_shift(tx: Tx, draft: ShiftDraft, *, by: Actor) -> ShiftView:
    """Put a servicer on the roster, or on leave."""
    by.require(Permission.TEAM_MANAGE)
    if draft.starts_at >= draft.ends_at:
        raise Invalid("bad_span", field="ends_at")
    if await tx.db.get(ServicerRow, draft.servicer_id) is None:
        raise NotFound(noun="servicer", id=draft.servicer_id)
    row = RosterRow(id=new_id(), **asdict(draft))
    tx.db.add(row)
    await audit.append(tx, by=by, action="roster.shift_added", target=draft.servicer_id)
    return shift_view(row)


async def remove_shift(tx: Tx, shift_id: str, *, by: Actor) -> None:
    by.require(Permission.TEAM_MANAGE)
    row = await tx.db.get(RosterRow, shift_id)
    if row is None:
        raise NotFound(noun="shift", id=shift_id)
    await tx.db.delete(row)
    await audit.append(tx, by=by, action="roster.shift_removed", target=row.servicer_id)


def _columns(draft: CalendarDraft) -> dict[str, object]:
    if len(draft.week) != 7:
        raise Invalid("bad_week", field="week")
    if not draft.name.strip():
        raise Invalid("required", field="name")
    for day in (*draft.week, draft.make_up):
        parse_periods(day)
    return {
        "name": draft.name.strip(),
        "week": [[list(period) for period in day] for day in draft.week],
        "make_up": [list(period) for period in draft.make_up],
        "follows_holidays": draft.follows_holidays,
        "is_default": draft.is_default,
    }


async def _one_default(tx: Tx, draft: CalendarDraft) -> None:
    if draft.is_default:
        await tx.db.execute(update(CalendarRow).values(is_default=False))


def _day_draft(cells: Sequence[str]) -> DayDraft:
    day = date.fromisoformat(cells[0].strip())
    kind: DayEntry = "closed" if _KINDS[cells[1].strip()] == "closed" else "make_up"
    return DayDraft(day=day, kind=kind, name=cells[2].strip() if len(cells) > 2 else "")
