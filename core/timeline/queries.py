"""A customer's history on one line: sessions, tickets, ratings, files; newest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, select

from core.conversations.models import ConversationRow, MessageRow
from core.db import Tx
from core.paging import Page, decode_cursor, page_of
from core.ratings.models import RatingRow
from core.sessions.models import SessionRow
from core.tickets.models import TicketRow
from core.views import View

MAX_LIMIT = 200


class TimelineKind(StrEnum):
    SESSION = "session"
    TICKET = "ticket"
    RATING = "rating"
    FILE = "file"


class TimelineItem(View):
    """id: of the session, ticket, rating or message. text: what a list shows."""

    kind: TimelineKind
    id: str
    at: datetime
    text: str = ""
    state: str = ""
    score: int | None = None


async def of_customer(
    tx: Tx,
    customer_id: str,
    *,
    kinds: tuple[TimelineKind, ...] = tuple(TimelineKind),
    cursor: str | None = None,
    limit: int = 50,
) -> Page[TimelineItem]:
    """Each kind is walked down its own index by at most one page; the newest of all are shown."""
    limit = max(1, min(limit, MAX_LIMIT))
    before = decode_cursor(cursor, datetime, str) if cursor else None
    found: list[TimelineItem] = []
    for kind in kinds:
        query = _WALKS[kind](customer_id)
        at, key = query.selected_columns.at, query.selected_columns.id
        if before is not None:
            query = query.where((at < before[0]) | ((at == before[0]) & (key < before[1])))
        rows = await tx.db.execute(query.order_by(at.desc(), key.desc()).limit(limit + 1))
        found += [
            TimelineItem.model_validate({"kind": kind} | dict(row)) for row in rows.mappings()
        ]
    found.sort(key=lambda item: (item.at, item.id), reverse=True)
    return page_of(found, limit, lambda item: (item.at, item.id))


def _sessions(customer_id: str) -> Select[*tuple[object, ...]]:
    return select(
        SessionRow.id,
        SessionRow.opened_at.label("at"),
        SessionRow.topic.label("text"),
        SessionRow.state,
    ).where(SessionRow.customer_id == customer_id)


def _tickets(customer_id: str) -> Select[*tuple[object, ...]]:
    shown = (TicketRow.number + " " + TicketRow.title).label("text")
    return select(TicketRow.id, TicketRow.created_at.label("at"), shown, TicketRow.state).where(
        TicketRow.customer_id == customer_id
    )


def _ratings(customer_id: str) -> Select[*tuple[object, ...]]:
    return select(
        RatingRow.id,
        RatingRow.rated_at.label("at"),
        RatingRow.comment.label("text"),
        RatingRow.score,
    ).where(RatingRow.customer_id == customer_id, RatingRow.rated_at.is_not(None))


def _files(customer_id: str) -> Select[*tuple[object, ...]]:
    kinds = MessageRow.content["type"].as_string().in_(("image", "file", "video", "voice"))
    return (
        select(MessageRow.id, MessageRow.created_at.label("at"), MessageRow.text)
        .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
        .where(ConversationRow.customer_id == customer_id, kinds)
    )


_WALKS: Mapping[TimelineKind, Callable[[str], Select[*tuple[object, ...]]]] = {
    TimelineKind.SESSION: _sessions,
    TimelineKind.TICKET: _tickets,
    TimelineKind.RATING: _ratings,
    TimelineKind.FILE: _files,
}
