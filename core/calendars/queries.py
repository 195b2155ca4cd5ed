"""Reads of calendars: the pure object for arithmetic, and views for people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select

from core.calendars.arithmetic import Period, Periods, WorkingCalendar, is_open, merged
from core.calendars.holidays import (
    COVERED_UNTIL,
    PUBLIC_DAYS,
    name_of,
    needs_attention,
)
from core.calendars.models import CalendarDayRow, CalendarRow, RosterRow
from core.calendars.views import CalendarDayView, CalendarView, ShiftView
from core.clock import LOCAL_ZONE, midnight
from core.db import Tx
from core.errors import NotFound

EVERY_CALENDAR = "*"
_WORKDAY = (Period.parse("09:00", "12:00"), Period.parse("13:30", "17:30"))
#: What holds until an administrator makes a calendar: weekdays 9:00–12:00, 13:30–17:30.
OFFICE_HOURS = WorkingCalendar(week=(_WORKDAY,) * 5 + ((), ()), holidays=PUBLIC_DAYS)
_MAX_DAYS_SHOWN = 400


async def working_calendar(tx: Tx, calendar_id: str | None) -> WorkingCalendar:
    """The named calendar; without a name the default one; without that, office hours."""
    row = await (_default(tx) if calendar_id is None else tx.db.get(CalendarRow, calendar_id))
    if row is None:
        return OFFICE_HOURS
    scopes = (row.id, EVERY_CALENDAR)
    days = await tx.db.scalars(select(CalendarDayRow).where(CalendarDayRow.scope.in_(scopes)))
    # "*" sorts before every id, so a calendar's own entry replaces the general one.
    entered = sorted(days, key=lambda entry: entry.scope)
    return _calendar(row, {entry.day: entry for entry in entered})


async def get(tx: Tx, calendar_id: str) -> CalendarView:
    return calendar_view(await row_of(tx, calendar_id), tx.now)


async def list_calendars(tx: Tx) -> tuple[CalendarView, ...]:
    rows = await tx.db.scalars(select(CalendarRow).order_by(CalendarRow.name, CalendarRow.id))
    return tuple(calendar_view(row, tx.now) for row in rows)


async def days_between(
    tx: Tx, calendar_id: str | None, first: date, last: date
) -> tuple[CalendarDayView, ...]:
    """Each day's hours and why they are so; at most 400 days."""
    calendar = await working_calendar(tx, calendar_id)
    names = await _entered_names(tx, calendar_id, first, last)
    count = min((last - first).days + 1, _MAX_DAYS_SHOWN)
    return tuple(
        _day_view(calendar, first + timedelta(days=offset), names) for offset in range(count)
    )


async def roster(
    tx: Tx, *, since: datetime, until: datetime, team_id: str | None = None
) -> tuple[ShiftView, ...]:
    """Shifts and leaves that touch the span, earliest first."""
    query = select(RosterRow).where(RosterRow.ends_at > since, RosterRow.starts_at < until)
    if team_id is not None:
        query = query.where(or_(RosterRow.team_id == team_id, RosterRow.team_id.is_(None)))
    rows = await tx.db.scalars(query.order_by(RosterRow.starts_at, RosterRow.id))
    return tuple(shift_view(row) for row in rows)


async def off_duty(
    tx: Tx,
    servicer_ids: Collection[str],
    at: datetime,
    *,
    team_id: str | None,
    calendar: WorkingCalendar,
) -> frozenset[str]:
    """Those of the servicers who do not work at `at`.

    Leave wins; whoever has shifts on that local day works in them and only in them; all others
    keep the calendar's hours.
    """
    today = midnight(at)
    of_team = or_(RosterRow.team_id.is_(None), RosterRow.team_id == team_id)
    rows = await tx.db.scalars(
        select(RosterRow).where(
            RosterRow.servicer_id.in_(servicer_ids),
            RosterRow.ends_at > today,
            RosterRow.starts_at < today + timedelta(days=1),
            of_team,
        )
    )
    shifts: dict[str, list[RosterRow]] = {}
    for row in rows:
        shifts.setdefault(row.servicer_id, []).append(row)
    opened = is_open(calendar, at)
    return frozenset(
        servicer_id
        for servicer_id in servicer_ids
        if not works_at(shifts.get(servicer_id, ()), at, calendar_is_open=opened)
    )


def works_at(shifts: Collection[RosterRow], at: datetime, *, calendar_is_open: bool) -> bool:
    """The rule of the roster for one servicer on one day."""
    now = [shift.kind for shift in shifts if shift.starts_at <= at < shift.ends_at]
    if "leave" in now:
        return False
    if any(shift.kind == "duty" for shift in shifts):
        return "duty" in now
    return calendar_is_open


async def row_of(tx: Tx, calendar_id: str) -> CalendarRow:
    row = await tx.db.get(CalendarRow, calendar_id)
    if row is None:
        raise NotFound(noun="calendar", id=calendar_id)
    return row


def calendar_view(row: CalendarRow, now: datetime) -> CalendarView:
    today = now.astimezone(LOCAL_ZONE).date()
    return CalendarView(
        id=row.id,
        name=row.name,
        week=tuple(tuple((start, end) for start, end in day) for day in row.week),
        make_up=tuple((start, end) for start, end in row.make_up),
        follows_holidays=row.follows_holidays,
        is_default=row.is_default,
        covered_until=COVERED_UNTIL if row.follows_holidays else None,
        needs_attention=row.follows_holidays and needs_attention(today),
        version=row.version,
    )


def shift_view(row: RosterRow) -> ShiftView:
    return ShiftView.model_validate({name: getattr(row, name) for name in ShiftView.model_fields})


def parse_periods(texts: Collection[Any]) -> Periods:
    """Raises: Invalid `bad_period` / `bad_time`."""
    return merged([Period.parse(start, end) for start, end in texts])


async def _default(tx: Tx) -> CalendarRow | None:
    query = select(CalendarRow).where(CalendarRow.is_default).order_by(CalendarRow.id).limit(1)
    return (await tx.db.scalars(query)).first()


def _calendar(row: CalendarRow, days: Mapping[date, CalendarDayRow]) -> WorkingCalendar:
    week = tuple(parse_periods(day) for day in row.week)
    make_up = parse_periods(row.make_up)
    usual = make_up or next((periods for periods in week if periods), ())
    hours: dict[str, Periods] = {"closed": (), "make_up": usual}
    return WorkingCalendar(
        week=week,
        days={
            day: hours[entry.kind] if entry.kind in hours else parse_periods(entry.periods)
            for day, entry in days.items()
        },
        holidays=PUBLIC_DAYS if row.follows_holidays else None,
        make_up=make_up,
    )


async def _entered_names(
    tx: Tx, calendar_id: str | None, first: date, last: date
) -> dict[date, str]:
    scopes = [EVERY_CALENDAR, calendar_id or ""]
    rows = await tx.db.execute(
        select(CalendarDayRow.day, CalendarDayRow.name)
        .where(CalendarDayRow.scope.in_(scopes), CalendarDayRow.day.between(first, last))
        .order_by(CalendarDayRow.scope)
    )
    return {row.day: row.name for row in rows}


def _day_view(calendar: WorkingCalendar, day: date, names: Mapping[date, str]) -> CalendarDayView:
    periods = tuple(period.texts() for period in calendar.periods_on(day))
    if day in calendar.days:
        return CalendarDayView(day=day, periods=periods, name=names.get(day, ""), source="entered")
    if calendar.holidays is not None and day in calendar.holidays:
        return CalendarDayView(day=day, periods=periods, name=name_of(day), source="table")
    return CalendarDayView(day=day, periods=periods, source="week")
