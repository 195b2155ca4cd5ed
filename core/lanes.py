"""Lanes: ordered work per Address, claimed by lease (ADR 0002).

A lane row exists while an address may have work of one kind ("in": inbox, "out": outbox). Whoever
holds its lease works through the address's rows in order; different addresses run in parallel.
`bump` counts arrivals, so that work which comes in while a lane is being given up is not lost.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import Index, String, delete, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Tx

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


async def bump(tx: Tx, kind: Kind, address_keys: Collection[str]) -> None:
    """Say that these addresses have work. A lane that backs off keeps its `ready_at`."""
    if not address_keys:
        return
    rows = [
        {"kind": kind, "address_key": key, "ready_at": tx.now, "bump": 1}
        for key in sorted(set(address_keys))  # one lock order for everyone
    ]
    statement = tx.upsert(LaneRow).values(rows)
    await tx.db.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "address_key"], set_={"bump": LaneRow.bump + 1}
        )
    )


async def claim(
    tx: Tx, kind: Kind, *, worker: str, limit: int, lease: timedelta = LEASE
) -> list[Lane]:
    """Take up to `limit` lanes that are ready and free, longest ready first."""
    free = or_(LaneRow.lease_until.is_(None), LaneRow.lease_until < tx.now)
    candidates = (
        select(LaneRow.address_key)
        .where(LaneRow.kind == kind, LaneRow.ready_at <= tx.now, free)
        .order_by(LaneRow.ready_at)
        .limit(limit)
    )
    result = await tx.db.execute(
        update(LaneRow)
        .where(LaneRow.kind == kind, LaneRow.address_key.in_(candidates.scalar_subquery()), free)
        .values(lease_until=tx.now + lease, lease_by=worker)
        .returning(LaneRow.address_key, LaneRow.bump)
        .execution_options(synchronize_session=False)
    )
    return [Lane(kind, row.address_key, worker, row.bump) for row in result]


async def release(tx: Tx, lane: Lane, *, ready_at: datetime | None = None) -> None:
    """Give a lane back: gone when nothing came in meanwhile, else free to be claimed again.

    ready_at: there is work left that shall wait until then (a back-off).
    """
    held = (
        LaneRow.kind == lane.kind,
        LaneRow.address_key == lane.address_key,
        LaneRow.lease_by == lane.worker,
    )
    quiet = {"synchronize_session": False}
    if ready_at is None:
        gone = await tx.db.execute(
            delete(LaneRow).where(*held, LaneRow.bump == lane.bump).execution_options(**quiet)
        )
        if isinstance(gone, CursorResult) and gone.rowcount:
            return
    await tx.db.execute(
        update(LaneRow)
        .where(*held)
        .values(lease_until=None, lease_by=None, ready_at=ready_at or tx.now)
        .execution_options(**quiet)
    )


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
    return await tx.db.scalar(
        select(LaneRow.ready_at)
        .where(LaneRow.kind == kind, LaneRow.lease_until.is_(None))
        .order_by(LaneRow.ready_at)
        .limit(1)
    )
