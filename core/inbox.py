"""The inbox: an update is accepted once; rows not done are the queue after a crash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import (
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from core import lanes
from core.column_types import BigId
from core.db import Base, Tx, UnitOfWork, upsert_for
from core.errors import Conflict
from core.ports import CursorMove, InboxItem
from core.statements import Statement

#: Topic on which dispatchers sleep.
WAKE_TOPIC = "inbox"


class InboxRow(Base):
    __tablename__ = "inbox"
    __table_args__ = (
        Index(
            "ix_inbox_new",
            "address_key",
            "id",
            sqlite_where=text("state = 'new'"),
            postgresql_where=text("state = 'new'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    dedupe_key: Mapped[str] = mapped_column(String(255), unique=True)
    address_key: Mapped[str] = mapped_column(String(320))
    payload: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(8), default="new")
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(200), default="")
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(index=True)


class CursorRow(Base):
    """How far an adapter has read its platform."""

    __tablename__ = "channel_cursors"

    name: Mapped[str] = mapped_column(String(160), primary_key=True)
    value: Mapped[str] = mapped_column(String(256))
    updated_at: Mapped[datetime]


_TABLE = cast("Table", InboxRow.__table__)
_T = _TABLE.c
_INSERT = Statement(
    lambda dialect: (
        upsert_for(dialect, _TABLE)
        .inline()
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
        .returning(_T.address_key)
    ),
    columns=(
        "dedupe_key", "address_key", "payload", "state", "attempts", "error", "occurred_at",
        "received_at",
    ),
)  # fmt: skip
_PENDING = Statement(
    select(_T.id, _T.address_key, _T.payload, _T.attempts, _T.received_at)
    .where(_T.address_key == bindparam("an_address"), _T.state == literal_column("'new'"))
    .order_by(_T.id)
    .limit(bindparam("most", type_=Integer))
)
_SETTLE = Statement(
    update(_TABLE)
    .where(_T.id == bindparam("an_id"), _T.state == literal_column("'new'"))
    .values(state=bindparam("a_state"), error=bindparam("an_error"))
)


@dataclass(frozen=True, slots=True)
class PendingUpdate:
    inbox_id: int
    address_key: str
    payload: str
    attempts: int
    received_at: datetime


async def accept(tx: Tx, items: Sequence[InboxItem], cursor: CursorMove | None) -> int:
    """Store items once each, together with the cursor. Returns how many were new."""
    fresh = await _insert_new(tx, items) if items else []
    await lanes.bump(tx, "in", fresh)
    if fresh:
        tx.wake(WAKE_TOPIC)
    if cursor is not None:
        row = {"name": cursor.name, "value": cursor.value, "updated_at": tx.now}
        await tx.db.execute(
            tx.upsert(CursorRow)
            .values(row)
            .on_conflict_do_update(index_elements=["name"], set_=row)
        )
    return len(fresh)


async def _insert_new(tx: Tx, items: Sequence[InboxItem]) -> list[str]:
    unique = {item.dedupe_key: item for item in items}  # one platform page may repeat itself
    rows = [
        {
            "dedupe_key": item.dedupe_key,
            "address_key": item.address.key,
            "payload": item.payload,
            "state": "new",
            "attempts": 0,
            "error": "",
            "occurred_at": item.occurred_at,
            "received_at": tx.now,
        }
        for item in unique.values()
    ]
    return [row.address_key for row in await tx.fetch_many(_INSERT, rows)]


async def pending(tx: Tx, address_key: str, *, limit: int = 50) -> list[PendingUpdate]:
    """The address's updates that wait, oldest first."""
    rows = await tx.fetch(_PENDING, {"an_address": address_key, "most": limit})
    return [PendingUpdate(*row) for row in rows]


async def mark_done(tx: Tx, inbox_id: int) -> None:
    """End an update in the transaction of its effects.

    Raises: Conflict when another worker has ended it; the caller's effects then roll back.
    """
    await _settle(tx, inbox_id, state="done")


async def mark_failed(tx: Tx, inbox_id: int, error: str) -> None:
    """Give an update up; it stays for people to look at."""
    await _settle(tx, inbox_id, state="failed", error=error[:200])


async def note_attempt(tx: Tx, inbox_id: int, error: str) -> None:
    await tx.db.execute(
        update(InboxRow)
        .where(InboxRow.id == inbox_id)
        .values(attempts=InboxRow.attempts + 1, error=error[:200])
    )


async def _settle(tx: Tx, inbox_id: int, *, state: str, error: str = "") -> None:
    row = {"an_id": inbox_id, "a_state": state, "an_error": error}
    if await tx.run(_SETTLE, row) != 1:
        raise Conflict("update_already_done", inbox_id=inbox_id)


class DatabaseIntake:
    """The port `Intake` over the inbox table."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def accept(self, items: Sequence[InboxItem], *, cursor: CursorMove | None = None) -> int:
        async with self._uow.write() as tx:
            return await accept(tx, items, cursor)

    async def cursor(self, name: str) -> str | None:
        async with self._uow.read() as tx:
            return await tx.db.scalar(select(CursorRow.value).where(CursorRow.name == name))
