"""Follow-ups (跟进): what somebody promised to do, with a reminder at its time."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select

from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.events import FollowUpDue
from core.ids import new_id
from core.servicers.models import ServicerRow
from core.tickets.access import By, locked, staff
from core.tickets.models import FollowUpRow, TicketRow
from core.tickets.record import Line, add_entry, require_servicer, view
from core.timers import service as timers
from core.views import FollowUpView

#: Timer of a reminder; its key is the follow-up's id.
TIMER_KIND: Final = "ticket.follow_up"


async def add(
    tx: Tx, ticket_id: str, text: str, due_at: datetime, *, by: By, servicer_id: str | None = None
) -> FollowUpView:
    """Promise to come back to a ticket. servicer_id None: whoever has it, else who asks.

    Raises: NotFound, Forbidden; Invalid for a moment that has passed or without anybody.
    """
    actor = staff(by)
    row = await locked(tx, ticket_id, by=by)
    owner = servicer_id or row.servicer_id or actor.servicer_id
    if owner is None or not text.strip():
        raise Invalid("required", field="servicer_id" if owner is None else "text")
    if due_at <= tx.now:
        raise Invalid("in_the_past", field="due_at")
    await require_servicer(tx, owner)
    follow_up = FollowUpRow(
        id=new_id(),
        ticket_id=row.id,
        servicer_id=owner,
        due_at=due_at,
        text=text.strip(),
        result="",
        created_at=tx.now,
    )
    tx.db.add(follow_up)
    await timers.set_timer(tx, TIMER_KIND, follow_up.id, due_at)
    facts = {"due_at": due_at.isoformat()}
    await add_entry(tx, row, by, Line("follow_up_planned", follow_up.text, facts=facts))
    return await _view(tx, follow_up)


async def finish(tx: Tx, follow_up_id: str, *, by: By, result: str = "") -> FollowUpView:
    """Say that it was done, and with what result. Raises: NotFound; Conflict when done before."""
    staff(by)
    found = await tx.db.get(FollowUpRow, follow_up_id)
    if found is None:
        raise NotFound(noun="follow_up", id=follow_up_id)
    row = await locked(tx, found.ticket_id, by=by)
    if found.done_at is not None:
        raise Conflict("already_done", done_at=found.done_at.isoformat())
    found.done_at, found.result = tx.now, result.strip()
    await timers.cancel(tx, TIMER_KIND, found.id)
    await add_entry(tx, row, by, Line("follow_up_done", found.result, facts={"of": found.text}))
    return await _view(tx, found)


async def remind(tx: Tx, follow_up_id: str) -> None:
    """The reminder's moment has come; nothing when it was done meanwhile."""
    found = await tx.db.get(FollowUpRow, follow_up_id)
    if found is None or found.done_at is not None:
        return
    row = await tx.db.get(TicketRow, found.ticket_id)
    if row is not None:
        tx.emit(FollowUpDue(ticket=await view(tx, row), follow_up=await _view(tx, found)))


async def of_ticket(tx: Tx, ticket_id: str) -> tuple[FollowUpView, ...]:
    """Earliest first."""
    query = select(FollowUpRow).where(FollowUpRow.ticket_id == ticket_id)
    rows = await tx.db.scalars(query.order_by(FollowUpRow.due_at, FollowUpRow.id))
    return tuple([await _view(tx, row) for row in rows])


async def of_servicer(tx: Tx, servicer_id: str, *, limit: int = 100) -> tuple[FollowUpView, ...]:
    """What a servicer still owes, earliest first."""
    query = select(FollowUpRow).where(
        FollowUpRow.servicer_id == servicer_id, FollowUpRow.done_at.is_(None)
    )
    rows = await tx.db.scalars(query.order_by(FollowUpRow.due_at, FollowUpRow.id).limit(limit))
    return tuple([await _view(tx, row) for row in rows])


async def _view(tx: Tx, row: FollowUpRow) -> FollowUpView:
    owner = await tx.db.get(ServicerRow, row.servicer_id)
    plain = {
        name: getattr(row, name) for name in FollowUpView.model_fields if name != "servicer_name"
    }
    return FollowUpView.model_validate(plain | {"servicer_name": owner.name if owner else ""})
