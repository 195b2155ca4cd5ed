"""Tickets that belong together: link, merge duplicates, split off a second matter."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import delete, or_, select

from core.db import Tx
from core.errors import Conflict, Invalid
from core.events import TicketMoved, TicketUpdated
from core.sla.service import SlaStep
from core.tickets.access import By, locked, party_of, staff
from core.tickets.models import TicketLinkRow, TicketRow
from core.tickets.record import Line, add_entry, promise, saved, view
from core.tickets.service import TicketDraft, create
from core.tickets.states import UNRESOLVED, Action
from core.views import TicketState, TicketView, View

LinkKind = Literal["related", "duplicate", "parent"]


class TicketLinkView(View):
    """is_outgoing: this ticket is the first of the pair (the duplicate, the parent)."""

    kind: LinkKind
    is_outgoing: bool
    ticket: TicketView


async def link(
    tx: Tx, ticket_id: str, other_id: str, *, by: By, kind: LinkKind = "related"
) -> None:
    """Relate two tickets; known links stay as they are. Raises: NotFound, Invalid, Forbidden."""
    staff(by)
    row, other = await _both(tx, ticket_id, other_id, by=by)
    if await _link(tx, row, other, kind):
        facts = {"kind": kind, "number": other.number}
        await add_entry(tx, row, by, Line("linked", facts=facts))
        await add_entry(tx, other, by, Line("linked", facts={"kind": kind, "number": row.number}))
        tx.emit(TicketUpdated(ticket=await view(tx, row), changed=("links",), by=by.name))


async def unlink(tx: Tx, ticket_id: str, other_id: str, *, by: By) -> None:
    """Forget a link, whichever way round it was made."""
    staff(by)
    row, other = await _both(tx, ticket_id, other_id, by=by)
    gone = await tx.db.execute(
        delete(TicketLinkRow)
        .where(
            or_(
                (TicketLinkRow.ticket_id == row.id) & (TicketLinkRow.other_id == other.id),
                (TicketLinkRow.ticket_id == other.id) & (TicketLinkRow.other_id == row.id),
            )
        )
        .returning(TicketLinkRow.kind)
    )
    if gone.first() is not None:
        await add_entry(tx, row, by, Line("unlinked", facts={"number": other.number}))
        tx.emit(TicketUpdated(ticket=await view(tx, row), changed=("links",), by=by.name))


async def merge(tx: Tx, ticket_id: str, into_id: str, *, by: By) -> TicketView:
    """Close a duplicate in favour of another ticket of the same customer or institution.

    Nothing moves: the duplicate keeps its history and names the ticket that goes on.
    Raises: Conflict when either is finished; Invalid for another customer's ticket.
    """
    staff(by)
    row, target = await _both(tx, ticket_id, into_id, by=by)
    same_place = row.institution_id is not None and row.institution_id == target.institution_id
    if row.customer_id != target.customer_id and not same_place:
        raise Invalid("other_customer", field="into_id")
    for one in (row, target):
        if TicketState(one.state) not in UNRESOLVED:
            raise Conflict("ticket_closed", number=one.number)
    before = TicketState(row.state)
    row.state, row.merged_into_id, row.closed_at = TicketState.CANCELLED, target.id, tx.now
    await promise(tx, row, SlaStep.CANCELLED)
    await _link(tx, row, target, "duplicate")
    await add_entry(tx, row, by, Line("merged", "", True, {"into": target.number}))
    facts = {"from": row.number, "title": row.title}
    await add_entry(tx, target, by, Line("absorbed", row.description, False, facts))
    closed, result = await saved(tx, row), await saved(tx, target)
    tx.emit(
        TicketMoved(
            ticket=closed, action=Action.CANCEL, before=before, party=party_of(by), by=by.name
        ),
        TicketUpdated(ticket=result, changed=("links",), by=by.name),
    )
    return result


async def split(tx: Tx, ticket_id: str, draft: TicketDraft, *, by: By) -> TicketView:
    """Open a second ticket for another matter of the same customer, linked to the first."""
    staff(by)
    row = await locked(tx, ticket_id, by=by)
    if draft.customer_id != row.customer_id:
        raise Invalid("other_customer", field="customer_id")
    made = await create(tx, draft, by=by)
    other = await locked(tx, made.id, by=by)
    await _link(tx, row, other, "parent")
    await add_entry(tx, row, by, Line("split", facts={"number": made.number}))
    await add_entry(tx, other, by, Line("split_from", facts={"number": row.number}))
    return made


async def links(tx: Tx, ticket_id: str) -> tuple[TicketLinkView, ...]:
    """All links of a ticket, newest first."""
    query = select(TicketLinkRow).where(
        or_(TicketLinkRow.ticket_id == ticket_id, TicketLinkRow.other_id == ticket_id)
    )
    rows = (await tx.db.scalars(query.order_by(TicketLinkRow.created_at.desc()))).all()
    found = []
    for row in rows:
        is_outgoing = row.ticket_id == ticket_id
        other = await tx.db.get(TicketRow, row.other_id if is_outgoing else row.ticket_id)
        if other is not None:
            found.append((row.kind, is_outgoing, await view(tx, other)))
    return tuple(
        TicketLinkView.model_validate({"kind": kind, "is_outgoing": out, "ticket": ticket})
        for kind, out, ticket in found
    )


async def _both(tx: Tx, ticket_id: str, other_id: str, *, by: By) -> tuple[TicketRow, TicketRow]:
    """Both under lock, in the order of ids: two merges never wait for each other."""
    if ticket_id == other_id:
        raise Invalid("same_ticket", field="other_id")
    rows = {key: await locked(tx, key, by=by) for key in sorted((ticket_id, other_id))}
    return rows[ticket_id], rows[other_id]


async def _link(tx: Tx, row: TicketRow, other: TicketRow, kind: LinkKind) -> bool:
    made = await tx.db.execute(
        tx.upsert(TicketLinkRow)
        .values(ticket_id=row.id, other_id=other.id, kind=kind, created_at=tx.now)
        .on_conflict_do_nothing()
        .returning(TicketLinkRow.kind)
    )
    return made.first() is not None
