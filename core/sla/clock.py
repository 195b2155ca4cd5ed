"""Deadlines as pure arithmetic over runs: the spans in which a clock was running.

Everything is computed from the whole history of runs, so a new target or calendar recomputes as
if it had always held; nothing is carried over that could drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.calendars.arithmetic import WorkingCalendar, business_seconds_between, due_at


@dataclass(frozen=True, slots=True)
class Run:
    """end None: still running."""

    start: datetime
    end: datetime | None = None


Runs = tuple[Run, ...]


def is_running(runs: Sequence[Run]) -> bool:
    return bool(runs) and runs[-1].end is None


def started(runs: Runs, at: datetime) -> Runs:
    """Running from `at` on; unchanged when it runs already."""
    return runs if is_running(runs) else (*runs, Run(at))


def stopped(runs: Runs, at: datetime) -> Runs:
    """Stopped at `at`; unchanged when it is stopped already."""
    if not is_running(runs):
        return runs
    return (*runs[:-1], replace(runs[-1], end=max(at, runs[-1].start)))


def used_s(calendar: WorkingCalendar, runs: Sequence[Run], now: datetime) -> float:
    """Working seconds spent within the runs until now."""
    return sum(
        business_seconds_between(calendar, run.start, min(now, run.end or now)) for run in runs
    )


def reached_at(calendar: WorkingCalendar, runs: Sequence[Run], target_s: float) -> datetime | None:
    """When the target is (or was) used up; None when the clock stopped before that.

    A target that is used up at the very end of a run was kept by whoever stopped the clock there.
    """
    left = target_s
    for run in runs:
        due = due_at(calendar, run.start, left)
        if run.end is None or due < run.end:
            return due
        left -= business_seconds_between(calendar, run.start, run.end)
    return None
