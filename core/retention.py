"""Removing what is older than its keeping time, a batch at a time: each function is one batch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Select,
    Text,
    cast,
    delete,
    func,
    or_,
    select,
)

from core.actor import Actor
from core.attachments.models import AttachmentRow
from core.audit import service as audit
from core.audit.models import AuditRow
from core.conversations.models import MessageRow, NoteRow
from core.db import Base, Tx
from core.event_log import EventRow, ListenerCursor
from core.inbox import InboxRow
from core.outbox import OutboxRow
from core.sessions.models import SessionRow

BATCH: Final = 1000
_AUDIT_BATCH: Final = 10_000
_ATTACHMENT_ID: Final = re.compile(r"[0-9a-f]{64}")
#: Copies of what stands elsewhere: a mention here keeps no file.
_COPIES: Final = frozenset({"event_log", "inbox", "outbox"})


async def purge_events(tx: Tx, before: datetime) -> int:
    """Events that every listener has heard; not the newest: an empty table would count anew."""
    heard = select(func.min(ListenerCursor.event_id)).scalar_subquery()
    is_heard = or_(heard.is_(None), EventRow.id <= heard)
    newest = select(func.max(EventRow.id)).scalar_subquery()
    return await _remove(tx, EventRow.id, EventRow.at < before, is_heard, EventRow.id < newest)


async def purge_inbox(tx: Tx, before: datetime) -> int:
    return await _remove(tx, InboxRow.id, InboxRow.state == "done", InboxRow.received_at < before)


async def purge_outbox(tx: Tx, before: datetime) -> int:
    return await _remove(tx, OutboxRow.id, OutboxRow.state == "sent", OutboxRow.sent_at < before)


async def purge_messages(tx: Tx, before: datetime) -> int:
    """Messages and notes of sessions that are over."""
    messages = MessageRow.created_at < before, _is_over(MessageRow.session_id)
    notes = NoteRow.created_at < before, _is_over(NoteRow.session_id)
    return await _remove(tx, MessageRow.seq, *messages) + await _remove(tx, NoteRow.id, *notes)


async def purge_audit(tx: Tx, before: datetime) -> int:
    """The oldest records. A new one vouches for the end that was cut off, so the rest verifies."""
    oldest = select(AuditRow.id).where(AuditRow.at < before).order_by(AuditRow.id)
    last = max((await tx.db.scalars(oldest.limit(_AUDIT_BATCH))).all(), default=None)
    if last is None:
        return 0
    head = await tx.db.scalar(select(AuditRow.hash).where(AuditRow.id == last))
    facts = {"up_to": last, "head": head}
    await audit.append(tx, by=Actor.system("retention"), action=audit.PURGED, facts=facts)
    gone = await tx.db.execute(delete(AuditRow).where(AuditRow.id <= last).returning(AuditRow.id))
    return len(gone.all())


async def unused_attachments(tx: Tx, before: datetime) -> list[str]:
    """Files that came before then and that no row mentions; reads every row that could."""
    old = await tx.db.scalars(select(AttachmentRow.id).where(AttachmentRow.created_at < before))
    left = set(old)
    for query in _mentions():
        if not left:
            break
        async for text in await tx.db.stream_scalars(query):
            left.difference_update(_ATTACHMENT_ID.findall(text or ""))
    return sorted(left)


async def forget_attachment(tx: Tx, attachment_id: str, before: datetime) -> bool:
    """False when it came again meanwhile."""
    gone = await _remove(
        tx, AttachmentRow.id, AttachmentRow.id == attachment_id, AttachmentRow.created_at < before
    )
    return gone > 0


def _mentions() -> Iterator[Select[Any]]:
    """The contents of all columns that may name an attachment."""
    for table in Base.metadata.sorted_tables:
        if table.name in _COPIES:
            continue
        for column in table.columns:
            is_list = "attachment" in column.name
            if isinstance(column.type, JSON | Text):
                text: ColumnElement[str] = cast(column, Text)
                query = select(text)
                yield query if is_list else query.where(text.contains("attachment"))


def _is_over(session_id: Any) -> ColumnElement[bool]:
    is_closed = select(SessionRow.id).where(
        SessionRow.id == session_id, SessionRow.state == "closed"
    )
    return or_(session_id.is_(None), is_closed.exists())


async def _remove(tx: Tx, key: Any, *conditions: ColumnElement[bool]) -> int:
    table: Column[Any] = key
    oldest = select(key).where(*conditions).order_by(key).limit(BATCH)
    gone = await tx.db.execute(
        delete(key.class_)
        .where(table.in_(oldest))
        .returning(key)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
