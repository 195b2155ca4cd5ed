from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendars.arithmetic import (
    ALL_DAY,
    ALWAYS_OPEN,
    Period,
    WorkingCalendar,
    business_seconds_between,
    due_at,
    is_open,
    merged,
    next_open,
)
from core.calendars.holidays import (
    COVERED_UNTIL,
    PUBLIC_DAYS,
    name_of,
    needs_attention,
)
from core.errors import Invalid

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = 3600
MORNING, AFTERNOON = Period.parse("09:00", "12:00"), Period.parse("13:30", "17:30")
WORKDAY = (MORNING, AFTERNOON)  # 7 hours
OFFICE = WorkingCalendar(week=(WORKDAY,) * 5 + ((), ()), holidays=PUBLIC_DAYS)


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        # an ordinary Tuesday, over lunch and over night
        ("2026-03-03 10:00", 1, "2026-03-03 11:00"),
        ("2026-03-03 11:00", 2, "2026-03-03 14:30"),
        ("2026-03-03 09:00", 3, "2026-03-03 12:00"),
        ("2026-03-03 12:30", 1, "2026-03-03 14:30"),
        ("2026-03-03 17:00", 1, "2026-03-04 09:30"),
        ("2026-03-03 03:00", 7, "2026-03-03 17:30"),
        # Friday 17:00, two hours: over the weekend
        ("2026-03-06 17:00", 2, "2026-03-09 10:30"),
        # 春节: Fri 13 Feb 17:00; Sat 14 is a make-up day; 15–23 Feb closed; Tue 24 Feb opens
        ("2026-02-13 17:00", 4, "2026-02-14 14:00"),
        ("2026-02-14 16:30", 2, "2026-02-24 10:00"),
        ("2026-02-18 10:00", 7, "2026-02-24 17:30"),
        # Fri 27 Feb 17:00 + 2 h: Sat 28 Feb is a make-up day
        ("2026-02-27 17:00", 2, "2026-02-28 10:30"),
        # 国庆: Wed 30 Sep 16:30; 1–7 Oct closed; Thu 8, Fri 9; Sat 10 is a make-up day
        ("2026-09-30 16:30", 2, "2026-10-08 10:00"),
        ("2026-09-30 16:30", 1 + 7 + 7 + 1, "2026-10-10 10:00"),
        ("2026-10-10 17:00", 1, "2026-10-12 09:30"),
        # Fri 18 Sep 17:00 + 8 h: Sun 20 Sep is a make-up day, Sat 19 is not
        ("2026-09-18 17:00", 8, "2026-09-21 09:30"),
    ],
)
def test_due_moments_computed_by_hand(start: str, hours: int, due: str) -> None:
    assert due_at(OFFICE, at(start), hours * HOUR) == at(due)
    assert business_seconds_between(OFFICE, at(start), at(due)) == hours * HOUR


def test_a_pattern_without_holidays_works_through_the_national_day() -> None:
    plain = WorkingCalendar(week=OFFICE.week)
    assert due_at(plain, at("2026-09-30 16:30"), 2 * HOUR) == at("2026-10-01 10:00")
    assert due_at(OFFICE, at("2026-09-30 16:30"), 2 * HOUR) == at("2026-10-08 10:00")


def test_what_an_administrator_entered_wins_over_the_table() -> None:
    duty = {date(2026, 10, 1): (Period.parse("10:00", "11:00"),), date(2026, 10, 8): ()}
    calendar = WorkingCalendar(week=OFFICE.week, holidays=PUBLIC_DAYS, days=duty)
    assert is_open(calendar, at("2026-10-01 10:30"))
    assert not is_open(OFFICE, at("2026-10-01 10:30"))
    assert next_open(calendar, at("2026-10-01 11:00")) == at("2026-10-09 09:00")


def test_make_up_days_may_have_hours_of_their_own() -> None:
    short = WorkingCalendar(week=OFFICE.week, holidays=PUBLIC_DAYS, make_up=(MORNING,))
    assert not is_open(short, at("2026-02-14 14:00"))
    assert is_open(OFFICE, at("2026-02-14 14:00"))


def test_doors_shut_at_the_closing_second_and_open_at_the_next_period() -> None:
    assert is_open(OFFICE, at("2026-03-03 09:00"))
    assert not is_open(OFFICE, at("2026-03-03 12:00"))
    assert next_open(OFFICE, at("2026-03-03 12:00")) == at("2026-03-03 13:30")
    assert next_open(OFFICE, at("2026-03-03 10:00")) == at("2026-03-03 10:00")


def test_a_calendar_that_never_opens_is_refused_instead_of_searched_for_ever() -> None:
    closed = WorkingCalendar(week=((),) * 7)
    assert next_open(closed, at("2026-03-03 10:00")) is None
    with pytest.raises(Invalid, match="never_open"):
        due_at(closed, at("2026-03-03 10:00"), 1)
    one_day = WorkingCalendar(week=((),) * 7, days={date(2026, 3, 3): (MORNING,)})
    assert due_at(one_day, at("2026-03-03 10:00"), HOUR) == at("2026-03-03 11:00")
    with pytest.raises(Invalid, match="never_open"):
        due_at(one_day, at("2026-03-03 10:00"), 3 * HOUR)


def test_round_the_clock_is_wall_clock() -> None:
    start = at("2026-02-13 17:00")
    assert due_at(ALWAYS_OPEN, start, 90 * HOUR) == start + timedelta(hours=90)


def test_a_zone_with_summer_time_counts_seconds_that_pass() -> None:
    berlin = WorkingCalendar(week=(ALL_DAY,) * 7, zone=ZoneInfo("Europe/Berlin"))
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)  # the night that loses an hour follows
    assert due_at(berlin, start, 24 * HOUR) == start + timedelta(hours=24)


@pytest.mark.parametrize(
    "texts", [("12:00", "09:00"), ("9", "10:00"), ("09:60", "10:00"), ("23:00", "24:30")]
)
def test_senseless_periods_are_refused(texts: tuple[str, str]) -> None:
    with pytest.raises(Invalid):
        Period.parse(*texts)


def test_touching_periods_become_one() -> None:
    parts = [Period(60, 120), Period(0, 60), Period(100, 130), Period(200, 210)]
    assert merged(parts) == (Period(0, 130), Period(200, 210))
    assert MORNING.texts() == ("09:00", "12:00")


def test_the_table_names_its_days_and_knows_where_it_ends() -> None:
    assert name_of(date(2026, 2, 17)) == "春节"
    assert name_of(date(2026, 3, 3)) == ""
    assert needs_attention(COVERED_UNTIL)
    assert not needs_attention(COVERED_UNTIL - timedelta(days=90))


# --- properties ------------------------------------------------------------------------------

minutes = st.integers(0, 1440)
periods = st.lists(
    st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]), max_size=3
).map(lambda pairs: merged([Period(min(pair), max(pair)) for pair in pairs]))
calendars = st.builds(
    WorkingCalendar,
    week=st.tuples(*[periods] * 7).filter(any),
    holidays=st.sampled_from([None, PUBLIC_DAYS]),
    make_up=periods,
    days=st.dictionaries(st.dates(date(2026, 1, 20), date(2026, 3, 10)), periods, max_size=5),
    zone=st.sampled_from([SHANGHAI, ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")]),
)
NEW_YEAR = datetime(2026, 1, 25, tzinfo=UTC)
moments = st.integers(0, 270 * 24 * HOUR).map(lambda s: NEW_YEAR + timedelta(seconds=s))
seconds = st.integers(0, 30 * HOUR)


def inside(calendar: WorkingCalendar, moment: datetime) -> bool:
    """Within a period, both ends counted."""
    return is_open(calendar, moment) or is_open(calendar, moment - timedelta(microseconds=1))


@given(calendars, moments, seconds, seconds)
def test_due_is_additive(calendar: WorkingCalendar, start: datetime, a: int, b: int) -> None:
    assert due_at(calendar, start, a + b) == due_at(calendar, due_at(calendar, start, a), b)


@given(calendars, moments, seconds)
def test_due_is_never_outside_hours_and_holds_exactly_the_work(
    calendar: WorkingCalendar, start: datetime, work: int
) -> None:
    due = due_at(calendar, start, work)
    assert due >= start
    assert inside(calendar, due)
    assert business_seconds_between(calendar, start, due) == work


@given(calendars, moments, st.integers(0, 10**6), st.integers(0, 10**6))
def test_working_time_adds_up_and_never_exceeds_the_wall_clock(
    calendar: WorkingCalendar, start: datetime, first: int, second: int
) -> None:
    middle = start + timedelta(seconds=first)
    end = middle + timedelta(seconds=second)
    whole = business_seconds_between(calendar, start, end)
    parts = business_seconds_between(calendar, start, middle) + business_seconds_between(
        calendar, middle, end
    )
    assert whole == pytest.approx(parts, abs=1e-6)
    assert 0 <= whole <= first + second
    assert business_seconds_between(calendar, end, start) == 0


@given(calendars, moments)
def test_the_next_opening_is_open_and_nothing_before_it_is(
    calendar: WorkingCalendar, moment: datetime
) -> None:
    opening = next_open(calendar, moment)
    assert opening is not None
    assert is_open(calendar, opening)
    assert business_seconds_between(calendar, moment, opening) == 0
