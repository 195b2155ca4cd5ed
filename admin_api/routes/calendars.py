"""Working calendars, the days that differ, and the duty roster."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing
from core.calendars import queries, service
from core.calendars.arithmetic import business_seconds_between, due_at, is_open, next_open
from core.calendars.service import CalendarDraft, DayDraft, ShiftDraft, parse_days
from core.calendars.views import CalendarDayView, CalendarView, DayEntry, ShiftView
from core.db import Tx
from core.errors import Invalid
from core.permissions import Permission

SERVE, MANAGE = Permission.SESSION_SERVE, Permission.TEAM_MANAGE
#: In place of a calendar's id: all calendars.
EVERY = "all"
ClockText = Annotated[str, Field(pattern=r"^\d{2}:\d{2}$")]
PeriodBody = tuple[ClockText, ClockText]


class CalendarBody(Body):
    """week: seven lists of ["09:00", "12:00"], Monday first."""

    name: str = Field(min_length=1, max_length=64)
    week: list[Annotated[list[PeriodBody], Field(max_length=12)]] = Field(
        min_length=7, max_length=7
    )
    make_up: list[PeriodBody] = Field(default_factory=list, max_length=12)
    follows_holidays: bool = True
    is_default: bool = False

    def draft(self) -> CalendarDraft:
        return CalendarDraft(
            self.name, self.week, self.make_up, self.follows_holidays, self.is_default
        )


class CalendarChangeBody(CalendarBody):
    version: Version


class DayBody(Body):
    day: date
    kind: DayEntry
    periods: list[PeriodBody] = Field(default_factory=list, max_length=12)
    name: str = Field("", max_length=64)


class DaysBody(Body):
    days: list[DayBody] = Field(min_length=1, max_length=400)


class DaysImportBody(Body):
    """text: lines of `2027-02-08,休,春节` or `2027-02-14,班,春节`."""

    text: str = Field(min_length=1, max_length=100_000)


class DaysImported(BaseModel):
    days: int


class DaysQuery(BaseModel):
    first: date
    last: date


class RosterQuery(BaseModel):
    since: AwareDatetime
    until: AwareDatetime
    team_id: str | None = Field(None, max_length=32)


class ShiftBody(Body):
    servicer_id: str = Field(max_length=32)
    team_id: str | None = Field(None, max_length=32)
    kind: Literal["duty", "leave"] = "duty"
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    note: str = Field("", max_length=200)


class ReckonBody(Body):
    """calendar_id null: the default one."""

    calendar_id: str | None = Field(None, max_length=32)
    start: AwareDatetime
    business_s: int = Field(ge=0, le=366 * 86400)


class Reckoned(BaseModel):
    """elapsed_business_s: the same span counted back, for who does not believe it."""

    is_open: bool
    next_open: AwareDatetime | None
    due_at: AwareDatetime
    elapsed_business_s: int


@endpoint("GET", "/calendars", access=SERVE, tag="calendars")
async def list_calendars(call: Call, tx: Tx) -> Listing[CalendarView]:
    """Calendars by name; `needs_attention` when the public table of holidays ends soon."""
    del call
    return Listing(items=await queries.list_calendars(tx))


@endpoint("POST", "/calendars", access=MANAGE, tag="calendars", status=201)
async def create_calendar(call: Call, tx: Tx, body: CalendarBody) -> CalendarView:
    """Make a calendar."""
    return await service.create(tx, body.draft(), by=call.actor)


@endpoint("GET", "/calendars/{calendar_id}", access=SERVE, tag="calendars")
async def get_calendar(call: Call, tx: Tx, calendar_id: str) -> CalendarView:
    """One calendar."""
    del call
    return await queries.get(tx, calendar_id)


@endpoint("PUT", "/calendars/{calendar_id}", access=MANAGE, tag="calendars")
async def change_calendar(
    call: Call, tx: Tx, calendar_id: str, body: CalendarChangeBody
) -> CalendarView:
    """Replace a calendar; open deadlines are computed anew."""
    return await service.change(tx, calendar_id, body.draft(), version=body.version, by=call.actor)


@endpoint("GET", "/calendars/{calendar_id}/days", access=SERVE, tag="calendars")
async def list_days(
    call: Call, tx: Tx, calendar_id: str, query: DaysQuery
) -> Listing[CalendarDayView]:
    """Each day's hours and why they are so; at most 400 days."""
    del call
    if not timedelta(0) <= query.last - query.first <= timedelta(days=400):
        raise Invalid("bad_span", field="last")
    which = None if calendar_id == EVERY else (await queries.get(tx, calendar_id)).id
    return Listing(items=await queries.days_between(tx, which, query.first, query.last))


@endpoint("PUT", "/calendars/{calendar_id}/days", access=MANAGE, tag="calendars", status=204)
async def set_days(call: Call, tx: Tx, calendar_id: str, body: DaysBody) -> None:
    """Enter days for one calendar, or for all (`all`)."""
    drafts = [DayDraft(one.day, one.kind, one.periods, one.name) for one in body.days]
    which = None if calendar_id == EVERY else calendar_id
    await service.set_days(tx, drafts, by=call.actor, calendar_id=which)


@endpoint("POST", "/calendars/{calendar_id}/days/import", access=MANAGE, tag="calendars")
async def import_days(call: Call, tx: Tx, calendar_id: str, body: DaysImportBody) -> DaysImported:
    """Enter next year's holidays and make-up days from lines of text."""
    which = None if calendar_id == EVERY else calendar_id
    drafts = parse_days(body.text)
    return DaysImported(days=await service.set_days(tx, drafts, by=call.actor, calendar_id=which))


@endpoint("DELETE", "/calendars/{calendar_id}/days/{day}", access=MANAGE, tag="calendars")
async def clear_day(call: Call, tx: Tx, calendar_id: str, day: str) -> None:
    """Forget an entered day."""
    which = None if calendar_id == EVERY else calendar_id
    try:
        moment = date.fromisoformat(day)
    except ValueError as error:
        raise Invalid("bad_value", field="day") from error
    await service.clear_day(tx, moment, by=call.actor, calendar_id=which)


@endpoint("POST", "/calendar-reckonings", access=SERVE, tag="calendars")
async def reckon(call: Call, tx: Tx, body: ReckonBody) -> Reckoned:
    """Say when so much working time is over."""
    del call
    if body.calendar_id is not None:
        await queries.get(tx, body.calendar_id)
    calendar = await queries.working_calendar(tx, body.calendar_id)
    due = due_at(calendar, body.start, body.business_s)
    return Reckoned(
        is_open=is_open(calendar, body.start),
        next_open=next_open(calendar, body.start),
        due_at=due,
        elapsed_business_s=int(business_seconds_between(calendar, body.start, due)),
    )


@endpoint("GET", "/roster", access=SERVE, tag="calendars")
async def list_roster(call: Call, tx: Tx, query: RosterQuery) -> Listing[ShiftView]:
    """Shifts and leaves that touch a span."""
    del call
    return Listing(
        items=await queries.roster(tx, since=query.since, until=query.until, team_id=query.team_id)
    )


@endpoint("POST", "/roster", access=MANAGE, tag="calendars", status=201)
async def add_shift(call: Call, tx: Tx, body: ShiftBody) -> ShiftView:
    """Put a servicer on the roster, or on leave."""
    draft = ShiftDraft(
        body.servicer_id, body.starts_at, body.ends_at, body.kind, body.team_id, body.note
    )
    return await service.add_shift(tx, draft, by=call.actor)


@endpoint("DELETE", "/roster/{shift_id}", access=MANAGE, tag="calendars")
async def remove_shift(call: Call, tx: Tx, shift_id: str) -> None:
    """Take a shift or leave away."""
    await service.remove_shift(tx, shift_id, by=call.actor)
