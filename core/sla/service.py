"""The only writer of SLA clocks. Callers hold the ticket's lock and say what happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from sqlalchemy import select

from core.calendars import queries as calendars
from core.calendars.arithmetic import WorkingCalendar, due_at
from core.db import Tx
from core.ids import new_id
from core.sla import clock
from core.sla.clock import Run, Runs
from core.sla.models import SlaClockRow
from core.sla.policies import Facts, get, policy_for
from core.sla.views import EscalateTo, Measure, SlaPolicyView
from core.timers import service as timers

#: Kind of the timer that wakes `core.tickets.deadlines`; its key is the ticket's id.
TIMER_KIND = "ticket.sla"


class SlaStep(StrEnum):
    """What happened to a ticket, as far as promises are concerned."""

    OPENED = "opened"
    ASKED = "asked"  # the customer spoke and waits for an answer
    RESPONDED = "responded"
    PAUSED = "paused"
    RESUMED = "resumed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    REMATCHED = "rematched"  # priority, team or policy changed


@dataclass(frozen=True, slots=True)
class Summary:
    """due_at: the nearest deadline that is running. is_breached: any promise was broken."""

    due_at: datetime | None
    is_breached: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """Something people must hear of now. at: the deadline concerned."""

    kind: Literal["warned", "breached", "escalated"]
    measure: Measure
    at: datetime
    to: EscalateTo = "servicer"
    level: int = 0


async def record(tx: Tx, facts: Facts, step: SlaStep, at: datetime) -> Summary:
    """Move the ticket's clocks by what happened at `at`, and set its next timer."""
    rows = await _rows(tx, facts.ticket_id)
    match step:
        case SlaStep.OPENED:
            rows = await _open(tx, facts, (Measure.FIRST_RESPONSE, Measure.RESOLUTION), at)
        case SlaStep.ASKED:
            rows += await _ask(tx, facts, rows, at)
        case SlaStep.RESPONDED:
            await _end(tx, rows, (Measure.FIRST_RESPONSE, Measure.NEXT_RESPONSE), at)
        case SlaStep.RESOLVED:
            await _end(tx, rows, tuple(Measure), at)
        case SlaStep.REMATCHED:
            await _rematch(tx, facts, rows)
        case SlaStep.REOPENED:
            _reopen(rows, at)
        case _:
            _run(rows, step, at)
    return await _settle(tx, facts.ticket_id, rows)


async def tick(tx: Tx, ticket_id: str) -> tuple[Summary, list[Moment]]:
    """What became due by now. Deadlines are computed anew first: calendars may have changed."""
    rows = await _rows(tx, ticket_id)
    await _settle(tx, ticket_id, rows)
    moments: list[Moment] = []
    for row in rows:
        if row.due_at is not None:
            moments += await _due(tx, row)
    return await _settle(tx, ticket_id, rows), moments


async def rows_of(tx: Tx, ticket_id: str) -> list[SlaClockRow]:
    return await _rows(tx, ticket_id)


def runs_of(row: SlaClockRow) -> Runs:
    return tuple(
        Run(datetime.fromisoformat(start), datetime.fromisoformat(end) if end else None)
        for start, end in row.runs
    )


async def _rows(tx: Tx, ticket_id: str) -> list[SlaClockRow]:
    query = select(SlaClockRow).where(SlaClockRow.ticket_id == ticket_id)
    order = (SlaClockRow.started_at, SlaClockRow.measure, SlaClockRow.round)
    return list(await tx.db.scalars(query.order_by(*order)))


async def _open(
    tx: Tx, facts: Facts, measures: Sequence[Measure], at: datetime, *, number: int = 1
) -> list[SlaClockRow]:
    policy = await policy_for(tx, facts)
    if policy is None:
        return []
    rows = [
        SlaClockRow(
            id=new_id(),
            ticket_id=facts.ticket_id,
            measure=measure,
            round=number,
            policy_id=policy.id,
            calendar_id=policy.calendar_id or facts.team_calendar_id,
            target_s=target,
            started_at=at,
            runs=_stored((Run(at),) if facts.is_running else ()),
            is_void=False,
            chain_done=0,
        )
        for measure in measures
        if (target := policy.targets.of(measure)) is not None
    ]
    tx.db.add_all(rows)
    return rows


async def _ask(
    tx: Tx, facts: Facts, rows: Sequence[SlaClockRow], at: datetime
) -> list[SlaClockRow]:
    """A new round begins, unless an answer is owed already."""
    responses = [row for row in rows if row.measure != Measure.RESOLUTION]
    if any(_is_open(row) for row in responses):
        return []
    number = 1 + sum(row.measure == Measure.NEXT_RESPONSE for row in rows)
    return await _open(tx, facts, (Measure.NEXT_RESPONSE,), at, number=number)


async def _end(
    tx: Tx, rows: Sequence[SlaClockRow], measures: Sequence[Measure], at: datetime
) -> None:
    for row in rows:
        if row.measure in measures and _is_open(row):
            calendar = await calendars.working_calendar(tx, row.calendar_id)
            runs = clock.stopped(runs_of(row), at)
            row.runs, row.ended_at = _stored(runs), at
            row.used_s = clock.used_s(calendar, runs, at)
            row.breached_at = row.breached_at or clock.reached_at(calendar, runs, row.target_s)


def _reopen(rows: Sequence[SlaClockRow], at: datetime) -> None:
    """Resolution lasts until the last resolve: its clock goes on; what was broken stays so."""
    for row in rows:
        if row.measure == Measure.RESOLUTION and row.ended_at is not None and not row.is_void:
            row.ended_at = row.used_s = None
            row.runs = _stored(clock.started(runs_of(row), at))


def _run(rows: Sequence[SlaClockRow], step: SlaStep, at: datetime) -> None:
    for row in filter(_is_open, rows):
        change = clock.started if step is SlaStep.RESUMED else clock.stopped
        row.runs = _stored(change(runs_of(row), at))
        row.is_void = step is SlaStep.CANCELLED


async def _rematch(tx: Tx, facts: Facts, rows: list[SlaClockRow]) -> None:
    """Open promises follow the policy that holds now; ended ones stay what they were."""
    policy = await policy_for(tx, facts)
    for row in filter(_is_open, rows):
        target = policy.targets.of(Measure(row.measure)) if policy else None
        if policy is None or target is None:
            row.is_void = True
            continue
        row.policy_id, row.target_s = policy.id, target
        row.calendar_id = policy.calendar_id or facts.team_calendar_id
        await _judge_again(tx, row)
    if policy is not None and not rows:
        rows += await _open(tx, facts, (Measure.RESOLUTION,), facts.created_at)


async def _judge_again(tx: Tx, row: SlaClockRow) -> None:
    """A deadline that a new promise puts into the past is announced by the next tick.

    A breach that stands as it was has had its escalations; they are not repeated.
    """
    calendar = await calendars.working_calendar(tx, row.calendar_id)
    reached = clock.reached_at(calendar, runs_of(row), row.target_s)
    is_past = reached is not None and reached <= tx.now
    is_known = row.breached_at is not None or not clock.is_running(runs_of(row))
    breached_at = reached if is_past and is_known else None
    if breached_at != row.breached_at:
        row.chain_done = 0
    row.breached_at = breached_at
    row.warned_at = row.warned_at if is_past else None


async def _settle(tx: Tx, ticket_id: str, rows: Sequence[SlaClockRow]) -> Summary:
    """Recompute deadlines; one timer per ticket, at the next moment that matters."""
    wake: list[datetime] = []
    for row in rows:
        row.due_at = None
        if _is_open(row) and clock.is_running(runs_of(row)):
            calendar = await calendars.working_calendar(tx, row.calendar_id)
            row.due_at = clock.reached_at(calendar, runs_of(row), row.target_s)
            moment = await _next_moment(tx, row, calendar)
            wake += [moment] if moment is not None else []
    await tx.db.flush()
    if wake:
        await timers.set_timer(tx, TIMER_KIND, ticket_id, min(wake))
    else:
        await timers.cancel(tx, TIMER_KIND, ticket_id)
    return Summary(
        due_at=min((row.due_at for row in rows if row.due_at is not None), default=None),
        is_breached=any(row.breached_at is not None for row in rows if not row.is_void),
    )


async def _next_moment(tx: Tx, row: SlaClockRow, calendar: WorkingCalendar) -> datetime | None:
    policy = await get(tx, row.policy_id)
    if row.breached_at is not None:
        return _chain_at(row, policy, calendar)
    if row.warned_at is None:
        return _warn_at(row, policy, calendar)
    return row.due_at


async def _due(tx: Tx, row: SlaClockRow) -> list[Moment]:
    """Warn, break and escalate what is due, each once, in that order."""
    policy = await get(tx, row.policy_id)
    calendar = await calendars.working_calendar(tx, row.calendar_id)
    measure = Measure(row.measure)
    assert row.due_at is not None  # noqa: S101 - the caller asked
    moments: list[Moment] = []
    if row.breached_at is None and row.due_at <= tx.now:
        row.breached_at = row.due_at
        row.warned_at = row.warned_at or row.due_at
        moments.append(Moment("breached", measure, row.due_at))
    if row.warned_at is None and _warn_at(row, policy, calendar) <= tx.now:
        row.warned_at = tx.now
        moments.append(Moment("warned", measure, row.due_at))
    while (at := _chain_at(row, policy, calendar)) is not None and at <= tx.now:
        step = policy.chain[row.chain_done]
        row.chain_done += 1
        moments.append(Moment("escalated", measure, row.due_at, step.to, row.chain_done))
    return moments


def _warn_at(row: SlaClockRow, policy: SlaPolicyView, calendar: WorkingCalendar) -> datetime:
    by_percent = row.target_s * policy.warn_percent / 100
    before_end = row.target_s - policy.warn_before_s if policy.warn_before_s else row.target_s
    spent = max(0.0, min(by_percent, before_end))
    moment = clock.reached_at(calendar, runs_of(row), spent)
    return moment if moment is not None else row.started_at


def _chain_at(
    row: SlaClockRow, policy: SlaPolicyView, calendar: WorkingCalendar
) -> datetime | None:
    if row.breached_at is None or row.chain_done >= len(policy.chain):
        return None
    return due_at(calendar, row.breached_at, policy.chain[row.chain_done].after_s)


def _is_open(row: SlaClockRow) -> bool:
    return row.ended_at is None and not row.is_void


def _stored(runs: Runs) -> list[list[str | None]]:
    return [[run.start.isoformat(), run.end.isoformat() if run.end else None] for run in runs]
