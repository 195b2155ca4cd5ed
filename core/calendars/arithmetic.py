"""Pure arithmetic over working calendars: is it open, when does it open, when is work due.

A period includes both its ends: work that takes exactly the morning is due at noon, not at the
first second of the afternoon. Hence `due_at(t, a + b) == due_at(due_at(t, a), b)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from core.calendars.holidays import DayKind
from core.clock import LOCAL_ZONE
from core.errors import Invalid

#: A calendar without an open second in so many days is taken for one that never opens.
HORIZON_DAYS = 400
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Open from `start` to `end`, minutes since local midnight; 0 ≤ start < end ≤ 1440."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= _DAY_MINUTES:
            raise Invalid("bad_period", start=self.start, end=self.end)

    @classmethod
    def parse(cls, start: str, end: str) -> Period:
        """From "09:00", "12:00"; "24:00" is the end of the day. Raises: Invalid."""
        return cls(_minutes(start), _minutes(end))

    def texts(self) -> tuple[str, str]:
        """As "HH:MM" twice."""
        return _clock_text(self.start), _clock_text(self.end)


Periods = tuple[Period, ...]
ALL_DAY: Periods = (Period(0, _DAY_MINUTES),)


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """week: seven days from Monday. days: what an administrator entered, which wins.

    holidays: the public table (None: the weekly pattern alone). make_up: hours of make-up
    workdays (调休); empty: those of the week's first open day.
    """

    week: tuple[Periods, ...]
    days: Mapping[date, Periods] = field(default_factory=lambda: MappingProxyType({}))
    holidays: Mapping[date, DayKind] | None = None
    make_up: Periods = ()
    zone: ZoneInfo = LOCAL_ZONE

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise Invalid("bad_week", days=len(self.week))

    def periods_on(self, day: date) -> Periods:
        """Open periods of a local day, in order."""
        if day in self.days:
            return self.days[day]
        kind = self.holidays.get(day) if self.holidays is not None else None
        if kind is DayKind.HOLIDAY:
            return ()
        if kind is DayKind.MAKE_UP:
            return self.make_up or next((periods for periods in self.week if periods), ())
        return self.week[day.weekday()]


ALWAYS_OPEN = WorkingCalendar(week=(ALL_DAY,) * 7)


def merged(periods: list[Period]) -> Periods:
    """In order, touching and overlapping periods joined."""
    result: list[Period] = []
    for period in sorted(periods):
        if result and period.start <= result[-1].end:
            result[-1] = Period(result[-1].start, max(result[-1].end, period.end))
        else:
            result.append(period)
    return tuple(result)


def is_open(calendar: WorkingCalendar, moment: datetime) -> bool:
    """Whether a customer who comes at `moment` meets open doors (the closing second is shut)."""
    return any(start <= moment < end for start, end in _spans(calendar, moment, days=1))


def next_open(calendar: WorkingCalendar, moment: datetime) -> datetime | None:
    """`moment` when it is open, else the next opening; None when it never opens."""
    for start, end in _spans(calendar, moment):
        if moment < end:
            return max(start, moment)
    return None


def due_at(calendar: WorkingCalendar, start: datetime, business_seconds: float) -> datetime:
    """The moment at which so much working time has passed since `start`. Never outside hours.

    Raises: Invalid `never_open` when the calendar has no open time within the horizon.
    """
    left = timedelta(seconds=business_seconds)
    if left < timedelta(0):
        raise Invalid("negative_duration", seconds=business_seconds)
    moment = start.astimezone(UTC)
    while True:
        before = moment
        for opens, closes in _spans(calendar, before):
            if moment > closes:
                continue
            moment = max(moment, opens)
            if left <= closes - moment:
                return moment + left
            left -= closes - moment
            moment = closes
        if moment == before:
            raise Invalid("never_open")


def business_seconds_between(calendar: WorkingCalendar, start: datetime, end: datetime) -> float:
    """Working time from `start` to `end` in seconds, exact to the microsecond; 0 when reversed."""
    total = timedelta(0)
    if end <= start:
        return 0.0
    days = (end.astimezone(calendar.zone).date() - start.astimezone(calendar.zone).date()).days + 1
    for opens, closes in _spans(calendar, start, days=days):
        total += max(timedelta(0), min(closes, end) - max(opens, start))
    return total.total_seconds()


def _spans(
    calendar: WorkingCalendar, moment: datetime, *, days: int = HORIZON_DAYS
) -> Iterator[tuple[datetime, datetime]]:
    """Open spans in UTC, from the local day of `moment` on."""
    first = moment.astimezone(calendar.zone).date()
    for offset in range(days):
        day = first + timedelta(days=offset)
        for period in calendar.periods_on(day):
            yield _at(calendar, day, period.start), _at(calendar, day, period.end)


def _at(calendar: WorkingCalendar, day: date, minute: int) -> datetime:
    extra, minute = divmod(minute, _DAY_MINUTES)
    clock = time(minute // 60, minute % 60)
    local = datetime.combine(day + timedelta(days=extra), clock, calendar.zone)
    return local.astimezone(UTC)


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    if not (hours.isdigit() and minutes.isdigit() and len(minutes) == 2 and int(minutes) < 60):
        raise Invalid("bad_time", value=text)
    return int(hours) * 60 + int(minutes)


def _clock_text(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
