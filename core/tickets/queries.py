"""Reads of tickets. Lists walk an index from the newest (or most urgent) row down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, union_all

from core.attachments.queries import attachment_names
from core.customers.models import CustomerRow, InstitutionRow
from core.db import Tx
from core.errors import NotFound
from core.paging import Page, decode_cursor, page_of
from core.servicers.models import ServicerRow
from core.teams.models import TeamRow
from core.tickets.access import By, CustomerActor, may_see, party_of
from core.tickets.models import TicketCategoryRow, TicketEntryRow, TicketRow, TicketWordRow
from core.tickets.numbers import normal_number
from core.tickets.record import entry_view, make_view, view
from core.tickets.words import rarest
from core.views import Priority, TicketEntryView, TicketState, TicketView

MAX_LIMIT = 200
#: Nobody counts further by eye, and counting on costs as much as reading.
COUNTED = 1000
Order = Literal["newest", "due"]


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Empty means any. q: a ticket number, or words of the title.

    Latin words and numbers of a title are found whole, Chinese from any two characters on.
    """

    states: Sequence[TicketState] = ()
    priorities: Sequence[Priority] = ()
    servicer_id: str | None = None
    team_id: str | None = None
    category_id: str | None = None
    customer_id: str | None = None
    institution_id: str | None = None
    session_id: str | None = None
    is_unassigned: bool | None = None
    is_breached: bool | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None
    tag: str | None = None
    q: str = ""


async def get(tx: Tx, ticket_id: str, *, by: By) -> TicketView:
    """Raises: NotFound, also for a customer who asks for somebody else's; Forbidden."""
    party_of(by)
    row = await tx.db.get(TicketRow, ticket_id)
    if row is None or not may_see(row, by):
        raise NotFound(noun="ticket", id=ticket_id)
    return await view(tx, row)


async def get_for_link(tx: Tx, ticket_id: str) -> TicketView:
    """The ticket that a signed link names; the link is the permission. Raises: NotFound."""
    row = await tx.db.get(TicketRow, ticket_id)
    if row is None:
        raise NotFound(noun="ticket", id=ticket_id)
    return await view(tx, row)


async def by_number(tx: Tx, text: str, *, by: By) -> TicketView:
    """The ticket of a number as people type it. Raises: NotFound."""
    number = normal_number(text)
    query = select(TicketRow.id).where(TicketRow.number == number)
    ticket_id = await tx.db.scalar(query) if number else None
    if ticket_id is None:
        raise NotFound(noun="ticket", id=text[:32])
    return await get(tx, ticket_id, by=by)


async def list_tickets(
    tx: Tx,
    wanted: TicketFilter,
    *,
    order: Order = "newest",
    cursor: str | None = None,
    limit: int = 50,
) -> Page[TicketView]:
    """A page of tickets: newest first, or by nearest deadline (only those that have one)."""
    limit = max(1, min(limit, MAX_LIMIT))
    if order == "due":
        return await _by_deadline(tx, wanted, cursor, limit)
    ids = await _newest_ids(tx, wanted, cursor, limit + 1)
    rows = await _views(tx, select(TicketRow).where(TicketRow.id.in_(ids)))
    ordered = sorted(rows, key=lambda ticket: ticket.id, reverse=True)
    return page_of(ordered, limit, lambda ticket: (ticket.id,))


async def of_customer(tx: Tx, by: CustomerActor, *, limit: int = 10) -> tuple[TicketView, ...]:
    """我的工单: the customer's own, newest first."""
    page = await list_tickets(tx, TicketFilter(customer_id=by.customer_id), limit=limit)
    return page.items


async def counts_by_state(tx: Tx, wanted: TicketFilter) -> dict[TicketState, int]:
    """How many tickets each column of the board holds; COUNTED + 1 means more than COUNTED."""
    word = await _driving_word(tx, wanted)
    states = tuple(wanted.states) or tuple(TicketState)
    counts = [
        select(literal(state.value), func.count()).select_from(
            _through(select(TicketRow.id), word)
            .where(*_conditions(wanted), TicketRow.state == state)
            .limit(COUNTED + 1)
            .subquery()
        )
        for state in states
    ]
    rows = (await tx.db.execute(union_all(*counts))).all()
    return {TicketState(state): int(count) for state, count in rows if count}


async def entries(
    tx: Tx, ticket_id: str, *, by: By, cursor: str | None = None, limit: int = 100
) -> Page[TicketEntryView]:
    """A ticket's history, oldest first; customers see public lines only. Raises: NotFound."""
    await get(tx, ticket_id, by=by)
    query = select(TicketEntryRow).where(TicketEntryRow.ticket_id == ticket_id)
    if isinstance(by, CustomerActor):
        query = query.where(TicketEntryRow.is_public)
    if cursor:
        query = query.where(TicketEntryRow.id > decode_cursor(cursor, int)[0])
    rows = (await tx.db.scalars(query.order_by(TicketEntryRow.id).limit(limit + 1))).all()
    names = await attachment_names(tx, {key for row in rows for key in row.attachment_ids})
    views = [
        entry_view(row).model_copy(
            update={"attachment_names": {k: names[k] for k in row.attachment_ids if k in names}}
        )
        for row in rows
    ]
    return page_of(views, limit, lambda entry: (entry.id,))


async def _newest_ids(
    tx: Tx, wanted: TicketFilter, cursor: str | None, limit: int
) -> Sequence[str]:
    """One short walk per state, then the newest of them: no state's rows are read in vain.

    Late tickets are few: their index names the state, so each state is walked there too.
    """
    any_state = tuple(TicketState) if wanted.is_breached else (None,)
    states: Sequence[TicketState | None] = tuple(wanted.states) or any_state
    word = await _driving_word(tx, wanted)
    walks = [_walk(wanted, state, cursor, limit, word) for state in states]
    if len(walks) == 1:
        return (await tx.db.scalars(walks[0])).all()
    joined = union_all(*(select(walk.subquery()) for walk in walks)).subquery()
    newest = select(joined.c.id).order_by(joined.c.id.desc()).limit(limit)
    return (await tx.db.scalars(newest)).all()


def _walk(
    wanted: TicketFilter,
    state: TicketState | None,
    cursor: str | None,
    limit: int,
    word: str | None,
) -> Select[str]:
    query = _through(select(TicketRow.id), word).where(*_conditions(wanted))
    key = TicketRow.id if word is None else TicketWordRow.ticket_id
    if state is not None:
        query = query.where(TicketRow.state == state)
    if cursor:
        query = query.where(key < decode_cursor(cursor, str)[0])
    return query.order_by(key.desc()).limit(limit)


async def _driving_word(tx: Tx, wanted: TicketFilter) -> str | None:
    text = wanted.q.strip()
    return None if not text or normal_number(text) else await rarest(tx, text)


def _through(query: Select[Any], word: str | None) -> Select[Any]:
    """Read only the tickets whose title has this word."""
    if word is None:
        return query
    has_word = and_(TicketWordRow.ticket_id == TicketRow.id, TicketWordRow.word == word)
    return query.join(TicketWordRow, has_word)


async def _by_deadline(
    tx: Tx, wanted: TicketFilter, cursor: str | None, limit: int
) -> Page[TicketView]:
    query = select(TicketRow).where(TicketRow.due_at.is_not(None), *_conditions(wanted))
    query = _through(query, await _driving_word(tx, wanted))
    if wanted.states:
        query = query.where(TicketRow.state.in_(wanted.states))
    if cursor:
        due_at, ticket_id = decode_cursor(cursor, datetime, str)
        later = and_(TicketRow.due_at == due_at, TicketRow.id > ticket_id)
        query = query.where(TicketRow.due_at >= due_at, or_(TicketRow.due_at > due_at, later))
    query = query.order_by(TicketRow.due_at, TicketRow.id).limit(limit + 1)
    return page_of(await _views(tx, query), limit, lambda ticket: (ticket.due_at, ticket.id))


def _conditions(wanted: TicketFilter) -> list[ColumnElement[bool]]:
    columns = ("servicer_id", "team_id", "category_id", "customer_id", "institution_id")
    found: list[ColumnElement[bool]] = [
        getattr(TicketRow, name) == value
        for name in (*columns, "session_id", "is_breached")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.priorities:
        found.append(TicketRow.priority.in_(wanted.priorities))
    if wanted.is_unassigned is not None:
        nobody = TicketRow.servicer_id.is_(None)
        found.append(nobody if wanted.is_unassigned else ~nobody)
    if wanted.created_from is not None:
        found.append(TicketRow.created_at >= wanted.created_from)
    if wanted.created_until is not None:
        found.append(TicketRow.created_at < wanted.created_until)
    if wanted.q.strip():
        found.append(_search(wanted.q.strip()))
    return found


def _search(text: str) -> ColumnElement[bool]:
    number = normal_number(text)
    if number is not None:
        return TicketRow.number == number
    words = [TicketRow.title.icontains(word, autoescape=True) for word in text.split()]
    return and_(*words)


async def _views(tx: Tx, tickets: Select[TicketRow]) -> list[TicketView]:
    """Rows with the names that people read, in one statement; the query's order is kept."""
    named = (
        ("category_name", TicketCategoryRow, TicketRow.category_id),
        ("customer_name", CustomerRow, TicketRow.customer_id),
        ("institution_name", InstitutionRow, TicketRow.institution_id),
        ("team_name", TeamRow, TicketRow.team_id),
        ("servicer_name", ServicerRow, TicketRow.servicer_id),
    )
    query: Select[Any] = tickets.add_columns(*(table.name for _, table, _ in named))
    for _, table, key in named:
        query = query.outerjoin(table, table.id == key)
    labels = [label for label, _, _ in named]
    return [
        make_view(row, {label: name or "" for label, name in zip(labels, names, strict=True)})
        for row, *names in await tx.db.execute(query)
    ]
