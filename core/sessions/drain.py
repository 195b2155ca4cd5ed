"""The queue moves: whoever waits longest gets whoever is free, one atomic step at a time."""

from __future__ import annotations

from sqlalchemy import select

from core.assignment.queries import slots
from core.db import UnitOfWork
from core.errors import Conflict
from core.sessions.models import SessionRow
from core.sessions.service import assign_next
from core.views import SessionState

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
    """The queue's head, as long as anybody at all has room."""
    async with uow.read() as tx:
        if not (await slots(tx)).free:
            return []
        rows = await tx.db.scalars(
            select(SessionRow.id)
            .where(SessionRow.state == SessionState.QUEUED)
            .order_by(SessionRow.rank_at, SessionRow.id)
            .limit(_LOOK_AHEAD)
        )
        return list(rows)
