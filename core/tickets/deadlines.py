"""Timers of tickets: deadlines and their escalation chain, reminders, closing by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from sqlalchemy import select

from core.actor import Actor
from core.calendars.service import RULES_CHANGED
from core.db import Tx, UnitOfWork
from core.events import SlaBreached, SlaWarned, TicketEscalated
from core.sla import service as sla
from core.sla.service import Moment, SlaStep
from core.tickets import assignment, follow_ups
from core.tickets.access import hold_all, locked
from core.tickets.models import TicketRow
from core.tickets.record import Line, promise, related_rows, touch, view, write_line
from core.tickets.service import CLOSE_TIMER, move
from core.tickets.states import UNRESOLVED, Action
from core.timers import service as timers
from core.timers.runner import BatchJob, Job
from core.timers.service import Timer
from core.views import TicketState, TicketView

_SLA_ACTOR: Final = Actor.system("sla")
_CLOSER: Final = Actor.system("auto_close")
_MakeEvent = Callable[[TicketView], SlaWarned | SlaBreached | TicketEscalated]


async def on_deadlines(tx: Tx, rows: Sequence[TicketRow]) -> None:
    """Warn, break and escalate what is due on tickets that are held."""
    _kept = await related_rows(tx, rows)
    due = await sla.tick(tx, [row.id for row in rows])
    happened: list[tuple[TicketRow, list[_MakeEvent]]] = []
    for row in rows:
        summary, moments = due[row.id]
        row.due_at, row.is_breached = summary.due_at, summary.is_breached
        happened.append((row, [await _write_down(tx, row, moment) for moment in moments]))
    await tx.db.flush()  # once for all of them
    for row, events in happened:
        ticket = await view(tx, row)
        tx.emit(*(event(ticket) for event in events))


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


async def _close(tx: Tx, timer: Timer) -> None:
    await hold_all(tx, [timer.key])
    await timers.finish(tx, timer)
    await on_auto_close(tx, timer.key)


async def _remind(tx: Tx, timer: Timer) -> None:
    await timers.finish(tx, timer)
    await follow_ups.remind(tx, timer.key)


async def _rules_changed(tx: Tx, timer: Timer) -> None:
    await timers.finish(tx, timer)
    await on_rules_changed(tx, timer.key)


async def _deadlines(tx: Tx, due: Sequence[Timer]) -> None:
    rows = await hold_all(tx, [timer.key for timer in due])
    ended = {timer.key for timer in await timers.finish_all(tx, due)}
    await on_deadlines(tx, [row for row in rows if row.id in ended])


#: Each ends its timer before its work, which may set it again, and holds the ticket before the
#: timer: so does everybody who changes a ticket.
_JOBS: Final[Mapping[str, Callable[[Tx, Timer], Awaitable[None]]]] = {
    CLOSE_TIMER: _close,
    follow_ups.TIMER_KIND: _remind,
    RULES_CHANGED: _rules_changed,
}


def timer_jobs(uow: UnitOfWork) -> dict[str, Job]:
    """For the timer runner: one timer, one transaction."""

    def job(act: Callable[[Tx, Timer], Awaitable[None]]) -> Job:
        async def run(timer: Timer) -> None:
            async with uow.write() as tx:
                await act(tx, timer)

        return run

    return {kind: job(act) for kind, act in _JOBS.items()}


def timer_batches(uow: UnitOfWork) -> dict[str, BatchJob]:
    """For the timer runner: many deadlines in one transaction, since many come at once."""

    async def run(due: Sequence[Timer]) -> None:
        async with uow.write() as tx:
            await _deadlines(tx, due)

    return {sla.TIMER_KIND: run}


async def _write_down(tx: Tx, row: TicketRow, moment: Moment) -> _MakeEvent:
    """The moment's line in the history; returns what makes its event of the ticket as saved."""
    measure = moment.measure
    if moment.kind == "escalated":
        touch(tx, row)
        line = Line("escalated", f"sla:{measure}", at=moment.at)
        return await assignment.raise_level(tx, row, by=_SLA_ACTOR, line=line, to=moment.to)
    facts = {"measure": measure.value, "at": moment.due_at.isoformat()}
    write_line(tx, row, _SLA_ACTOR, Line(f"sla_{moment.kind}", facts=facts, at=moment.at))
    if moment.kind == "warned":
        return lambda ticket: SlaWarned(ticket=ticket, measure=measure, due_at=moment.due_at)
    touch(tx, row)
    return lambda ticket: SlaBreached(ticket=ticket, measure=measure, breached_at=moment.at)
