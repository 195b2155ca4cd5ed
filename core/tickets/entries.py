"""What is written on a ticket: replies that the customer sees, notes that never leave us."""

from __future__ import annotations

from collections.abc import Sequence

from core.db import Tx
from core.errors import Conflict, Invalid
from core.events import TicketEntryAdded, TicketUpdated
from core.sla.service import SlaStep
from core.tickets.access import By, CustomerActor, locked, staff
from core.tickets.models import TicketRow
from core.tickets.record import Line, add_entry, promise, responded, saved, view
from core.tickets.states import FINAL, UNRESOLVED, Action, next_state
from core.views import Party, TicketEntryView, TicketState, TicketView

_MAX_TEXT = 10_000
_MAX_COMMENT = 1000


async def reply(
    tx: Tx, ticket_id: str, text: str, *, by: By, attachment_ids: Sequence[str] = ()
) -> TicketEntryView:
    """A line between us and the customer. A customer's line wakes a waiting ticket.

    Raises: NotFound; Conflict `ticket_closed`; Invalid when it says nothing.
    """
    row = await locked(tx, ticket_id, by=by)
    _writable(row)
    entry = await add_entry(tx, row, by, _line("reply", text, attachment_ids, is_public=True))
    if isinstance(by, CustomerActor):
        await _customer_spoke(tx, row)
    elif responded(tx, row, by):
        await promise(tx, row, SlaStep.RESPONDED)
    tx.emit(TicketEntryAdded(ticket=await saved(tx, row), entry=entry))
    return entry


async def note(
    tx: Tx, ticket_id: str, text: str, *, by: By, attachment_ids: Sequence[str] = ()
) -> TicketEntryView:
    """Said among colleagues; no query for customers returns it. Raises: Forbidden, NotFound."""
    staff(by)
    row = await locked(tx, ticket_id, by=by)
    entry = await add_entry(tx, row, by, _line("note", text, attachment_ids, is_public=False))
    tx.emit(TicketEntryAdded(ticket=await view(tx, row), entry=entry))
    return entry


async def rate(
    tx: Tx, ticket_id: str, score: int, *, by: CustomerActor, comment: str = ""
) -> TicketView:
    """The customer's satisfaction, once, after it was resolved. score: 1…5.

    Raises: Conflict `not_resolved`, `already_rated`; Invalid.
    """
    row = await locked(tx, ticket_id, by=by)
    if not 1 <= score <= 5:
        raise Invalid("bad_score", field="score")
    if row.state not in (TicketState.RESOLVED, TicketState.CLOSED):
        raise Conflict("not_resolved", state=row.state)
    if row.rating_score is not None:
        raise Conflict("already_rated")
    row.rating_score = score
    line = Line("rated", comment.strip()[:_MAX_COMMENT], True, {"score": str(score)})
    await add_entry(tx, row, by, line)
    result = await saved(tx, row)
    tx.emit(TicketUpdated(ticket=result, changed=("rating_score",), by=by.name))
    return result


async def _customer_spoke(tx: Tx, row: TicketRow) -> None:
    state = TicketState(row.state)
    if state is TicketState.WAITING:
        row.state = next_state(state, Action.RESUME, Party.CUSTOMER)
        await promise(tx, row, SlaStep.RESUMED)
    if state in UNRESOLVED:
        await promise(tx, row, SlaStep.ASKED)


def _writable(row: TicketRow) -> None:
    if TicketState(row.state) in FINAL:
        raise Conflict("ticket_closed", state=row.state)


def _line(kind: str, text: str, attachment_ids: Sequence[str], *, is_public: bool) -> Line:
    if not text.strip() and not attachment_ids:
        raise Invalid("required", field="text")
    if len(text) > _MAX_TEXT:
        raise Invalid("bad_length", field="text", max=_MAX_TEXT)
    return Line(kind, text.strip(), is_public, None, attachment_ids)
