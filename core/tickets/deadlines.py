"""Timers of tickets: deadlines and their escalation chain, reminders, closing by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from sqlalchemy import select

from core.actor import Actor
from core.calendars.service import RULES_CHANGED
from core.db import Tx, UnitOfWork
from core.errors import NotFound
from core.events import SlaBreached, SlaWarned
from core.sla import service as sla
from core.sla.service import Moment, SlaStep
from core.tickets import assignment, follow_ups
from core.tickets.access import locked
from core.tickets.models import TicketRow
from core.tickets.record import Line, add_entry, promise, saved, view
from core.tickets.service import CLOSE_TIMER, move
from core.tickets.states import UNRESOLVED, Action
from core.timers import service as timers
from core.timers.runner import Job
from core.timers.service import Timer
from core.views import TicketState

_SLA_ACTOR: Final = Actor.system("sla")
_CLOSER: Final = Actor.system("auto_close")


async def on_deadline(tx: Tx, ticket_id: str) -> None:
    """Warn, break and escalate what is due on one ticket."""
    try:
        row = await locked(tx, ticket_id, by=_SLA_ACTOR)
    except NotFound:
        return
    summary, moments = await sla.tick(tx, ticket_id)
    row.due_at, row.is_breached = summary.due_at, summary.is_breached
    await tx.db.flush()
    for moment in moments:
        await _tell(tx, row, moment)


async def on_auto_close(tx: Tx, ticket_id: str) -> None:
    """Close what was resolved and neither confirmed nor reopened."""
    row = await tx.db.get(TicketRow, ticket_id)
    if row is not None and row.state == TicketState.RESOLVED:
        await move(tx, ticket_id, Action.CONFIRM, by=_CLOSER)


async def recompute(tx: Tx, *, after: str = "", limit: int = 200) -> str | None:
    """Match policies and deadlines anew for open tickets, in steps. Returns the next `after`."""
    query = (
        select(TicketRow.id)
        .where(TicketRow.id > after, TicketRow.state.in_(UNRESOLVED))
        .order_by(TicketRow.id)
        .limit(limit)
    )
    ids = (await tx.db.scalars(query)).all()
    for ticket_id in ids:
        row = await locked(tx, ticket_id, by=_SLA_ACTOR)
        await promise(tx, row, SlaStep.REMATCHED)
    return ids[-1] if len(ids) == limit else None


async def on_rules_changed(tx: Tx, after: str) -> None:
    """One step of `recompute`; the next one follows as a timer of its own."""
    next_after = await recompute(tx, after=after)
    if next_after is not None:
        await timers.set_timer(tx, RULES_CHANGED, next_after, tx.now)


#: Kind of timer → what it does with the timer's key.
TIMERS: Final[Mapping[str, Callable[[Tx, str], Awaitable[None]]]] = {
    sla.TIMER_KIND: on_deadline,
    CLOSE_TIMER: on_auto_close,
    follow_ups.TIMER_KIND: follow_ups.remind,
    RULES_CHANGED: on_rules_changed,
}


def timer_jobs(uow: UnitOfWork) -> dict[str, Job]:
    """For the timer runner: each job ends its timer first, since its work may set it again."""

    def job(act: Callable[[Tx, str], Awaitable[None]]) -> Job:
        async def run(timer: Timer) -> None:
            async with uow.write() as tx:
                await timers.finish(tx, timer)
                await act(tx, timer.key)

        return run

    return {kind: job(act) for kind, act in TIMERS.items()}


async def _tell(tx: Tx, row: TicketRow, moment: Moment) -> None:
    facts = {"measure": moment.measure.value, "at": moment.at.isoformat()}
    if moment.kind == "escalated":
        await assignment.escalate(
            tx, row.id, by=_SLA_ACTOR, reason=f"sla:{moment.measure}", to=moment.to
        )
        return
    await add_entry(tx, row, _SLA_ACTOR, Line(f"sla_{moment.kind}", facts=facts))
    if moment.kind == "warned":
        ticket = await view(tx, row)
        tx.emit(SlaWarned(ticket=ticket, measure=moment.measure, due_at=moment.at))
    else:
        ticket = await saved(tx, row)
        tx.emit(SlaBreached(ticket=ticket, measure=moment.measure, breached_at=moment.at))
