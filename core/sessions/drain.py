"""The queue moves: whoever waits longest gets whoever is free, one atomic step at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select, tuple_

from core.assignment.queries import slots
from core.db import UnitOfWork
from core.errors import Conflict
from core.sessions.assigning import assign_next
from core.sessions.models import SessionRow
from core.sessions.moves import get_session
from core.views import SessionState


@dataclass(slots=True)
class _Stuck:
    """Who cannot be helped now: whole routes, and sessions that wait for particular people."""

    routes: set[tuple[str, str, str]] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)


async def drain_queue(uow: UnitOfWork) -> int:
    """Assign queued sessions until nobody is free or nobody waits. Safe to run anywhere, anytime.

    Sessions that nobody may take do not block those behind them.
    """
    assigned, stuck = 0, _Stuck()
    while (session_id := await _head(uow, stuck)) is not None:
        try:
            async with uow.write() as tx:
                if await assign_next(tx, session_id) is not None:
                    assigned += 1
                    continue
                row = await get_session(tx, session_id)
        except Conflict:
            continue  # somebody else moved it: that is what we wanted
        if row.state != SessionState.QUEUED:
            continue
        if row.lost_by:
            stuck.sessions.add(row.id)
        else:
            stuck.routes.add((row.account_id, row.mode, row.route))
    return assigned


async def _head(uow: UnitOfWork, stuck: _Stuck) -> str | None:
    """Whoever is next, as long as anybody at all has room."""
    route = tuple_(SessionRow.account_id, SessionRow.mode, SessionRow.route)
    statement = select(SessionRow.id).where(SessionRow.state == SessionState.QUEUED)
    if stuck.routes:
        statement = statement.where(route.not_in(sorted(stuck.routes)))
    if stuck.sessions:
        statement = statement.where(SessionRow.id.not_in(sorted(stuck.sessions)))
    async with uow.read() as tx:
        if not (await slots(tx)).free:
            return None
        return await tx.db.scalar(statement.order_by(SessionRow.rank_at, SessionRow.id).limit(1))
