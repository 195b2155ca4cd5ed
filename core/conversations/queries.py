"""Reads of transcripts and notes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from sqlalchemy import select

from core.content import CONTENT, Content
from core.conversations.models import MessageRow, NoteRow
from core.db import Tx
from core.errors import NotFound
from core.servicers.models import ServicerRow
from core.settings.sections import Bot
from core.views import Delivery, MessageView, NoteView, Sender

#: Of what somebody said, in a list.
PREVIEW_CHARS: Final = 80
_LOOKED_BACK: Final = 10


def message_view(row: MessageRow, servicer_name: str = "") -> MessageView:
    return MessageView(
        id=row.id,
        seq=row.seq,
        conversation_id=row.conversation_id,
        session_id=row.session_id,
        sender=Sender(row.sender),
        servicer_id=row.servicer_id,
        servicer_name=servicer_name,
        content=CONTENT.validate_python(row.content),
        sent_at=row.sent_at,
        delivery=Delivery(row.delivery),
        failure=row.failure,
        recalled_at=row.recalled_at,
        client_id=row.client_id if row.part == 0 else None,
        source=row.source,
        joined_to=row.joined_to,
    )


async def get_message(tx: Tx, message_id: str) -> MessageRow:
    """Raises: NotFound."""
    row = await tx.db.scalar(select(MessageRow).where(MessageRow.id == message_id))
    if row is None:
        raise NotFound("message_not_found")
    return row


async def was_said(tx: Tx, session_id: str, text: str) -> bool:
    """Did the bot say exactly this in the session?"""
    found = await tx.db.scalar(
        select(MessageRow.seq)
        .where(
            MessageRow.session_id == session_id,
            MessageRow.sender == Sender.BOT,
            MessageRow.text == text,
        )
        .limit(1)
    )
    return found is not None


async def said_last(tx: Tx, session_id: str) -> str:
    """The customer's last words in a session; a mere call for people only if that is all."""
    calls = tx.settings.get(Bot).calls_for_people
    rows = await tx.db.scalars(
        select(MessageRow.text)
        .where(MessageRow.session_id == session_id, MessageRow.sender == Sender.CUSTOMER)
        .order_by(MessageRow.seq.desc())
        .limit(_LOOKED_BACK)
    )
    lines = list(rows)
    return next((line for line in lines if line not in calls), "".join(lines[:1]))[:PREVIEW_CHARS]


async def transcript(
    tx: Tx,
    conversation_id: str,
    *,
    session_id: str | None = None,
    before_seq: int | None = None,
    limit: int = 50,
) -> tuple[list[MessageView], bool]:
    """The newest `limit` messages before `before_seq`, ascending; and whether older ones exist.

    session_id: of this session only.
    """
    statement = (
        select(MessageRow, ServicerRow.name)
        .outerjoin(ServicerRow, ServicerRow.id == MessageRow.servicer_id)
        .where(MessageRow.conversation_id == conversation_id)
        .order_by(MessageRow.seq.desc())
        .limit(limit + 1)
    )
    if session_id is not None:
        statement = statement.where(MessageRow.session_id == session_id)
    if before_seq is not None:
        statement = statement.where(MessageRow.seq < before_seq)
    found = (await tx.db.execute(statement)).all()
    views = [message_view(item[0], item[1] or "") for item in found[:limit]]
    return views[::-1], len(found) > limit


async def since_last_words(tx: Tx, conversation_id: str) -> list[MessageView]:
    """What came after the customer's last line of text, newest first; 50 at most."""
    rows = await tx.db.scalars(
        select(MessageRow)
        .where(MessageRow.conversation_id == conversation_id)
        .order_by(MessageRow.seq.desc())
        .limit(50)
    )
    return list(takewhile(_is_not_words, map(message_view, rows)))


def _is_not_words(message: MessageView) -> bool:
    return message.sender is not Sender.CUSTOMER or message.content.type != "text"


async def contents_of(tx: Tx, message_ids: Sequence[str]) -> list[Content]:
    """What these messages say, in the order of the transcript; recalled ones are left out."""
    rows = await tx.db.scalars(
        select(MessageRow.content)
        .where(MessageRow.id.in_(message_ids), MessageRow.recalled_at.is_(None))
        .order_by(MessageRow.seq)
    )
    return [CONTENT.validate_python(one) for one in rows]


async def servicer_texts(tx: Tx, session_ids: Sequence[str]) -> dict[str, str]:
    """What people said in each of these sessions, one text; sessions without are left out."""
    rows = await tx.db.execute(
        select(MessageRow.session_id, MessageRow.text)
        .where(
            MessageRow.session_id.in_(session_ids),
            MessageRow.sender == Sender.SERVICER,
            MessageRow.recalled_at.is_(None),
            MessageRow.text != "",
        )
        .order_by(MessageRow.seq)
    )
    said: dict[str, list[str]] = {}
    for session_id, text in rows.all():
        said.setdefault(str(session_id), []).append(text)
    return {session_id: "\n".join(lines) for session_id, lines in said.items()}


async def notes(tx: Tx, conversation_id: str) -> list[NoteView]:
    rows = await tx.db.scalars(
        select(NoteRow).where(NoteRow.conversation_id == conversation_id).order_by(NoteRow.id)
    )
    return [note_view(row) for row in rows]


def note_view(row: NoteRow) -> NoteView:
    return NoteView.model_validate(row, from_attributes=True)
