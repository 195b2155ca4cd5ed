from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.calendars.arithmetic import (
    ALWAYS_OPEN,
    WorkingCalendar,
    business_seconds_between,
    due_at,
)
from core.calendars.queries import OFFICE_HOURS
from core.sla.clock import Run, Runs, reached_at, started, stopped, used_s
from tests.core.calendars.test_arithmetic import calendars, inside

START = datetime(2026, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_a_pause_shifts_the_deadline_by_its_length() -> None:
    runs = (Run(at(0), at(2)), Run(at(5)))
    assert reached_at(ALWAYS_OPEN, runs, 3 * 3600) == at(6)
    assert reached_at(ALWAYS_OPEN, (Run(at(0)),), 3 * 3600) == at(3)


def test_a_clock_that_stopped_at_its_target_was_kept() -> None:
    assert reached_at(ALWAYS_OPEN, (Run(at(0), at(3)),), 3 * 3600) is None
    assert reached_at(ALWAYS_OPEN, (Run(at(0), at(3.01)),), 3 * 3600) == at(3)


def test_while_paused_nothing_is_due() -> None:
    assert reached_at(ALWAYS_OPEN, stopped((Run(at(0)),), at(1)), 2 * 3600) is None


def test_starting_twice_and_stopping_twice_change_nothing() -> None:
    runs = started((), at(0))
    assert started(runs, at(1)) == runs
    assert stopped(stopped(runs, at(2)), at(3)) == stopped(runs, at(2))
    assert stopped(runs, at(-1)) == (Run(at(0), at(0)),)


steps = st.lists(st.integers(1, 30 * 3600), min_size=1, max_size=6)


def history(lengths: list[int]) -> tuple[Runs, datetime]:
    """Alternately running and paused, the last run open."""
    moment, runs = START, started((), START)
    for index, length in enumerate(lengths):
        moment += timedelta(seconds=length)
        runs = (stopped if index % 2 == 0 else started)(runs, moment)
    return started(runs, moment), moment


@given(calendars, steps, st.integers(1, 40 * 3600))
def test_the_deadline_holds_exactly_the_target_and_lies_in_hours(
    calendar: WorkingCalendar, lengths: list[int], target: int
) -> None:
    runs, _ = history(lengths)
    due = reached_at(calendar, runs, target)
    assert due is not None
    assert inside(calendar, due)
    assert abs(used_s(calendar, runs, due) - target) < 1e-3


@given(calendars, st.integers(1, 20 * 3600), st.integers(0, 60 * 3600), st.integers(1, 20 * 3600))
def test_a_pause_shifts_the_deadline_by_exactly_the_working_time_it_covered(
    calendar: WorkingCalendar, before: int, pause: int, target: int
) -> None:
    stop = START + timedelta(seconds=before)
    resume = stop + timedelta(seconds=pause)
    plain = due_at(calendar, START, target)
    shifted = reached_at(calendar, (Run(START, stop), Run(resume)), target)
    assert shifted is not None
    if business_seconds_between(calendar, START, stop) > target:
        assert shifted == plain
    else:
        covered = business_seconds_between(calendar, stop, resume)
        assert shifted == due_at(calendar, due_at(calendar, START, target), covered) or (
            business_seconds_between(calendar, START, shifted) - target - covered == 0
        )


def test_a_new_target_is_judged_as_if_it_had_always_held() -> None:
    runs = (Run(at(1), at(2)), Run(at(26)))  # 09:00–10:00 in Shanghai on the 10th; the 11th 10:00
    assert reached_at(OFFICE_HOURS, runs, 1800) == at(1.5)
    assert reached_at(OFFICE_HOURS, runs, 2 * 3600) == at(27)
