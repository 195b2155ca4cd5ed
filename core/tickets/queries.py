"""Reads of tickets. Lists walk an index from the newest (or most urgent) row down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core.attachments.queries import attachment_names
from core.customers.models import CustomerRow, InstitutionRow
from core.db import Tx
from core.errors import NotFound
from core.ids import first_id_at
from core.paging import Page, decode_cursor, page_of
from core.servicers.models import ServicerRow
from core.teams.models import TeamRow
from core.tickets.access import By, CustomerActor, may_see, party_of
from core.tickets.models import TicketCategoryRow, TicketEntryRow, TicketRow, TicketWordRow
from core.tickets.numbers import normal_number
from core.tickets.record import entry_view, make_view, view
from core.tickets.words import Lead, lead, may_lead, tag_word
from core.views import Priority, TicketEntryView, TicketState, TicketView
from core.words import words_of

MAX_LIMIT = 200
#: Nobody counts further by eye, and counting on costs as much as reading.
COUNTED = 200
#: What no index knows (a single character) is looked for in the titles of so many newest tickets.
READ_THROUGH = 10_000
FEW = 2000
Order = Literal["newest", "due"]


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Empty means any. q: a ticket number, or words of the title. tag: exactly this one.

    Latin words and numbers of a title are found whole, Chinese from any two characters on; a
    single one among the newest READ_THROUGH.
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
    states = tuple(wanted.states) or tuple(TicketState)
    counts = [
        select(literal(str(state)), func.count()).select_from(
            _found(wanted, state, word).order_by(_key(word)).limit(COUNTED + 1).subquery()
        )
        for state, word in (await _leads(tx, wanted, states)).items()
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
    """One short walk per state, then the newest of them: no state's rows are read in vain."""
    leads = await _leads(tx, wanted, _walked(wanted))
    walks = [_walk(wanted, state, cursor, limit, word) for state, word in leads.items()]
    if len(walks) == 1:
        return (await tx.db.scalars(walks[0])).all()
    joined = union_all(*(select(walk.subquery()) for walk in walks)).subquery()
    newest = select(joined.c.id).order_by(joined.c.id.desc()).limit(limit)
    return (await tx.db.scalars(newest)).all()


def _walked(wanted: TicketFilter) -> Sequence[TicketState | None]:
    """Late tickets are few: their indexes name the state, so each state is walked there too."""
    any_state = tuple(TicketState) if wanted.is_breached else (None,)
    return tuple(wanted.states) or any_state


def _walk(
    wanted: TicketFilter,
    state: TicketState | None,
    cursor: str | None,
    limit: int,
    word: str | None,
) -> Select[str]:
    query, key = _found(wanted, state, word), _key(word)
    if cursor:
        query = query.where(key < decode_cursor(cursor, str)[0])
    return query.order_by(key.desc()).limit(limit)


def _found(wanted: TicketFilter, state: TicketState | None, word: str | None) -> Select[str]:
    """Ids of the tickets wanted, or of those among them that have the word."""
    fits = _conditions(wanted, word)
    if state is not None:
        fits.append(TicketRow.state == state)
    if word is None:
        return select(TicketRow.id).where(*fits, *_span(wanted, TicketRow.id))
    # A scalar is asked ticket by ticket in the word's order; a join is planned by guessed numbers.
    own = select(literal(1)).where(TicketRow.id == TicketWordRow.ticket_id, *fits)
    return select(TicketWordRow.ticket_id.label("id")).where(
        TicketWordRow.word == word,
        *_span(wanted, TicketWordRow.ticket_id),
        own.correlate(TicketWordRow).scalar_subquery() == 1,
    )


async def _leads(
    tx: Tx, wanted: TicketFilter, states: Sequence[TicketState | None]
) -> dict[TicketState | None, str | None]:
    """The word (or tag) whose tickets are read for a state; None: what else is asked is rarer."""
    is_of_one = wanted.customer_id or wanted.institution_id or wanted.session_id
    found = None if is_of_one else await _lead(tx, wanted)
    if found is None:
        return dict.fromkeys(states)
    few = await _small(tx, wanted, [one for one in states if one]) if found.is_common else ()
    return {state: None if state in few else found.word for state in states}


async def _lead(tx: Tx, wanted: TicketFilter) -> Lead | None:
    text = wanted.q.strip()
    words = frozenset[str]() if not text or normal_number(text) else words_of(text)
    return await lead(tx, words | {tag_word(wanted.tag)} if wanted.tag else words)


async def _small(tx: Tx, wanted: TicketFilter, states: Sequence[TicketState]) -> set[str]:
    """States of which some index has so few of the wanted tickets that all are read at once."""
    if not states:
        return set()
    counts = [
        select(literal(state.value).label("state"), func.count().label("tickets")).select_from(
            select(TicketRow.id)
            .where(TicketRow.state == state, narrow)
            .order_by(TicketRow.id)  # by the index, however many there are
            .limit(FEW)
            .subquery()
        )
        for state in states
        for narrow in (true(), *_narrowing(wanted))
    ]
    rows = (await tx.db.execute(union_all(*counts))).all()
    return {state for state, tickets in rows if tickets < FEW}


def _key(word: str | None) -> InstrumentedAttribute[str]:
    """The column whose index is walked."""
    return TicketRow.id if word is None else TicketWordRow.ticket_id


def _span(wanted: TicketFilter, key: InstrumentedAttribute[str]) -> list[ColumnElement[bool]]:
    """The dates as a range of ids, which begin with their moment: every walk can begin there."""
    found: list[ColumnElement[bool]] = []
    if wanted.created_from is not None:
        found.append(key >= first_id_at(wanted.created_from))
    if wanted.created_until is not None:
        found.append(key < first_id_at(wanted.created_until + timedelta(milliseconds=1)))
    return found


async def _by_deadline(
    tx: Tx, wanted: TicketFilter, cursor: str | None, limit: int
) -> Page[TicketView]:
    """One walk per state again. What a rare word leads to is sorted instead."""
    found = await _lead(tx, wanted)
    word = found.word if found and not found.is_common else None
    walks = [
        _due_walk(wanted, state, cursor, word).limit(limit + 1).subquery()
        for state in _walked(wanted)
    ]
    joined = union_all(*(select(walk) for walk in walks)).subquery()
    nearest = select(joined.c.id).order_by(joined.c.due_at, joined.c.id).limit(limit + 1)
    ids = (await tx.db.scalars(nearest)).all()
    query = select(TicketRow).where(TicketRow.id.in_(ids))
    rows = await _views(tx, query.order_by(TicketRow.due_at, TicketRow.id))
    return page_of(rows, limit, lambda ticket: (ticket.due_at, ticket.id))


def _due_walk(
    wanted: TicketFilter, state: TicketState | None, cursor: str | None, word: str | None
) -> Select[str]:
    query = _found(wanted, state, None).add_columns(TicketRow.due_at)
    query = query.where(TicketRow.due_at.is_not(None))
    if word is not None:
        query = query.where(
            TicketRow.id.in_(select(TicketWordRow.ticket_id).where(TicketWordRow.word == word))
        )
    if cursor:
        due_at, ticket_id = decode_cursor(cursor, datetime, str)
        later = and_(TicketRow.due_at == due_at, TicketRow.id > ticket_id)
        query = query.where(TicketRow.due_at >= due_at, or_(TicketRow.due_at > due_at, later))
    return query.order_by(TicketRow.due_at, TicketRow.id)


def _narrowing(wanted: TicketFilter) -> list[ColumnElement[bool]]:
    """What an index of its own knows together with the state."""
    columns = ("servicer_id", "team_id", "category_id", "is_breached")
    found: list[ColumnElement[bool]] = [
        getattr(TicketRow, name) == value
        for name in columns
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.priorities:
        found.append(TicketRow.priority.in_(wanted.priorities))
    if wanted.is_unassigned:
        found.append(TicketRow.servicer_id.is_(None))
    return found


def _conditions(wanted: TicketFilter, word: str | None = None) -> list[ColumnElement[bool]]:
    """word: what the tickets are known to have."""
    columns = ("customer_id", "institution_id", "session_id")
    found = _narrowing(wanted) + [
        getattr(TicketRow, name) == value
        for name in columns
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.is_unassigned is False:
        found.append(TicketRow.servicer_id.is_not(None))
    if wanted.created_from is not None:
        found.append(TicketRow.created_at >= wanted.created_from)
    if wanted.created_until is not None:
        found.append(TicketRow.created_at < wanted.created_until)
    if wanted.tag and tag_word(wanted.tag) != word:
        tags = aliased(TicketWordRow)
        tagged = select(literal(1)).where(
            tags.ticket_id == TicketRow.id, tags.word == tag_word(wanted.tag)
        )
        found.append(tagged.correlate(TicketRow).scalar_subquery() == 1)
    if wanted.q.strip():
        found.append(_search(wanted.q.strip()))
    return found


def _search(text: str) -> ColumnElement[bool]:
    number = normal_number(text)
    if number is not None:
        return TicketRow.number == number
    words = [TicketRow.title.icontains(word, autoescape=True) for word in text.split()]
    if may_lead(words_of(text)):
        return and_(*words)
    newest = select(TicketRow.id).order_by(TicketRow.id.desc()).offset(READ_THROUGH).limit(1)
    return and_(*words, TicketRow.id > func.coalesce(newest.scalar_subquery(), ""))


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
