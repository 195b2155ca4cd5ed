"""Reads of sessions: one joined query per list, keyset pages, the queue in its order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    Row,
    Select,
    and_,
    bindparam,
    literal_column,
    or_,
    select,
)

from core.accounts.models import AccountRow
from core.actor import Actor
from core.content import Address
from core.conversations.models import ConversationRow
from core.conversations.threads import Thread
from core.conversations.window import Window
from core.customers.models import CustomerRow, InstitutionRow
from core.db import Tx
from core.errors import NotFound
from core.paging import Page, decode_cursor, page_of
from core.ratings.models import RatingRow
from core.servicers.models import ServicerRow
from core.sessions.models import SessionRow, SessionTagRow
from core.settings import reception
from core.settings.reception import Reception
from core.statements import Statement
from core.tickets.models import TicketCategoryRow
from core.views import ServiceMode, SessionState, SessionView

ListName = Literal["queue", "mine", "open", "all"]


@dataclass(frozen=True, slots=True)
class Filters:
    """since, until: when a person was first given the session."""

    state: SessionState | None = None
    servicer_id: str | None = None
    account_id: str | None = None
    customer_id: str | None = None
    category_id: str | None = None
    team_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    tag: str = ""
    q: str = ""


def select_views() -> Select[*tuple[Any, ...]]:
    columns: tuple[Any, ...] = (
        SessionRow,
        ConversationRow,
        AccountRow.name,
        CustomerRow.name,
        CustomerRow.avatar_url,
        InstitutionRow.name,
        ServicerRow.name,
        RatingRow.score,
        TicketCategoryRow.name,
    )
    statement: Select[*tuple[Any, ...]] = select(*columns)
    return (
        statement.join(ConversationRow, ConversationRow.id == SessionRow.conversation_id)
        .join(AccountRow, AccountRow.id == SessionRow.account_id)
        .join(CustomerRow, CustomerRow.id == SessionRow.customer_id)
        .outerjoin(InstitutionRow, InstitutionRow.id == CustomerRow.institution_id)
        .outerjoin(ServicerRow, ServicerRow.id == SessionRow.servicer_id)
        .outerjoin(RatingRow, RatingRow.session_id == SessionRow.id)
        .outerjoin(TicketCategoryRow, TicketCategoryRow.id == SessionRow.category_id)
    )


def view_of(found: Row[*tuple[Any, ...]], tx: Tx) -> SessionView:
    row: SessionRow = found[0]
    conversation: ConversationRow = found[1]
    window = Window(conversation.window_left, conversation.window_until)
    return SessionView(
        id=row.id,
        conversation_id=row.conversation_id,
        account_id=row.account_id,
        account_name=found[2],
        customer_id=row.customer_id,
        customer_name=found[3],
        customer_avatar_url=found[4],
        institution_name=found[5] or "",
        state=SessionState(row.state),
        mode=ServiceMode(row.mode),
        servicer_id=row.servicer_id,
        servicer_name=found[6] or "",
        team_id=row.team_id,
        opened_at=row.opened_at,
        queued_at=row.queued_at,
        assigned_at=row.assigned_at,
        first_response_at=row.first_response_at,
        closed_at=row.closed_at,
        close_reason=row.close_reason,
        waiting_since=row.waiting_since,
        last_customer_text=conversation.last_customer_text,
        last_message_at=conversation.last_message_at,
        topic=row.topic,
        handoff_reason=row.handoff_reason,
        assigned_because=row.assigned_because,
        window=window.view(tx.now, tx.settings.get(reception.Window)),
        rating_score=found[7],
        summary=row.summary,
        category_id=row.category_id,
        category_name=found[8] or "",
        tags=tuple(row.tags),
        version=row.version,
    )


#: Built once: building it costs more than running it.
_BY_ID = select_views().where(SessionRow.id == bindparam("wanted"))


async def session_view(tx: Tx, session_id: str) -> SessionView:
    """Raises: NotFound."""
    await tx.db.flush()
    found = (await tx.db.execute(_BY_ID, {"wanted": session_id})).first()
    if found is None:
        raise NotFound("session_not_found")
    return view_of(found, tx)


_OPEN_SESSION = select(SessionRow).where(
    SessionRow.conversation_id == bindparam("wanted"),
    SessionRow.state != literal_column("'closed'"),
)


_THREAD_AND_SESSION: Select[ConversationRow, AccountRow, CustomerRow, SessionRow | None] = (
    select(ConversationRow, AccountRow, CustomerRow, SessionRow)
    .join(AccountRow, AccountRow.id == ConversationRow.account_id)
    .join(CustomerRow, CustomerRow.id == ConversationRow.customer_id)
    .outerjoin(
        SessionRow,
        and_(
            SessionRow.conversation_id == ConversationRow.id,
            SessionRow.state != literal_column("'closed'"),
        ),
    )
    .where(ConversationRow.address_key == bindparam("wanted"))
)


async def find_thread_and_session(
    tx: Tx, address: Address
) -> tuple[Thread, SessionRow | None] | None:
    """A thread with its open session, in one query; None when it is not begun."""
    found = (await tx.db.execute(_THREAD_AND_SESSION, {"wanted": address.key})).first()
    return (Thread(found[0], found[1], found[2]), found[3]) if found else None


async def open_session_of(tx: Tx, conversation_id: str) -> SessionRow | None:
    """The conversation's open session, if it has one (at most one, by a unique index)."""
    return await tx.db.scalar(_OPEN_SESSION, {"wanted": conversation_id})


async def latest_session_of(tx: Tx, conversation_id: str) -> SessionRow | None:
    return await tx.db.scalar(
        select(SessionRow)
        .where(SessionRow.conversation_id == conversation_id)
        .order_by(SessionRow.id.desc())
        .limit(1)
    )


async def list_sessions(
    tx: Tx,
    *,
    by: Actor,
    view: ListName = "all",
    filters: Filters | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[SessionView]:
    """A page of sessions: the queue in its order, everything else newest first."""
    statement = _filtered(select_views(), filters or Filters())
    if view == "queue":
        rows = (await tx.db.execute(in_queue_order(statement).limit(limit))).all()
        return Page(tuple(view_of(found, tx) for found in rows))
    if view == "mine":
        statement = statement.where(
            SessionRow.servicer_id == (by.servicer_id or ""),
            SessionRow.state == SessionState.SERVING,
        )
    elif view == "open":
        statement = statement.where(SessionRow.state != SessionState.CLOSED)
    if cursor:
        opened_at, last_id = decode_cursor(cursor, datetime, str)
        statement = statement.where(
            or_(
                SessionRow.opened_at < opened_at,
                and_(SessionRow.opened_at == opened_at, SessionRow.id < last_id),
            )
        )
    statement = statement.order_by(SessionRow.opened_at.desc(), SessionRow.id.desc())
    rows = (await tx.db.execute(statement.limit(limit + 1))).all()
    views = [view_of(found, tx) for found in rows]
    return page_of(views, limit, lambda one: (one.opened_at, one.id))


def _filtered(statement: Select[*tuple[Any, ...]], filters: Filters) -> Select[*tuple[Any, ...]]:
    for column, wanted in (
        (SessionRow.state, filters.state),
        (SessionRow.servicer_id, filters.servicer_id),
        (SessionRow.account_id, filters.account_id),
        (SessionRow.customer_id, filters.customer_id),
        (SessionRow.category_id, filters.category_id),
        (SessionRow.team_id, filters.team_id),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if filters.since is not None:
        statement = statement.where(SessionRow.assigned_at >= filters.since)
    if filters.until is not None:
        statement = statement.where(SessionRow.assigned_at < filters.until)
    if filters.tag:
        statement = statement.join(SessionTagRow, SessionTagRow.session_id == SessionRow.id)
        statement = statement.where(SessionTagRow.tag == filters.tag)
    if filters.q:
        statement = statement.where(
            or_(
                CustomerRow.name.contains(filters.q, autoescape=True),
                InstitutionRow.name.contains(filters.q, autoescape=True),
                SessionRow.topic.contains(filters.q, autoescape=True),
                SessionRow.summary.contains(filters.q, autoescape=True),
            )
        )
    return statement


def in_queue_order(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Who has waited longest, a priority counting as time; ids break ties for ever the same."""
    return statement.where(SessionRow.state == SessionState.QUEUED).order_by(
        SessionRow.rank_at, SessionRow.id
    )


async def last_servicer_of(tx: Tx, row: SessionRow) -> str | None:
    """Who served this customer last, as long as that counts."""
    words = tx.settings.get(Reception)
    if not words.last_servicer_first:
        return None
    since = tx.now - timedelta(seconds=words.last_servicer_within_s)
    facts = {"a_customer": row.customer_id, "this": row.id, "since": since}
    await tx.flush()
    rows = await tx.fetch(_LAST_SERVICER, facts)
    return rows[0].servicer_id if rows else None


_LAST_SERVICER = Statement(
    select(SessionRow.servicer_id)
    .where(
        SessionRow.customer_id == bindparam("a_customer"),
        SessionRow.id != bindparam("this"),
        SessionRow.servicer_id.is_not(None),
        SessionRow.closed_at >= bindparam("since"),
    )
    .order_by(SessionRow.closed_at.desc())
    .limit(1)
)
