"""What a servicer says from the desk: messages, recalls, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select

from core.accounts.limits import AccountLimits
from core.actor import Actor
from core.content import Content, media_of
from core.conversations.models import MessageRow
from core.conversations.notes import add_note
from core.conversations.queries import get_message, message_view
from core.conversations.service import Speech, ask_recall, say
from core.conversations.threads import get_thread
from core.db import Tx
from core.errors import Conflict, Forbidden, Invalid
from core.permissions import Permission
from core.sessions.models import SessionRow
from core.sessions.moves import get_session, hold_session
from core.sessions.service import note_answered
from core.views import Delivery, MessageView, NoteView, Sender, ServiceMode, SessionState

#: Source: developer.work.weixin.qq.com/document/path/94677 (recall, 2 minutes)
RECALL_WITHIN = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Posting:
    """client_id: the desk's own id of this message within the session.

    Posting it twice gives the first result.
    """

    contents: Sequence[Content]
    client_id: str | None = None
    source: Mapping[str, str] = field(default_factory=dict)
    hold_if_closed: bool = False


async def post(tx: Tx, session_id: str, posting: Posting, *, by: Actor) -> list[MessageView]:
    """Answer the customer from the desk. Idempotent per session and `client_id`.

    Raises: Forbidden; Conflict (`native_mode`, `not_serving`); WindowClosed; Invalid
    (`file_too_large`, `no_files_here`).
    """
    row, thread = await hold_session(tx, session_id)
    if posting.client_id and (known := await _posted(tx, row, posting.client_id, by)):
        return known
    _check_may_write(row, by)
    for content in posting.contents:
        _check_size(content, thread.limits)
    views = await say(
        tx,
        thread,
        row.id,
        Speech(
            posting.contents,
            Sender.SERVICER,
            servicer_id=by.servicer_id,
            servicer_name=by.name,
            client_id=posting.client_id,
            source=posting.source,
            hold_if_closed=posting.hold_if_closed,
        ),
    )
    await note_answered(tx, row, by.servicer_id)
    return views


async def _posted(tx: Tx, row: SessionRow, client_id: str, by: Actor) -> list[MessageView]:
    """All parts of what was posted in this session under this id."""
    found = await tx.db.scalars(
        select(MessageRow)
        .where(MessageRow.session_id == row.id, MessageRow.client_id == client_id)
        .order_by(MessageRow.part)
    )
    return [
        message_view(part, by.name if part.servicer_id == by.servicer_id else "") for part in found
    ]


def _check_size(content: Content, limits: AccountLimits) -> None:
    """The channel would turn a file that it does not take into a line of text."""
    media, most = media_of(content), limits.max_file_bytes
    if media is None or most is None:
        return
    if not most:
        raise Invalid("no_files_here", field="content")
    if media.size is not None and media.size > most:
        raise Invalid("file_too_large", field="content", size=media.size, most=most)


def _check_may_write(row: SessionRow, by: Actor) -> None:
    by.require(Permission.SESSION_SERVE)
    if row.state != SessionState.SERVING:
        raise Conflict("not_serving", state=row.state)
    if row.servicer_id != by.servicer_id or by.servicer_id is None:
        raise Forbidden("not_my_session")
    if row.mode == ServiceMode.NATIVE:
        raise Conflict("native_mode")


async def recall(tx: Tx, message_id: str, *, by: Actor) -> MessageView:
    """Withdraw one's own message; the transcript changes when the platform has done it.

    Raises: NotFound, Forbidden, Invalid (`recall_too_late`, `recall_unsupported`).
    """
    row = await get_message(tx, message_id)
    if row.sender != Sender.SERVICER or row.servicer_id != by.servicer_id:
        raise Forbidden("not_my_message")
    thread = await get_thread(tx, row.conversation_id)
    if not thread.limits.can_recall:
        raise Invalid("recall_unsupported")
    if row.recalled_at is None:
        if tx.now - row.sent_at > RECALL_WITHIN:
            raise Invalid("recall_too_late", within_s=int(RECALL_WITHIN.total_seconds()))
        if row.delivery != Delivery.SENT:
            raise Conflict("not_sent_yet", delivery=row.delivery)
        await ask_recall(tx, thread, row)
    return message_view(row, by.name)


async def write_note(tx: Tx, session_id: str, text: str, *, by: Actor) -> NoteView:
    """An internal note; never reaches the customer."""
    by.require(Permission.SESSION_SERVE)
    row = await get_session(tx, session_id)
    thread = await get_thread(tx, row.conversation_id)
    return await add_note(tx, thread, row.id, text, author=(by.key, by.name))
