"""Set, cancel, claim and end timers. A timer is (kind, key): setting it again moves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    Executable,
    Integer,
    Table,
    and_,
    bindparam,
    delete,
    or_,
    select,
    tuple_,
    update,
)

from core.column_types import UtcDateTime
from core.db import Tx, upsert_for
from core.errors import Conflict
from core.ids import new_id
from core.statements import Statement
from core.timers.models import TimerRow

#: The key of a timer that sets itself again: there is one of its kind.
ROUND_KEY = "recurring"
#: Topic on which timer runners sleep.
WAKE_TOPIC = "timers"

_TABLE = cast("Table", TimerRow.__table__)
_T = _TABLE.c


def _upsert(dialect: str) -> Executable:
    made = upsert_for(dialect, _TABLE).inline()
    moved = {name: made.excluded[name] for name in ("due_at", "payload", "attempts")}
    moved["lease_until"] = None
    wanted: Executable = made.on_conflict_do_update(index_elements=["kind", "key"], set_=moved)
    return wanted


_SET = Statement(_upsert, columns=("id", "kind", "key", "due_at", "payload", "attempts"))
_DUE = and_(
    _T.due_at <= bindparam("now", type_=UtcDateTime),
    or_(_T.lease_until.is_(None), _T.lease_until < bindparam("now", type_=UtcDateTime)),
)
_CLAIM = Statement(
    update(_TABLE)
    .where(
        _T.id.in_(
            select(_T.id)
            .where(_DUE)
            .order_by(_T.due_at)
            .limit(bindparam("most", type_=Integer))
            .scalar_subquery()
        ),
        _DUE,
    )
    .values(lease_until=bindparam("until"), attempts=_T.attempts + 1)
    .returning(_T.id, _T.kind, _T.key, _T.due_at, _T.payload, _T.attempts)
)
_FINISH = Statement(
    delete(_TABLE).where(_T.id == bindparam("an_id"), _T.due_at == bindparam("due"))
)
_NEXT = Statement(select(_T.due_at).where(_T.lease_until.is_(None)).order_by(_T.due_at).limit(1))


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
    await _set(tx, [_row(kind, key, due_at, payload or {})])


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
        await _set(tx, rows)


def _row(kind: str, key: str, due_at: datetime, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": new_id(),
        "kind": kind,
        "key": key,
        "due_at": due_at,
        "payload": dict(payload),
        "attempts": 0,
    }


async def _set(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await tx.flush()  # who changed the conversation holds it before its timers
    await tx.run_many(_SET, rows)
    tx.wake(WAKE_TOPIC)


async def find(tx: Tx, kind: str, key: str) -> Timer | None:
    row = await tx.db.scalar(select(TimerRow).where(TimerRow.kind == kind, TimerRow.key == key))
    if row is None:
        return None
    return Timer(row.id, row.kind, row.key, row.due_at, row.payload, row.attempts)


async def is_set(tx: Tx, kind: str, key: str) -> bool:
    return await find(tx, kind, key) is not None


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
    until = {"now": tx.now, "most": limit, "until": tx.now + lease}
    found = [Timer(*row) for row in await tx.fetch(_CLAIM, until)]
    return sorted(found, key=lambda timer: timer.due_at)


async def finish(tx: Tx, timer: Timer) -> None:
    """End a timer in the transaction of its effects.

    Raises: Conflict when it was moved, cancelled or ended meanwhile; effects then roll back.
    """
    await tx.flush()
    if await tx.run(_FINISH, {"an_id": timer.id, "due": timer.due_at}) != 1:
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
    for row in await tx.fetch(_NEXT, {}):
        return cast("datetime", row.due_at)
    return None
