"""Marking what was read; marks only move forward."""

from __future__ import annotations

from sqlalchemy import func, select

from core.conversations.models import MessageRow
from core.db import Tx
from core.reads.models import ReadMarkRow
from core.views import Sender, View


class ReadMarkView(View):
    conversation_id: str
    seq: int
    #: What the customer has said since.
    unread: int = 0


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
    later = (
        select(func.count())
        .where(
            MessageRow.conversation_id == ReadMarkRow.conversation_id,
            MessageRow.seq > ReadMarkRow.seq,
            MessageRow.sender == Sender.CUSTOMER,
        )
        .scalar_subquery()
    )
    query = (
        select(ReadMarkRow.conversation_id, ReadMarkRow.seq, later)
        .where(ReadMarkRow.user_id == user_id)
        .order_by(ReadMarkRow.seq.desc())
        .limit(limit)
    )
    return [
        ReadMarkView(conversation_id=row[0], seq=row[1], unread=row[2])
        for row in await tx.db.execute(query)
    ]
