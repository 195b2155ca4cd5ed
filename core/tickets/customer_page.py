"""A ticket as its customer sees it: progress line, public history, what may be done now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from core.conversations.models import ConversationRow
from core.customers.models import CustomerRow
from core.db import Tx
from core.errors import NotFound
from core.links import read, sign
from core.sealing import KeyRing
from core.settings.queries import get as setting
from core.settings.sections import Tickets
from core.tickets import queries
from core.tickets.access import CustomerActor
from core.tickets.states import UNRESOLVED, actions_for
from core.views import Party, TicketEntryView, TicketState, TicketView, View

PURPOSE: Final = "ticket"


class ProgressStep(View):
    """One station of the line. at: when it was passed; None: not yet."""

    key: str
    at: datetime | None


class PublicTicketView(View):
    """No names of colleagues beyond the servicer's, no internal notes, no figures of ours."""

    number: str
    title: str
    description: str
    state: TicketState
    category_name: str
    servicer_name: str
    created_at: datetime
    updated_at: datetime
    progress: tuple[ProgressStep, ...]
    actions: tuple[str, ...]
    can_reply: bool
    can_rate: bool
    rating_score: int | None


async def link_token(tx: Tx, keys: KeyRing, ticket: TicketView) -> str:
    """What the customer's link ends with: `/h5/#/ticket/<token>`."""
    lasts = timedelta(seconds=(await setting(tx, Tickets)).customer_link_s)
    parts = (ticket.id, ticket.customer_id)
    return sign(keys, PURPOSE, parts, expires_at=tx.now + lasts)


async def opened_by(tx: Tx, keys: KeyRing, token: str) -> tuple[str, CustomerActor]:
    """Ticket id and the customer who holds the link. Raises: LinkRefused; NotFound.

    A customer who was merged since acts as the one who took over the tickets.
    """
    ticket_id, _ = read(keys, PURPOSE, token, now=tx.now)
    ticket = await queries.get_for_link(tx, ticket_id)
    customer = await tx.db.get(CustomerRow, ticket.customer_id)
    if customer is None:
        raise NotFound(noun="ticket", id=ticket_id)
    return ticket_id, CustomerActor(customer.id, customer.name)


async def page(tx: Tx, ticket_id: str, by: CustomerActor) -> PublicTicketView:
    """Raises: NotFound for somebody else's ticket."""
    ticket = await queries.get(tx, ticket_id, by=by)
    is_done = ticket.state in (TicketState.RESOLVED, TicketState.CLOSED)
    return PublicTicketView(
        number=ticket.number,
        title=ticket.title,
        description=ticket.description,
        state=ticket.state,
        category_name=ticket.category_name,
        servicer_name=ticket.servicer_name,
        created_at=ticket.created_at,
        updated_at=ticket.updated_at,
        progress=progress(ticket),
        actions=tuple(str(action) for action in actions_for(ticket.state, Party.CUSTOMER)),
        can_reply=ticket.state in UNRESOLVED,
        can_rate=is_done and ticket.rating_score is None,
        rating_score=ticket.rating_score,
    )


async def history(tx: Tx, ticket_id: str, by: CustomerActor) -> tuple[TicketEntryView, ...]:
    """Public lines, oldest first; whoever of us wrote appears by name, without an id."""
    found = await queries.entries(tx, ticket_id, by=by, limit=200)
    return tuple(entry.model_copy(update={"author_id": ""}) for entry in found.items)


async def require_public_file(
    tx: Tx, ticket_id: str, by: CustomerActor, attachment_id: str
) -> None:
    """Raises: NotFound unless a public line of this ticket carries the file."""
    if not any(attachment_id in one.attachment_ids for one in await history(tx, ticket_id, by)):
        raise NotFound(noun="attachment", id=attachment_id[:64])


def progress(ticket: TicketView) -> tuple[ProgressStep, ...]:
    """已提交 → 已受理 → 已解决 → 已关闭."""
    return (
        ProgressStep(key="submitted", at=ticket.created_at),
        ProgressStep(key="accepted", at=ticket.accepted_at or ticket.resolved_at),
        ProgressStep(key="resolved", at=ticket.resolved_at),
        ProgressStep(key="closed", at=ticket.closed_at),
    )


async def conversation_of(tx: Tx, ticket: TicketView) -> str | None:
    """Where the customer is told about a ticket: the thread in which they wrote last."""
    query = (
        select(ConversationRow.id)
        .where(
            ConversationRow.customer_id == ticket.customer_id,
            ConversationRow.last_customer_at.is_not(None),
        )
        .order_by(ConversationRow.last_customer_at.desc())
        .limit(1)
    )
    return await tx.db.scalar(query)
