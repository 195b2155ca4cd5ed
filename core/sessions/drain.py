"""The queue moves: whoever waits longest gets whoever is free, one atomic step at a time."""

from __future__ import annotations

from sqlalchemy import select

from core.assignment.queries import candidates
from core.db import UnitOfWork
from core.errors import Conflict
from core.sessions.models import SessionRow
from core.sessions.service import assign_next
from core.views import ServiceMode, SessionState

_LOOK_AHEAD = 200


async def drain_queue(uow: UnitOfWork) -> int:
    """Assign queued sessions until nobody is free or nobody waits. Safe to run anywhere, anytime.

    A session that nobody may take does not block those behind it.
    """
    assigned = 0
    for session_id in await _who_can_move(uow):
        try:
            async with uow.write() as tx:
                if await assign_next(tx, session_id) is not None:
                    assigned += 1
        except Conflict:
            continue  # somebody else moved it: that is what we wanted
    return assigned


async def _who_can_move(uow: UnitOfWork) -> list[str]:
    """Queued sessions, in queue order, for which somebody is free at this moment."""
    async with uow.read() as tx:
        rows = (
            await tx.db.execute(
                select(SessionRow.id, SessionRow.account_id, SessionRow.mode)
                .where(SessionRow.state == SessionState.QUEUED)
                .order_by(SessionRow.priority.desc(), SessionRow.queued_at, SessionRow.id)
                .limit(_LOOK_AHEAD)
            )
        ).all()
        free: dict[tuple[str, str], int] = {}
        movable: list[str] = []
        for session_id, account_id, mode in rows:
            key = (account_id if mode == ServiceMode.NATIVE else "", mode)
            if key not in free:
                found = await candidates(tx, account_id, ServiceMode(mode))
                free[key] = sum(one.capacity - one.open_sessions for one in found)
            if free[key] > 0:
                free[key] -= 1
                movable.append(session_id)
    return movable
