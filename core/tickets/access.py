"""Who acts on a ticket, in which capacity, and the row under lock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from core.actor import Actor
from core.db import Tx
from core.errors import Forbidden, NotFound
from core.permissions import Permission
from core.tickets.models import TicketRow
from core.views import Party


@dataclass(frozen=True, slots=True)
class CustomerActor:
    """A customer who acts on an own ticket, through chat or a signed page."""

    customer_id: str
    name: str


By = Actor | CustomerActor


def key_of(by: By) -> str:
    """What histories keep of who acted."""
    return f"customer:{by.customer_id}" if isinstance(by, CustomerActor) else by.key


def party_of(by: By) -> Party:
    """Raises: Forbidden for a user who has nothing to do with tickets."""
    if isinstance(by, CustomerActor):
        return Party.CUSTOMER
    if by.role is None:
        return Party.SYSTEM
    if by.may(Permission.TICKET_MANAGE):
        return Party.SUPERVISOR
    if by.may(Permission.TICKET_WORK):
        return Party.SERVICER
    raise Forbidden(permission=Permission.TICKET_WORK.value)


async def locked(tx: Tx, ticket_id: str, *, by: By) -> TicketRow:
    """The ticket, held until the transaction ends.

    Lock order: conversation, session, ticket, then what belongs to the ticket (timers, clocks).

    Raises: NotFound, also for a customer who asks for somebody else's; Forbidden.
    """
    party_of(by)
    query = select(TicketRow).where(TicketRow.id == ticket_id).with_for_update()
    row = (await tx.db.scalars(query.execution_options(populate_existing=True))).first()
    if row is None or not may_see(row, by):
        raise NotFound(noun="ticket", id=ticket_id)
    return row


async def hold_all(tx: Tx, ticket_ids: Collection[str]) -> Sequence[TicketRow]:
    """Those that exist, held until the transaction ends, in the order of ids as everybody does."""
    query = select(TicketRow).where(TicketRow.id.in_(ticket_ids)).order_by(TicketRow.id)
    query = query.with_for_update().execution_options(populate_existing=True)
    return (await tx.db.scalars(query)).all()


def may_see(row: TicketRow, by: By) -> bool:
    return not isinstance(by, CustomerActor) or row.customer_id == by.customer_id


def staff(by: By) -> Actor:
    """The actor, who must be one of us. Raises: Forbidden."""
    if isinstance(by, CustomerActor):
        raise Forbidden(party=Party.CUSTOMER.value)
    party_of(by)
    return by
