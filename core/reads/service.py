"""Marking what was read; marks only move forward."""

from __future__ import annotations

from sqlalchemy import select

from core.db import Tx
from core.reads.models import ReadMarkRow
from core.views import View


class ReadMarkView(View):
    conversation_id: str
    seq: int


async def mark(tx: Tx, *, user_id: str, conversation_id: str, seq: int) -> ReadMarkView:
    """Idempotent; an older mark than the stored one changes nothing."""
    wanted = tx.upsert(ReadMarkRow).values(
        user_id=user_id, conversation_id=conversation_id, seq=seq
    )
    await tx.db.execute(
        wanted.on_conflict_do_update(
            index_elements=[ReadMarkRow.user_id, ReadMarkRow.conversation_id],
            set_={"seq": wanted.excluded.seq},
            where=ReadMarkRow.seq < wanted.excluded.seq,
        )
    )
    query = select(ReadMarkRow.seq).where(
        ReadMarkRow.user_id == user_id, ReadMarkRow.conversation_id == conversation_id
    )
    return ReadMarkView(conversation_id=conversation_id, seq=await tx.db.scalar(query) or seq)


async def marks(tx: Tx, *, user_id: str, limit: int = 1000) -> list[ReadMarkView]:
    """This user's marks, those read furthest first."""
    query = (
        select(ReadMarkRow)
        .where(ReadMarkRow.user_id == user_id)
        .order_by(ReadMarkRow.seq.desc())
        .limit(limit)
    )
    return [
        ReadMarkView(conversation_id=row.conversation_id, seq=row.seq)
        for row in await tx.db.scalars(query)
    ]
