"""Saved lists: a filter and its columns, private or shared. Their only writer, and reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select

from core.actor import Actor
from core.db import Tx
from core.errors import Forbidden, Invalid, NotFound
from core.ids import new_id
from core.permissions import Permission
from core.tickets.models import TicketFilterRow
from core.views import View

MAX_PER_PERSON = 50


class SavedFilterView(View):
    id: str
    name: str
    is_shared: bool
    is_mine: bool
    query: dict[str, Any]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FilterDraft:
    name: str
    query: dict[str, Any]
    columns: tuple[str, ...] = ()
    is_shared: bool = field(default=False)


async def list_filters(tx: Tx, *, by: Actor) -> tuple[SavedFilterView, ...]:
    """One's own and the shared ones, by name."""
    visible = or_(TicketFilterRow.owner_id == by.key, TicketFilterRow.is_shared)
    order = (TicketFilterRow.name, TicketFilterRow.id)
    rows = await tx.db.scalars(select(TicketFilterRow).where(visible).order_by(*order))
    return tuple(_view(row, by) for row in rows)


async def save(tx: Tx, draft: FilterDraft, *, by: Actor) -> SavedFilterView:
    """Raises: Forbidden when a servicer would share; Invalid."""
    by.require(Permission.TICKET_MANAGE if draft.is_shared else Permission.TICKET_WORK)
    if not 1 <= len(draft.name.strip()) <= 64:
        raise Invalid("bad_length", field="name", max=64)
    own = select(TicketFilterRow.id).where(TicketFilterRow.owner_id == by.key)
    if len((await tx.db.scalars(own)).all()) >= MAX_PER_PERSON:
        raise Invalid("too_many", field="name", max=MAX_PER_PERSON)
    row = TicketFilterRow(
        id=new_id(),
        owner_id=by.key,
        name=draft.name.strip(),
        is_shared=draft.is_shared,
        query=draft.query,
        columns=list(draft.columns),
        created_at=tx.now,
    )
    tx.db.add(row)
    await tx.db.flush()
    return _view(row, by)


async def remove(tx: Tx, filter_id: str, *, by: Actor) -> None:
    """Raises: NotFound; Forbidden for somebody else's."""
    row = await tx.db.get(TicketFilterRow, filter_id)
    if row is None:
        raise NotFound(noun="ticket_filter", id=filter_id)
    if row.owner_id != by.key and not by.may(Permission.TICKET_MANAGE):
        raise Forbidden(reason="not_yours")
    await tx.db.delete(row)


def _view(row: TicketFilterRow, by: Actor) -> SavedFilterView:
    return SavedFilterView(
        id=row.id,
        name=row.name,
        is_shared=row.is_shared,
        is_mine=row.owner_id == by.key,
        query=row.query,
        columns=tuple(row.columns),
    )
