"""The outbox: what we owe to platforms, in order per Address, until they took it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from pydantic import TypeAdapter
from sqlalchemy import (
    Index,
    Integer,
    String,
    Table,
    bindparam,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from core import lanes
from core.content import Address
from core.db import Base, BigId, Tx
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
    """state: pending → sent | held (until the customer writes) | failed (dead letter)."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_pending",
            "address_key",
            "id",
            sqlite_where=text("state in ('pending', 'held')"),
            postgresql_where=text("state in ('pending', 'held')"),
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
    select(_T.id, _T.item_id, _T.item, _T.takes_slot, _T.attempts, _T.created_at)
    .where(_T.address_key == bindparam("an_address"), _T.state == literal_column("'pending'"))
    .order_by(_T.id)
    .limit(bindparam("most", type_=Integer))
)
_HELD = Statement(
    select(_T.item_id)
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


async def enqueue(
    tx: Tx,
    item_id: str,
    item: OutboundItem,
    *,
    takes_slot: bool = False,
    is_held: bool = False,
) -> None:
    """Owe `item` to its address. Callers ask the reply-window ledger first."""
    row = {
        "item_id": item_id,
        "address_key": item.address.key,
        "item": dump_item(item),
        "takes_slot": takes_slot,
        "state": "held" if is_held else "pending",
        "attempts": 0,
        "error": "",
        "created_at": tx.now,
    }
    await tx.run(_ENQUEUE, row)
    if not is_held:
        await _line_up(tx, item.address.key)


async def pending(tx: Tx, address_key: str, *, limit: int = 20) -> list[Parcel]:
    """What the address is owed now, oldest first."""
    rows = await tx.fetch(_PENDING, {"an_address": address_key, "most": limit})
    return [
        Parcel(
            row.id, row.item_id, load_item(row.item), row.takes_slot, row.attempts, row.created_at
        )
        for row in rows
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


async def held_ids(tx: Tx, address: Address, *, limit: int) -> list[str]:
    """The oldest held items of an address."""
    rows = await tx.fetch(_HELD, {"an_address": address.key, "most": limit})
    return [row.item_id for row in rows]


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
    await _line_up(tx, address.key)


async def _line_up(tx: Tx, address_key: str) -> None:
    await lanes.bump(tx, "out", [address_key])
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
