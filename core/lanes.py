"""Lanes: ordered work per Address, claimed by lease (ADR 0002).

A lane row exists while an address may have work of one kind ("in": inbox, "out": outbox). Whoever
holds its lease works through the address's rows in order; different addresses run in parallel.
`bump` counts arrivals, so that work which comes in while a lane is being given up is not lost.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Literal, cast

from sqlalchemy import (
    Index,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Tx, UtcDateTime, upsert_for

Kind = Literal["in", "out"]
#: A worker that dies is missed after this; one that lives renews in time.
LEASE: Final = timedelta(seconds=15)


class LaneRow(Base):
    __tablename__ = "lanes"
    __table_args__ = (Index("ix_lanes_ready", "kind", "ready_at"),)

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    address_key: Mapped[str] = mapped_column(String(320), primary_key=True)
    ready_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    lease_by: Mapped[str | None] = mapped_column(String(40))
    bump: Mapped[int] = mapped_column(default=0)


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane that this worker holds until its lease ends."""

    kind: Kind
    address_key: str
    worker: str
    bump: int


_T = cast("Table", LaneRow.__table__).c
_TABLE = cast("Table", LaneRow.__table__)
_HELD = and_(
    _T.kind == bindparam("a_kind"),
    _T.address_key == bindparam("an_address"),
    _T.lease_by == bindparam("a_worker"),
)
_FREE = or_(_T.lease_until.is_(None), _T.lease_until < bindparam("now", type_=UtcDateTime))
# Statements are built once: building them costs more than SQLite needs to run them.
_CLAIM = (
    update(_TABLE)
    .where(
        _T.kind == bindparam("a_kind"),
        _T.address_key.in_(
            select(_T.address_key)
            .where(_T.kind == bindparam("a_kind"))
            .where(_T.ready_at <= bindparam("now", type_=UtcDateTime), _FREE)
            .order_by(_T.ready_at)
            .limit(bindparam("most", type_=Integer))
            .scalar_subquery()
        ),
        _FREE,
    )
    .values(lease_until=bindparam("until"), lease_by=bindparam("a_worker"))
    .returning(_T.address_key, _T.bump)
)
_GONE = delete(_TABLE).where(_HELD, _T.bump == bindparam("seen"))
_BACK = (
    update(_TABLE).where(_HELD).values(lease_until=None, lease_by=None, ready_at=bindparam("at"))
)
_NEXT = (
    select(_T.ready_at)
    .where(_T.kind == bindparam("a_kind"), _T.lease_until.is_(None))
    .order_by(_T.ready_at)
    .limit(1)
)


async def bump(tx: Tx, kind: Kind, address_keys: Collection[str]) -> None:
    """Say that these addresses have work. A lane that backs off keeps its `ready_at`."""
    for key in sorted(set(address_keys)):  # one lock order for everyone
        row = {"kind": kind, "address_key": key, "ready_at": tx.now, "bump": 1}
        await tx.db.execute(_bump_statement(tx.dialect), row)


@cache
def _bump_statement(dialect: str) -> Any:
    made = upsert_for(dialect, _TABLE)
    return made.on_conflict_do_update(
        index_elements=["kind", "address_key"], set_={"bump": _T.bump + 1}
    )


async def claim(
    tx: Tx, kind: Kind, *, worker: str, limit: int, lease: timedelta = LEASE
) -> list[Lane]:
    """Take up to `limit` lanes that are ready and free, longest ready first."""
    found = await tx.db.execute(
        _CLAIM,
        {
            "a_kind": kind, "now": tx.now, "most": limit, "until": tx.now + lease,
            "a_worker": worker,
        },
    )  # fmt: skip
    return [Lane(kind, row.address_key, worker, row.bump) for row in found]


async def release(tx: Tx, lane: Lane, *, ready_at: datetime | None = None) -> None:
    """Give a lane back: gone when nothing came in meanwhile, else free to be claimed again.

    ready_at: there is work left that shall wait until then (a back-off).
    """
    mine = {"a_kind": lane.kind, "an_address": lane.address_key, "a_worker": lane.worker}
    if ready_at is None:
        gone = await tx.db.execute(_GONE, {**mine, "seen": lane.bump})
        if isinstance(gone, CursorResult) and gone.rowcount:
            return
    await tx.db.execute(_BACK, {**mine, "at": ready_at or tx.now})


async def renew(tx: Tx, kind: Kind, *, worker: str, lease: timedelta = LEASE) -> None:
    """Keep the lanes that this worker is still working through."""
    await tx.db.execute(
        update(LaneRow)
        .where(LaneRow.kind == kind, LaneRow.lease_by == worker)
        .values(lease_until=tx.now + lease)
        .execution_options(synchronize_session=False)
    )


async def free_all(tx: Tx) -> None:
    """End every lease. Only for a process that knows itself to be alone, at its start."""
    await tx.db.execute(
        update(LaneRow)
        .values(lease_until=None, lease_by=None)
        .execution_options(synchronize_session=False)
    )


async def next_ready_at(tx: Tx, kind: Kind) -> datetime | None:
    """When the next lane becomes ready: how long a worker may sleep without a wake-up."""
    return await tx.db.scalar(_NEXT, {"a_kind": kind})
