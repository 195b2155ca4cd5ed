"""Lanes: ordered work per Address, claimed by lease (ADR 0002).

A lane row exists while an address may have work of one kind ("in": inbox, "out": outbox). Whoever
holds its lease works through the address's rows in order; different addresses run in parallel.
`bump` counts arrivals, so that work which comes in while a lane is being given up is not lost.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, cast

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
from sqlalchemy.orm import Mapped, mapped_column

from core.column_types import UtcDateTime
from core.db import Base, Tx, upsert_for
from core.statements import Statement

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


@dataclass(slots=True)
class Hold:
    """A lane in hand; None once it was given back."""

    lane: Lane | None

    async def release(self, tx: Tx) -> Lane | None:
        """What `lane` has to become when the transaction has ended well."""
        return None if self.lane is None else await release(tx, self.lane)


_TABLE = cast("Table", LaneRow.__table__)
_T = _TABLE.c
_HELD = and_(
    _T.kind == bindparam("a_kind"),
    _T.address_key == bindparam("an_address"),
    _T.lease_by == bindparam("a_worker"),
)
_FREE = or_(_T.lease_until.is_(None), _T.lease_until < bindparam("now", type_=UtcDateTime))
_BUMP = Statement(
    lambda dialect: (
        upsert_for(dialect, _TABLE)
        .inline()
        .on_conflict_do_update(index_elements=["kind", "address_key"], set_={"bump": _T.bump + 1})
    ),
    columns=("kind", "address_key", "ready_at", "bump"),
)
_CLAIM = Statement(
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
_GONE = Statement(delete(_TABLE).where(_HELD, _T.bump == bindparam("seen")))
_STILL = Statement(select(_T.bump).where(_HELD))
_BACK = Statement(
    update(_TABLE).where(_HELD).values(lease_until=None, lease_by=None, ready_at=bindparam("at"))
)
_RENEW = Statement(
    update(_TABLE)
    .where(_T.kind == bindparam("a_kind"), _T.lease_by == bindparam("a_worker"))
    .values(lease_until=bindparam("until"))
)
_NEXT = Statement(
    select(_T.ready_at)
    .where(_T.kind == bindparam("a_kind"), _T.lease_until.is_(None))
    .order_by(_T.ready_at)
    .limit(1)
)


async def bump(tx: Tx, kind: Kind, address_keys: Collection[str]) -> None:
    """Say that these addresses have work. A lane that backs off keeps its `ready_at`."""
    keys = sorted(set(address_keys))  # one lock order for everyone
    await tx.run_many(
        _BUMP,
        [{"kind": kind, "address_key": key, "ready_at": tx.now, "bump": 1} for key in keys],
    )


async def claim(
    tx: Tx, kind: Kind, *, worker: str, limit: int, lease: timedelta = LEASE
) -> list[Lane]:
    """Take up to `limit` lanes that are ready and free, longest ready first."""
    found = await tx.fetch(
        _CLAIM,
        {
            "a_kind": kind, "now": tx.now, "most": limit, "until": tx.now + lease,
            "a_worker": worker,
        },
    )  # fmt: skip
    return [Lane(kind, row.address_key, worker, row.bump) for row in found]


async def release(tx: Tx, lane: Lane) -> Lane | None:
    """Give a lane back. Work that came in meanwhile keeps it ours: then the lane as it is now."""
    mine = _mine(lane)
    if await tx.run(_GONE, {**mine, "seen": lane.bump}):
        return None
    for row in await tx.fetch(_STILL, mine):
        return replace(lane, bump=row.bump)
    return None  # the lease ran out and somebody else has it


async def put_off(tx: Tx, lane: Lane, ready_at: datetime) -> None:
    """Give a lane back with work left that shall wait until then."""
    await tx.run(_BACK, {**_mine(lane), "at": ready_at})


def _mine(lane: Lane) -> dict[str, str]:
    return {"a_kind": lane.kind, "an_address": lane.address_key, "a_worker": lane.worker}


async def renew(tx: Tx, kind: Kind, *, worker: str, lease: timedelta = LEASE) -> None:
    """Keep the lanes that this worker is still working through."""
    await tx.run(_RENEW, {"a_kind": kind, "a_worker": worker, "until": tx.now + lease})


async def free_all(tx: Tx) -> None:
    """End every lease. Only for a process that knows itself to be alone, at its start."""
    await tx.db.execute(
        update(LaneRow)
        .values(lease_until=None, lease_by=None)
        .execution_options(synchronize_session=False)
    )


async def next_ready_at(tx: Tx, kind: Kind) -> datetime | None:
    """When the next lane becomes ready: how long a worker may sleep without a wake-up."""
    for row in await tx.fetch(_NEXT, {"a_kind": kind}):
        return cast("datetime", row.ready_at)
    return None
