"""The outbox: what we owe to platforms, in order per Address, until they took it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, Literal, cast

from pydantic import TypeAdapter
from sqlalchemy import (
    Index,
    Integer,
    String,
    Table,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.column_types import BigId
from core.content import Address
from core.db import Base, Tx
from core.errors import Conflict
from core.ports import (
    CardMessage,
    CardUpdate,
    HandoverCommand,
    OutboundItem,
    OutboundMessage,
    RecallCommand,
)
from core.statements import Statement

#: Topic on which senders sleep.
WAKE_TOPIC = "outbox"

#: Stored items name their class, so that reading one back never guesses.
_KINDS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (OutboundMessage, HandoverCommand, RecallCommand, CardMessage, CardUpdate)
}


class OutboxRow(Base):
    """state: pending → sent | held (until the customer writes) | failed (dead letter).

    A line that waits for a further one to be joined with is `waiting`, then pending. Nothing that
    was owed after it goes before it, and no sender has it in hand.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_pending",
            "address_key",
            "id",
            sqlite_where=text("state in ('pending', 'held', 'waiting')"),
            postgresql_where=text("state in ('pending', 'held', 'waiting')"),
        ),
        Index("ix_outbox_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    item_id: Mapped[str] = mapped_column(String(32), unique=True)
    address_key: Mapped[str] = mapped_column(String(320))
    item: Mapped[dict[str, Any]]
    #: Plain messages count against the reply window; commands and coded messages do not.
    takes_slot: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(8), default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


_TABLE = cast("Table", OutboxRow.__table__)
_T = _TABLE.c
_ENQUEUE = Statement(
    insert(_TABLE).inline(),
    columns=(
        "item_id", "address_key", "item", "takes_slot", "state", "attempts", "error", "created_at",
    ),
)  # fmt: skip
_PENDING = Statement(
    select(_T.id, _T.item_id, _T.item, _T.takes_slot, _T.attempts, _T.created_at, _T.state)
    .where(
        _T.address_key == bindparam("an_address"),
        _T.state.in_((literal_column("'pending'"), literal_column("'waiting'"))),
    )
    .order_by(_T.id)
    .limit(bindparam("most", type_=Integer))
)
_HELD = Statement(
    select(_T.id, _T.item_id, _T.item)
    .where(_T.address_key == bindparam("an_address"), _T.state == literal_column("'held'"))
    .order_by(_T.id)
    .limit(bindparam("most", type_=Integer))
)
_SETTLE = Statement(
    update(_TABLE)
    .where(_T.id == bindparam("an_id"), _T.state == literal_column("'pending'"))
    .values(state=bindparam("a_state"), error=bindparam("an_error"), sent_at=bindparam("sent"))
)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One outbox row as the sender sees it."""

    outbox_id: int
    item_id: str
    item: OutboundItem
    takes_slot: bool
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that no sender has in hand: it is held, or waits for a further line."""

    outbox_id: int
    message: OutboundMessage


State = Literal["pending", "held", "waiting"]


async def enqueue(
    tx: Tx,
    item_id: str,
    item: OutboundItem,
    *,
    takes_slot: bool = False,
    state: State = "pending",
) -> None:
    """Owe `item` to its address. Callers ask the reply-window ledger first."""
    row = {
        "item_id": item_id,
        "address_key": item.address.key,
        "item": dump_item(item),
        "takes_slot": takes_slot,
        "state": state,
        "attempts": 0,
        "error": "",
        "created_at": tx.now,
    }
    await tx.run(_ENQUEUE, row)
    if state == "pending":
        _line_up(tx, item.address.key)


async def pending(tx: Tx, address_key: str, *, limit: int = 20) -> list[Parcel]:
    """What the address is owed now, oldest first."""
    rows = await tx.fetch(_PENDING, {"an_address": address_key, "most": limit})
    return [
        Parcel(
            row.id, row.item_id, load_item(row.item), row.takes_slot, row.attempts, row.created_at
        )
        for row in takewhile(lambda one: one.state == "pending", rows)
    ]


async def settle(tx: Tx, parcel: Parcel, state: str, *, error: str = "") -> None:
    """Record how a parcel ended ("sent", "held" or "failed").

    Raises: Conflict when another sender has settled it.
    """
    row = {
        "an_id": parcel.outbox_id,
        "a_state": state,
        "an_error": error[:200],
        "sent": tx.now if state == "sent" else None,
    }
    if await tx.run(_SETTLE, row) != 1:
        raise Conflict("parcel_already_settled", item_id=parcel.item_id)


async def note_attempt(tx: Tx, parcel: Parcel, error: str) -> None:
    await tx.db.execute(
        update(OutboxRow)
        .where(OutboxRow.id == parcel.outbox_id)
        .values(attempts=OutboxRow.attempts + 1, error=error[:200])
    )


async def held(tx: Tx, address: Address, *, limit: int) -> list[Kept]:
    """The oldest held messages of an address."""
    rows = await tx.fetch(_HELD, {"an_address": address.key, "most": limit})
    return [
        Kept(row.id, item)
        for row in rows
        if isinstance(item := load_item(row.item), OutboundMessage)
    ]


async def resume(tx: Tx, address: Address, item_ids: list[str]) -> None:
    """Put held (or failed) items back in line."""
    if not item_ids:
        return
    await tx.db.execute(
        update(OutboxRow)
        .where(OutboxRow.item_id.in_(item_ids), OutboxRow.state.in_(("held", "failed")))
        .values(state="pending", attempts=0, error="")
        .execution_options(synchronize_session=False)
    )
    _line_up(tx, address.key)


async def newest_waiting(tx: Tx, address: Address) -> Kept | None:
    """The line that waits for a further one, locked; None when something was owed after it."""
    row = await tx.db.scalar(
        select(OutboxRow)
        .where(OutboxRow.address_key == address.key, OutboxRow.state.in_(("pending", "waiting")))
        .order_by(OutboxRow.id.desc())
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or row.state != "waiting":
        return None
    item = load_item(row.item)
    return Kept(row.id, item) if isinstance(item, OutboundMessage) else None


async def is_stuck(tx: Tx, address: Address) -> bool:
    """Does something for this address wait for the platform to take it?"""
    found = await tx.db.scalar(
        select(OutboxRow.id)
        .where(
            OutboxRow.address_key == address.key,
            OutboxRow.state == "pending",
            OutboxRow.attempts > 0,
        )
        .limit(1)
    )
    return found is not None


async def rewrite(tx: Tx, kept: Kept, absorbed: Sequence[int] = ()) -> None:
    """Put a message that is kept into other words; rows that it took along are gone."""
    await tx.db.execute(
        update(OutboxRow)
        .where(OutboxRow.id == kept.outbox_id)
        .values(item=dump_item(kept.message))
        .execution_options(synchronize_session=False)
    )
    if absorbed:
        await tx.db.execute(
            delete(OutboxRow)
            .where(OutboxRow.id.in_(absorbed))
            .execution_options(synchronize_session=False)
        )


async def send_waiting(tx: Tx, address: Address) -> list[datetime]:
    """Lines that wait go now. Returns when they were said."""
    rows = await tx.db.scalars(
        update(OutboxRow)
        .where(OutboxRow.address_key == address.key, OutboxRow.state == "waiting")
        .values(state="pending")
        .returning(OutboxRow.created_at)
        .execution_options(synchronize_session=False)
    )
    said = list(rows)
    if said:
        _line_up(tx, address.key)
    return said


async def carried(tx: Tx, message_id: str) -> tuple[str, ...]:
    """The messages whose lines went with this one; empty for any other."""
    item = await tx.db.scalar(select(OutboxRow.item).where(OutboxRow.item_id == message_id))
    return tuple(item.get("also", ())) if item else ()


async def count_slot(tx: Tx, parcel: Parcel) -> None:
    """It went as an ordinary message after all."""
    await tx.db.execute(
        update(OutboxRow)
        .where(OutboxRow.id == parcel.outbox_id)
        .values(takes_slot=True)
        .execution_options(synchronize_session=False)
    )


def _line_up(tx: Tx, address_key: str) -> None:
    tx.line_up(address_key)
    tx.wake(WAKE_TOPIC)


def dump_item(item: OutboundItem) -> dict[str, Any]:
    """An item as JSON that names its class; `load_item` reads it back."""
    kind = type(item).__name__
    stored: dict[str, Any] = _KINDS[kind].dump_python(item, mode="json")
    return stored | {"kind": kind}


def load_item(stored: dict[str, Any]) -> OutboundItem:
    fields = {name: value for name, value in stored.items() if name != "kind"}
    item: OutboundItem = _KINDS[stored["kind"]].validate_python(fields)
    return item
