"""Reads of SLA clocks, and the answer to "when would this be due?"."""

from __future__ import annotations

from datetime import datetime

from core.calendars import queries as calendars
from core.calendars.arithmetic import due_at
from core.db import Tx
from core.sla import clock, policies
from core.sla.models import SlaClockRow
from core.sla.policies import Facts
from core.sla.service import rows_of, runs_of
from core.sla.views import ClockState, Measure, SlaClockView, SlaPolicyView
from core.views import View


class DueView(View):
    """What a policy would promise for something that begins now."""

    policy: SlaPolicyView | None
    calendar_id: str | None
    due: dict[Measure, datetime]


async def clocks(tx: Tx, ticket_id: str) -> tuple[SlaClockView, ...]:
    """All promises of a ticket, oldest first."""
    return tuple([await _view(tx, row) for row in await rows_of(tx, ticket_id)])


async def would_be_due(tx: Tx, facts: Facts, start: datetime) -> DueView:
    """Deadlines if a ticket with these facts began at `start`."""
    policy = await policies.policy_for(tx, facts)
    if policy is None:
        return DueView(policy=None, calendar_id=None, due={})
    calendar_id = policy.calendar_id or facts.team_calendar_id
    calendar = await calendars.working_calendar(tx, calendar_id)
    due = {
        measure: due_at(calendar, start, target)
        for measure in Measure
        if (target := policy.targets.of(measure)) is not None
    }
    return DueView(policy=policy, calendar_id=calendar_id, due=due)


def state_of(row: SlaClockRow) -> ClockState:
    if row.is_void:
        return ClockState.VOID
    if row.breached_at is not None:
        return ClockState.BREACHED
    if row.ended_at is not None:
        return ClockState.MET
    return ClockState.RUNNING if clock.is_running(runs_of(row)) else ClockState.PAUSED


async def _view(tx: Tx, row: SlaClockRow) -> SlaClockView:
    calendar = await calendars.working_calendar(tx, row.calendar_id)
    used = clock.used_s(calendar, runs_of(row), row.ended_at or tx.now)
    policy = await policies.get(tx, row.policy_id)
    return SlaClockView(
        measure=Measure(row.measure),
        round=row.round,
        policy_id=row.policy_id,
        policy_name=policy.name,
        state=state_of(row),
        target_s=row.target_s,
        used_s=int(used),
        left_s=int(row.target_s - used),
        started_at=row.started_at,
        due_at=row.due_at,
        warned_at=row.warned_at,
        breached_at=row.breached_at,
        ended_at=row.ended_at,
    )
