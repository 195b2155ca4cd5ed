"""Sessions that ended before this installation knew of them: from another system, or the demo.

Written in bulk as they would stand now. Nothing is announced: nobody has to act on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert

from core.content import Text
from core.conversations.models import ConversationRow, MessageRow, NoteRow
from core.conversations.queries import PREVIEW_CHARS
from core.conversations.threads import Thread
from core.conversations.window import opened
from core.customers.models import CustomerRow
from core.db import Base, Tx
from core.ids import id_at
from core.ratings.models import RatingRow
from core.sessions.models import SessionRow, SessionTagRow
from core.views import Delivery, Sender, ServiceMode, SessionState

_ROWS_AT_ONCE: Final = 400
_ANSWERS: Final = (Sender.BOT, Sender.SERVICER)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PastLine:
    """source: of a bot's answer, see `MessageRow`."""

    at: datetime
    sender: Sender
    text: str
    servicer_id: str | None = None
    source: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastRating:
    """score None: asked, and not answered."""

    at: datetime
    score: int | None = None
    reasons: Sequence[str] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class PastNote:
    at: datetime
    author_id: str
    author_name: str
    text: str


@dataclass(frozen=True, slots=True)
class PastService:
    """The part in which people had the session. servicer_id: who had it in the end."""

    queued_at: datetime
    assigned_at: datetime
    served_since: datetime
    servicer_id: str
    team_id: str | None
    because: str
    handoff_reason: str
    promised_wait_s: int
    category_id: str | None = None
    summary: str = ""
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PastSession:
    """service None: the bot had it alone. lines: in their order, the customer's first."""

    thread: Thread
    lines: Sequence[PastLine]
    closed_at: datetime
    close_reason: str
    service: PastService | None = None
    rating: PastRating | None = None
    note: PastNote | None = None


async def record(tx: Tx, sessions: Sequence[PastSession]) -> list[str]:
    """Returns their ids, in the order given. Ids tell when a session began, as always."""
    ids = {id(one): id_at(one.lines[0].at) for one in by_beginning(sessions)}
    keyed = [(ids[id(one)], one) for one in sessions]
    lines = [(line, key, one) for key, one in keyed for line in one.lines]
    lines.sort(key=lambda found: found[0].at)
    for one in sorted(sessions, key=lambda one: one.closed_at):
        _touch(one)
    await tx.flush()
    await _write(tx, SessionRow, [_session(key, one) for key, one in keyed])
    await _write(tx, MessageRow, [_message(*found) for found in lines])
    ratings = [_rating(key, one, one.rating) for key, one in keyed if one.rating]
    await _write(tx, RatingRow, ratings)
    notes = [_note(key, one, one.note) for key, one in keyed if one.note]
    await _write(tx, NoteRow, notes)
    tags = [(tag, key) for key, one in keyed if one.service for tag in one.service.tags]
    await _write(tx, SessionTagRow, [{"tag": tag, "session_id": key} for tag, key in tags])
    return [key for key, _ in keyed]


def by_beginning(sessions: Sequence[PastSession]) -> list[PastSession]:
    return sorted(sessions, key=lambda one: one.lines[0].at)


async def _write(tx: Tx, table: type[Base], rows: Sequence[Row]) -> None:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        await tx.db.execute(insert(table), rows[start : start + _ROWS_AT_ONCE])


def _touch(one: PastSession) -> None:
    """The thread as its newest session left it, its customer known since the first."""
    row: ConversationRow = one.thread.conversation
    customer: CustomerRow = one.thread.customer
    heard = max(line.at for line in one.lines if line.sender is Sender.CUSTOMER)
    ours = [line for line in one.lines if line.at > heard and line.sender in _ANSWERS]
    window = opened(one.thread.limits, heard).take(len(ours))
    row.window_left, row.window_until = window.left, window.until
    row.created_at = min(row.created_at, one.lines[0].at)
    customer.created_at = min(customer.created_at, one.lines[0].at)
    row.last_customer_at = heard
    row.last_message_at = one.lines[-1].at
    said = [line.text for line in one.lines if line.sender is Sender.CUSTOMER]
    row.last_customer_text = said[-1][:PREVIEW_CHARS]


def _session(key: str, one: PastSession) -> Row:
    asked = one.lines[0]
    row: Row = {
        "id": key,
        "conversation_id": one.thread.conversation.id,
        "account_id": one.thread.account.id,
        "customer_id": one.thread.customer.id,
        "state": SessionState.CLOSED,
        "mode": ServiceMode.CONSOLE,
        "opened_at": asked.at,
        "first_customer_at": asked.at,
        "topic": asked.text[:200],
        "closed_at": one.closed_at,
        "close_reason": one.close_reason,
        "lost_by": [],
        "tags": [],
    }
    return row | (_served(one, one.service) if one.service else _by_bot())


def _by_bot() -> Row:
    nothing = (
        "servicer_id", "team_id", "queued_at", "rank_at", "handed_off_at", "promised_wait_s",
        "assigned_at", "served_since", "first_response_at", "first_responder_id",
        "last_servicer_at", "category_id",
    )  # fmt: skip
    return dict.fromkeys(nothing) | {
        "route": "", "assigned_because": "", "handoff_reason": "", "summary": ""
    }  # fmt: skip


def _served(one: PastSession, service: PastService) -> Row:
    said = [line for line in one.lines if line.sender is Sender.SERVICER]
    return {
        "servicer_id": service.servicer_id,
        "team_id": service.team_id,
        "route": service.team_id or "",
        "queued_at": service.queued_at,
        "rank_at": service.queued_at,
        "handed_off_at": service.queued_at,
        "promised_wait_s": service.promised_wait_s,
        "assigned_at": service.assigned_at,
        "served_since": service.served_since,
        "first_response_at": said[0].at if said else None,
        "first_responder_id": said[0].servicer_id if said else None,
        "last_servicer_at": said[-1].at if said else None,
        "assigned_because": service.because,
        "handoff_reason": service.handoff_reason,
        "category_id": service.category_id,
        "summary": service.summary,
        "tags": list(service.tags),
    }


def _message(line: PastLine, key: str, one: PastSession) -> Row:
    is_heard = line.sender is Sender.CUSTOMER
    message_id = id_at(line.at)
    return {
        "id": message_id,
        "account_id": one.thread.account.id,
        "conversation_id": one.thread.conversation.id,
        "session_id": key,
        "vendor_id": f"past-{message_id}" if is_heard else None,
        "sender": line.sender,
        "servicer_id": line.servicer_id,
        "content": Text(text=line.text).model_dump(mode="json"),
        "text": line.text,
        "sent_at": line.at,
        "created_at": line.at,
        "delivery": Delivery.RECEIVED if is_heard else Delivery.SENT,
        "source": dict(line.source),
    }


def _rating(key: str, one: PastSession, rating: PastRating) -> Row:
    return {
        "id": id_at(rating.at),
        "session_id": key,
        "customer_id": one.thread.customer.id,
        "servicer_id": one.service.servicer_id if one.service else None,
        "score": rating.score,
        "reasons": list(rating.reasons),
        "comment": rating.comment,
        "requested_at": one.closed_at,
        "rated_at": None if rating.score is None else rating.at,
    }


def _note(key: str, one: PastSession, note: PastNote) -> Row:
    return {
        "id": id_at(note.at),
        "conversation_id": one.thread.conversation.id,
        "session_id": key,
        "author_id": note.author_id,
        "author_name": note.author_name,
        "text": note.text,
        "created_at": note.at,
    }
