"""Set, cancel, claim and end timers. A timer is (kind, key): setting it again moves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, tuple_, update
from sqlalchemy.engine import CursorResult

from core.db import Tx
from core.errors import Conflict
from core.ids import new_id
from core.timers.models import TimerRow

#: Topic on which timer runners sleep.
WAKE_TOPIC = "timers"


@dataclass(frozen=True, slots=True)
class Timer:
    """One due piece of work. `due_at` doubles as its version: moved timers are other timers."""

    id: str
    kind: str
    key: str
    due_at: datetime
    payload: Mapping[str, Any]
    attempts: int


async def set_timer(
    tx: Tx, kind: str, key: str, due_at: datetime, payload: Mapping[str, Any] | None = None
) -> None:
    await _upsert(tx, [_row(kind, key, due_at, payload or {})])


async def set_timers(tx: Tx, kind: str, due_at: Mapping[str, datetime | None]) -> None:
    """Set the timers of these keys; None cancels. One lock order for everyone: by key."""
    gone = [key for key, moment in due_at.items() if moment is None]
    if gone:
        await tx.db.execute(
            delete(TimerRow)
            .where(TimerRow.kind == kind, TimerRow.key.in_(gone))
            .execution_options(synchronize_session=False)
        )
    rows = [_row(kind, key, at, {}) for key, at in sorted(due_at.items()) if at is not None]
    if rows:
        await _upsert(tx, rows)


def _row(kind: str, key: str, due_at: datetime, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": new_id(),
        "kind": kind,
        "key": key,
        "due_at": due_at,
        "payload": dict(payload),
        "attempts": 0,
        "lease_until": None,
    }


async def _upsert(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    made = tx.upsert(TimerRow).values(rows)
    moved = {name: made.excluded[name] for name in ("due_at", "payload", "attempts")}
    await tx.db.execute(
        made.on_conflict_do_update(
            index_elements=["kind", "key"], set_=moved | {"lease_until": None}
        )
    )
    tx.wake(WAKE_TOPIC)


async def is_set(tx: Tx, kind: str, key: str) -> bool:
    found = await tx.db.scalar(
        select(TimerRow.id).where(TimerRow.kind == kind, TimerRow.key == key)
    )
    return found is not None


async def cancel(tx: Tx, kind: str, key: str) -> None:
    await tx.db.execute(
        delete(TimerRow)
        .where(TimerRow.kind == kind, TimerRow.key == key)
        .execution_options(synchronize_session=False)
    )


async def claim_due(
    tx: Tx, *, limit: int, lease: timedelta = timedelta(seconds=60)
) -> list[Timer]:
    """Take due timers, earliest first; each is ours until its lease ends."""
    free = or_(TimerRow.lease_until.is_(None), TimerRow.lease_until < tx.now)
    due = (
        select(TimerRow.id)
        .where(TimerRow.due_at <= tx.now, free)
        .order_by(TimerRow.due_at)
        .limit(limit)
    )
    result = await tx.db.execute(
        update(TimerRow)
        .where(TimerRow.id.in_(due.scalar_subquery()), TimerRow.due_at <= tx.now, free)
        .values(lease_until=tx.now + lease, attempts=TimerRow.attempts + 1)
        .returning(
            TimerRow.id,
            TimerRow.kind,
            TimerRow.key,
            TimerRow.due_at,
            TimerRow.payload,
            TimerRow.attempts,
        )
        .execution_options(synchronize_session=False)
    )
    return sorted((Timer(*row) for row in result), key=lambda timer: timer.due_at)


async def finish(tx: Tx, timer: Timer) -> None:
    """End a timer in the transaction of its effects.

    Raises: Conflict when it was moved, cancelled or ended meanwhile; effects then roll back.
    """
    result = await tx.db.execute(
        delete(TimerRow)
        .where(TimerRow.id == timer.id, TimerRow.due_at == timer.due_at)
        .execution_options(synchronize_session=False)
    )
    if isinstance(result, CursorResult) and result.rowcount != 1:
        raise Conflict("timer_moved", kind=timer.kind, key=timer.key)


async def finish_all(tx: Tx, due: Sequence[Timer]) -> list[Timer]:
    """End timers together. Those moved, cancelled or ended meanwhile are left out."""
    seen = [(timer.id, timer.due_at) for timer in due]
    ended = await tx.db.scalars(
        delete(TimerRow)
        .where(tuple_(TimerRow.id, TimerRow.due_at).in_(seen))
        .returning(TimerRow.id)
        .execution_options(synchronize_session=False)
    )
    known = set(ended)
    return [timer for timer in due if timer.id in known]


async def retry_at(tx: Tx, timer: Timer, due_at: datetime) -> None:
    """Put a timer off after a failure, unless it was moved meanwhile."""
    await tx.db.execute(
        update(TimerRow)
        .where(TimerRow.id == timer.id, TimerRow.due_at == timer.due_at)
        .values(due_at=due_at, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    tx.wake(WAKE_TOPIC)


async def free_all(tx: Tx) -> None:
    """End every lease. Only for a process that knows itself to be alone, at its start."""
    await tx.db.execute(
        update(TimerRow)
        .where(TimerRow.lease_until.is_not(None))
        .values(lease_until=None)
        .execution_options(synchronize_session=False)
    )


async def next_due_at(tx: Tx) -> datetime | None:
    """When the next free timer is due: how long a runner may sleep."""
    return await tx.db.scalar(
        select(TimerRow.due_at)
        .where(TimerRow.lease_until.is_(None))
        .order_by(TimerRow.due_at)
        .limit(1)
    )
