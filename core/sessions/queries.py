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
    case,
    func,
    literal_column,
    or_,
    select,
    true,
)

from core.accounts.models import AccountRow
from core.actor import Actor
from core.assignment.queries import Slots, slots
from core.content import Address
from core.conversations.models import ConversationRow
from core.conversations.threads import Thread
from core.conversations.window import Window
from core.customers.models import CustomerRow, InstitutionRow
from core.db import Tx
from core.errors import NotFound
from core.paging import Page, decode_cursor, page_of
from core.queues.estimate import expected_wait
from core.ratings.models import RatingRow
from core.servicers.models import ServicerRow
from core.sessions.models import SessionRow, SessionTagRow
from core.settings import reception
from core.settings.reception import Reception
from core.tickets.models import TicketCategoryRow
from core.views import ServiceMode, SessionState, SessionView, View

ListName = Literal["queue", "mine", "open", "all"]
#: Service time is measured over the sessions closed most recently.
_MEASURED_SESSIONS = 200


class QueueItem(View):
    """position: from 1, among those who wait for the same people.

    expected_wait_s None: nobody is there to serve. promised_wait_s: what the customer was told
    on entering, if anything; with nobody there, when they may leave a message instead.
    """

    session: SessionView
    position: int
    waiting_s: int
    expected_wait_s: int | None
    promised_wait_s: int | None


class QueueBoard(View):
    items: tuple[QueueItem, ...]
    servicers_online: int
    free_slots: int


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


def _select() -> Select[*tuple[Any, ...]]:
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


def _view(found: Row[*tuple[Any, ...]], tx: Tx) -> SessionView:
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
        last_message_text=conversation.last_message_text,
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
_BY_ID = _select().where(SessionRow.id == bindparam("wanted"))


async def session_view(tx: Tx, session_id: str) -> SessionView:
    """Raises: NotFound."""
    await tx.db.flush()
    found = (await tx.db.execute(_BY_ID, {"wanted": session_id})).first()
    if found is None:
        raise NotFound("session_not_found")
    return _view(found, tx)


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
    statement = _filtered(_select(), filters or Filters())
    if view == "queue":
        rows = (await tx.db.execute(_in_queue_order(statement).limit(limit))).all()
        return Page(tuple(_view(found, tx) for found in rows))
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
    views = [_view(found, tx) for found in rows]
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


def _in_queue_order(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Who has waited longest, a priority counting as time; ids break ties for ever the same."""
    return statement.where(SessionRow.state == SessionState.QUEUED).order_by(
        SessionRow.rank_at, SessionRow.id
    )


#: Sessions that wait for the same people stand in one queue: of one route, served in one way.
#: Inside the platform's client people differ from account to account.
OWN_QUEUE = (
    SessionRow.mode,
    SessionRow.route,
    case((SessionRow.mode == ServiceMode.NATIVE, SessionRow.account_id), else_=""),
)


async def somebody_waits(tx: Tx, *, besides: SessionRow) -> bool:
    """In any queue."""
    found = await tx.db.scalar(
        select(SessionRow.id)
        .where(SessionRow.state == SessionState.QUEUED, SessionRow.id != besides.id)
        .limit(1)
    )
    return found is not None


async def queue_position(tx: Tx, row: SessionRow) -> int:
    """From 1. How many of those who wait for the same people are served before, plus one."""
    same_account = SessionRow.account_id == row.account_id
    ahead = await tx.db.scalar(
        select(func.count())
        .select_from(SessionRow)
        .where(
            SessionRow.state == SessionState.QUEUED,
            SessionRow.id != row.id,
            SessionRow.mode == row.mode,
            SessionRow.route == row.route,
            same_account if row.mode == ServiceMode.NATIVE else true(),
            or_(
                SessionRow.rank_at < row.rank_at,
                and_(SessionRow.rank_at == row.rank_at, SessionRow.id < row.id),
            ),
        )
    )
    return (ahead or 0) + 1


async def waiting_count(tx: Tx) -> int:
    """How many sessions wait for a person."""
    waiting = select(func.count()).select_from(SessionRow)
    return await tx.db.scalar(waiting.where(SessionRow.state == SessionState.QUEUED)) or 0


async def last_servicer_of(tx: Tx, row: SessionRow) -> str | None:
    """Who served this customer last, as long as that counts."""
    words = tx.settings.get(Reception)
    if not words.last_servicer_first:
        return None
    since = tx.now - timedelta(seconds=words.last_servicer_within_s)
    facts = {"a_customer": row.customer_id, "this": row.id, "since": since}
    return await tx.db.scalar(_LAST_SERVICER, facts)


_LAST_SERVICER = (
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


async def slots_for(tx: Tx, row: SessionRow) -> Slots:
    """The capacity of the people whom this session waits for."""
    teams = [one for one in row.route.split(",") if one]
    is_native = row.mode == ServiceMode.NATIVE
    return await slots(tx, teams, native_account=row.account_id if is_native else None)


async def promised_wait(tx: Tx, row: SessionRow, position: int) -> int | None:
    """Seconds that we tell whoever stands at `position`; None when nobody is there to serve."""
    capacity = await slots_for(tx, row)
    wait = expected_wait(
        position,
        free_slots=capacity.free,
        total_slots=capacity.total,
        service_time=await service_time(tx),
    )
    return None if wait is None else int(wait.total_seconds())


async def queue_state(tx: Tx, row: SessionRow) -> tuple[int, int | None]:
    """Where a queued session stands now, and how long it will wait from now."""
    position = await queue_position(tx, row)
    return position, await promised_wait(tx, row, position)


async def service_time(tx: Tx) -> timedelta:
    """Mean duration of the human part of recent sessions; the setting's until there are any."""
    recent = (
        select(SessionRow.assigned_at, SessionRow.closed_at)
        .where(SessionRow.state == SessionState.CLOSED, SessionRow.assigned_at.is_not(None))
        .order_by(SessionRow.id.desc())
        .limit(_MEASURED_SESSIONS)
    )
    spans = [
        closed - assigned
        for assigned, closed in await tx.db.execute(recent)
        if closed is not None and assigned is not None
    ]
    if not spans:
        return timedelta(seconds=tx.settings.get(Reception).expected_service_s)
    return sum(spans, timedelta()) / len(spans)


async def queue_board(tx: Tx, *, limit: int = 200) -> QueueBoard:
    """The queue as a supervisor sees it."""
    rows = (await tx.db.execute(_in_queue_order(_select()).limit(limit))).all()
    capacity = await slots(tx)
    measured = await service_time(tx)
    items = []
    queues: dict[tuple[str, str, str], tuple[Slots, int]] = {}
    for found in rows:
        row: SessionRow = found[0]
        view = _view(found, tx)
        own = (row.mode, row.route, row.account_id if row.mode == ServiceMode.NATIVE else "")
        theirs, before = queues.get(own) or (await slots_for(tx, row), 0)
        position = before + 1
        queues[own] = (theirs, position)
        wait = expected_wait(
            position, free_slots=theirs.free, total_slots=theirs.total, service_time=measured
        )
        waiting = tx.now - (view.queued_at or tx.now)
        items.append(
            QueueItem(
                session=view,
                position=position,
                waiting_s=int(waiting.total_seconds()),
                expected_wait_s=None if wait is None else int(wait.total_seconds()),
                promised_wait_s=row.promised_wait_s,
            )
        )
    return QueueBoard(
        items=tuple(items), servicers_online=capacity.servicers_online, free_slots=capacity.free
    )
