"""The only writer of SLA clocks. Callers hold the ticket's lock and say what happened to it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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


class Terms:
    """Policies and calendars as one transaction sees them; each is read once."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._policies: dict[str, SlaPolicyView] = {}
        self._calendars: dict[str | None, WorkingCalendar] = {}

    async def policy(self, policy_id: str) -> SlaPolicyView:
        if policy_id not in self._policies:
            self._policies[policy_id] = await get(self._tx, policy_id)
        return self._policies[policy_id]

    async def calendar(self, calendar_id: str | None) -> WorkingCalendar:
        if calendar_id not in self._calendars:
            found = await calendars.working_calendar(self._tx, calendar_id)
            self._calendars[calendar_id] = found
        return self._calendars[calendar_id]


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
    """Something people must hear of. due_at: the deadline concerned; at: when it came true."""

    kind: Literal["warned", "breached", "escalated"]
    measure: Measure
    due_at: datetime
    at: datetime
    to: EscalateTo = "servicer"
    level: int = 0


async def record(tx: Tx, facts: Facts, step: SlaStep, at: datetime) -> Summary:
    """Move the ticket's clocks by what happened at `at`, and set its next timer."""
    rows = await rows_of(tx, facts.ticket_id)
    terms = Terms(tx)
    match step:
        case SlaStep.OPENED:
            rows = await _open(tx, facts, (Measure.FIRST_RESPONSE, Measure.RESOLUTION), at)
        case SlaStep.ASKED:
            rows += await _ask(tx, facts, rows, at)
        case SlaStep.RESPONDED:
            await _end(terms, rows, (Measure.FIRST_RESPONSE, Measure.NEXT_RESPONSE), at)
        case SlaStep.RESOLVED:
            await _end(terms, rows, tuple(Measure), at)
        case SlaStep.REMATCHED:
            await _rematch(tx, terms, facts, rows)
        case SlaStep.REOPENED:
            _reopen(rows, at)
        case _:
            _run(rows, step, at)
    summary, wake_at = await _settle(terms, rows)
    await tx.db.flush()
    await timers.set_timers(tx, TIMER_KIND, {facts.ticket_id: wake_at})
    return summary


async def tick(tx: Tx, ticket_ids: Collection[str]) -> dict[str, tuple[Summary, list[Moment]]]:
    """What became due by now on these tickets, earliest first.

    Deadlines are computed anew first: calendars may have changed.
    """
    found = await _rows_by_ticket(tx, ticket_ids)
    terms = Terms(tx)
    result: dict[str, tuple[Summary, list[Moment]]] = {}
    wakes: dict[str, datetime | None] = {}
    for ticket_id, rows in found.items():
        await _settle(terms, rows)
        moments = [
            moment
            for row in rows
            if row.due_at is not None
            for moment in await _due(terms, row, row.due_at, tx.now)
        ]
        summary, wakes[ticket_id] = await _settle(terms, rows)
        result[ticket_id] = (summary, sorted(moments, key=lambda moment: moment.at))
    await tx.db.flush()
    await timers.set_timers(tx, TIMER_KIND, wakes)
    return result


async def rows_of(tx: Tx, ticket_id: str) -> list[SlaClockRow]:
    """Oldest promise first."""
    return (await _rows_by_ticket(tx, (ticket_id,)))[ticket_id]


def runs_of(row: SlaClockRow) -> Runs:
    return tuple(
        Run(datetime.fromisoformat(start), datetime.fromisoformat(end) if end else None)
        for start, end in row.runs
    )


async def _rows_by_ticket(tx: Tx, ticket_ids: Collection[str]) -> dict[str, list[SlaClockRow]]:
    query = select(SlaClockRow).where(SlaClockRow.ticket_id.in_(ticket_ids))
    order = (SlaClockRow.started_at, SlaClockRow.measure, SlaClockRow.round)
    found: dict[str, list[SlaClockRow]] = {ticket_id: [] for ticket_id in ticket_ids}
    for row in await tx.db.scalars(query.order_by(*order)):
        found[row.ticket_id].append(row)
    return found


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
    terms: Terms, rows: Sequence[SlaClockRow], measures: Sequence[Measure], at: datetime
) -> None:
    for row in rows:
        if row.measure in measures and _is_open(row):
            calendar = await terms.calendar(row.calendar_id)
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


async def _rematch(tx: Tx, terms: Terms, facts: Facts, rows: list[SlaClockRow]) -> None:
    """Open promises follow the policy that holds now; ended ones stay what they were."""
    policy = await policy_for(tx, facts)
    for row in filter(_is_open, rows):
        target = policy.targets.of(Measure(row.measure)) if policy else None
        if policy is None or target is None:
            row.is_void = True
            continue
        row.policy_id, row.target_s = policy.id, target
        row.calendar_id = policy.calendar_id or facts.team_calendar_id
        await _judge_again(terms, row, tx.now)
    if policy is not None and not rows:
        rows += await _open(tx, facts, (Measure.RESOLUTION,), facts.created_at)


async def _judge_again(terms: Terms, row: SlaClockRow, now: datetime) -> None:
    """A deadline that a new promise puts into the past is announced by the next tick.

    A breach that stands as it was has had its escalations; they are not repeated.
    """
    calendar = await terms.calendar(row.calendar_id)
    reached = clock.reached_at(calendar, runs_of(row), row.target_s)
    is_past = reached is not None and reached <= now
    is_known = row.breached_at is not None or not clock.is_running(runs_of(row))
    breached_at = reached if is_past and is_known else None
    if breached_at != row.breached_at:
        row.chain_done = 0
    row.breached_at = breached_at
    row.warned_at = row.warned_at if is_past else None


async def _settle(terms: Terms, rows: Sequence[SlaClockRow]) -> tuple[Summary, datetime | None]:
    """Recompute deadlines; also the next moment that matters, for the ticket's one timer."""
    wake: list[datetime] = []
    for row in rows:
        row.due_at = None
        if _is_open(row) and clock.is_running(runs_of(row)):
            calendar = await terms.calendar(row.calendar_id)
            row.due_at = clock.reached_at(calendar, runs_of(row), row.target_s)
            moment = _next_moment(row, await terms.policy(row.policy_id), calendar)
            wake += [moment] if moment is not None else []
    summary = Summary(
        due_at=min((row.due_at for row in rows if row.due_at is not None), default=None),
        is_breached=any(row.breached_at is not None for row in rows if not row.is_void),
    )
    return summary, min(wake, default=None)


def _next_moment(
    row: SlaClockRow, policy: SlaPolicyView, calendar: WorkingCalendar
) -> datetime | None:
    if row.breached_at is not None:
        return _chain_at(row, policy, calendar)
    if row.warned_at is None:
        return _warn_at(row, policy, calendar)
    return row.due_at


async def _due(terms: Terms, row: SlaClockRow, due_at: datetime, now: datetime) -> list[Moment]:
    """Warn, break and escalate what is due, each once, dated by when it came true."""
    policy = await terms.policy(row.policy_id)
    calendar = await terms.calendar(row.calendar_id)
    measure = Measure(row.measure)
    moments: list[Moment] = []
    if row.breached_at is None and due_at <= now:
        row.breached_at = due_at
        row.warned_at = row.warned_at or due_at
        moments.append(Moment("breached", measure, due_at, due_at))
    if row.warned_at is None and (at := _warn_at(row, policy, calendar)) <= now:
        row.warned_at = at
        moments.append(Moment("warned", measure, due_at, at))
    while (step_at := _chain_at(row, policy, calendar)) is not None and step_at <= now:
        step = policy.chain[row.chain_done]
        row.chain_done += 1
        moments.append(Moment("escalated", measure, due_at, step_at, step.to))
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
