"""Answers to creating requests, kept by the client's `Idempotency-Key` for a day.

The key is claimed and the answer stored in the transaction of the work itself: a repeated request
either finds the first answer or finds nothing done.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import String, Text, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Tx
from core.errors import Conflict

KEPT_FOR: Final = timedelta(days=1)


class IdempotencyRow(Base):
    __tablename__ = "idempotency_keys"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)  # hash of user, route and key
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(default=0)
    body: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Claim:
    """fingerprint: hash of the request's body."""

    id: str
    fingerprint: str


def claim_for(user_id: str, route: str, key: str, body: bytes) -> Claim:
    name = "\x00".join((user_id, route, key))
    return Claim(
        hashlib.sha256(name.encode(errors="replace")).hexdigest(),
        hashlib.sha256(body).hexdigest(),
    )


async def claim(tx: Tx, wanted: Claim) -> Answer | None:
    """The answer given before, or None: then the work is yours, and `keep` must follow.

    Raises: Conflict `idempotency_mismatch` when the key was used for another body.
    """
    await tx.db.execute(
        delete(IdempotencyRow).where(IdempotencyRow.created_at < tx.now - KEPT_FOR)
    )
    made = await tx.db.execute(
        tx.upsert(IdempotencyRow)
        .values(id=wanted.id, fingerprint=wanted.fingerprint, status=0, body="", created_at=tx.now)
        .on_conflict_do_nothing()
        .returning(IdempotencyRow.id)
    )
    if made.first() is not None:
        return None
    query = select(IdempotencyRow).where(IdempotencyRow.id == wanted.id)
    row = (await tx.db.scalars(query)).one()
    if row.fingerprint != wanted.fingerprint:
        raise Conflict("idempotency_mismatch")
    return Answer(row.status, row.body)


async def keep(tx: Tx, wanted: Claim, answer: Answer) -> None:
    await tx.db.execute(
        update(IdempotencyRow)
        .where(IdempotencyRow.id == wanted.id)
        .values(status=answer.status, body=answer.body)
    )
