"""Files that came with messages: fetched after the message, kept beside it."""

from __future__ import annotations

from sqlalchemy import select

from core.content import Content, media_of, plain_text
from core.conversations.models import MessageRow
from core.conversations.queries import message_view
from core.db import Tx
from core.events import MediaStored


def has_file(content: Content) -> bool:
    """Does the message carry a file that we do not have yet?"""
    media = media_of(content)
    return media is not None and media.attachment_id is None and media.vendor_ref is not None


async def keep_media(tx: Tx, message_id: str, content: Content) -> None:
    """The file of a message was fetched and stored: its content now names our copy."""
    row = await tx.db.scalar(select(MessageRow).where(MessageRow.id == message_id))
    if row is None:
        return
    row.content = content.model_dump(mode="json")
    row.text = plain_text(content)
    await tx.db.flush()
    tx.emit(MediaStored(message=message_view(row)))


async def fail_media(tx: Tx, message_id: str, code: str) -> None:
    """The file of a message could not be had; the desk says why."""
    row = await tx.db.scalar(select(MessageRow).where(MessageRow.id == message_id))
    if row is not None:
        row.failure = code[:64]
        await tx.db.flush()
        tx.emit(MediaStored(message=message_view(row)))
