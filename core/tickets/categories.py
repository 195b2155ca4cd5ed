"""Problem categories: custom fields, templates, default team; their only writer and reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field
from sqlalchemy import select

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.fields import MAX_TEXT, FieldSpec
from core.ids import new_id
from core.permissions import Permission
from core.tickets.models import TicketCategoryRow
from core.views import FieldValue, Priority, View

_MAX_DEPTH = 5


class TicketTemplate(View):
    name: str = Field(min_length=1, max_length=64)
    title: str = Field("", max_length=200)
    description: str = Field("", max_length=MAX_TEXT)
    fields: dict[str, FieldValue] = Field(default_factory=dict)


class TicketCategoryView(View):
    """path: names from the root down to this one. skills: skill id → level wanted."""

    id: str
    name: str
    path: tuple[str, ...]
    parent_id: str | None
    position: int
    is_active: bool
    default_priority: Priority
    team_id: str | None
    skills: dict[str, int] = Field(default_factory=dict)
    fields: tuple[FieldSpec, ...] = ()
    templates: tuple[TicketTemplate, ...] = ()
    version: int


@dataclass(frozen=True, slots=True)
class CategoryDraft:
    name: str
    parent_id: str | None = None
    position: int = 100
    is_active: bool = True
    default_priority: Priority = Priority.NORMAL
    team_id: str | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    fields: Sequence[FieldSpec] = ()
    templates: Sequence[TicketTemplate] = ()


async def list_categories(tx: Tx, *, only_active: bool = False) -> tuple[TicketCategoryView, ...]:
    """All of them, each after its parent, siblings by position."""
    rows = {row.id: row for row in await tx.db.scalars(select(TicketCategoryRow))}
    views = (_view(row, rows) for row in rows.values())
    wanted = (view for view in views if view.is_active or not only_active)
    places = {row.id: (row.position, row.name) for row in rows.values()}
    return tuple(sorted(wanted, key=lambda view: [places[step] for step in _chain(view.id, rows)]))


async def get(tx: Tx, category_id: str) -> TicketCategoryView:
    """Raises: NotFound."""
    rows: dict[str, TicketCategoryRow] = {}
    next_id: str | None = category_id
    while next_id is not None and next_id not in rows:
        rows[next_id] = await _row(tx, next_id)
        next_id = rows[next_id].parent_id
    return _view(rows[category_id], rows)


async def with_ancestors(tx: Tx, category_id: str | None) -> tuple[str, ...]:
    """The category's id and those above it."""
    ids: list[str] = []
    while category_id is not None and category_id not in ids:
        ids.append(category_id)
        row = await tx.db.get(TicketCategoryRow, category_id)
        category_id = row.parent_id if row else None
    return tuple(ids)


async def create(tx: Tx, draft: CategoryDraft, *, by: Actor) -> TicketCategoryView:
    by.require(Permission.TICKET_MANAGE)
    row = TicketCategoryRow(id=new_id(), version=1)
    await _fill(tx, row, draft)
    tx.db.add(row)
    await audit.append(tx, by=by, action="ticket_category.created", target=row.id)
    return await get(tx, row.id)


async def change(
    tx: Tx, category_id: str, draft: CategoryDraft, *, version: int, by: Actor
) -> TicketCategoryView:
    """Raises: NotFound; Invalid; Conflict when somebody changed it first."""
    by.require(Permission.TICKET_MANAGE)
    row = await _row(tx, category_id)
    if row.version != version:
        raise Conflict(version=row.version)
    await _fill(tx, row, draft)
    row.version = version + 1
    await audit.append(tx, by=by, action="ticket_category.changed", target=row.id)
    return await get(tx, row.id)


async def _row(tx: Tx, category_id: str) -> TicketCategoryRow:
    row = await tx.db.get(TicketCategoryRow, category_id)
    if row is None:
        raise NotFound(noun="ticket_category", id=category_id)
    return row


async def _fill(tx: Tx, row: TicketCategoryRow, draft: CategoryDraft) -> None:
    if not draft.name.strip():
        raise Invalid("required", field="name")
    if len({spec.key for spec in draft.fields}) != len(draft.fields):
        raise Invalid("duplicate", field="fields")
    above = await with_ancestors(tx, draft.parent_id)
    if row.id in above or len(above) >= _MAX_DEPTH:
        raise Invalid("bad_parent", field="parent_id")
    for name in ("parent_id", "position", "is_active", "default_priority", "team_id"):
        setattr(row, name, getattr(draft, name))
    row.name = draft.name.strip()
    row.skills = dict(draft.skills)
    row.fields = [spec.model_dump(mode="json") for spec in draft.fields]
    row.templates = [template.model_dump(mode="json") for template in draft.templates]


def _chain(category_id: str, rows: Mapping[str, TicketCategoryRow]) -> tuple[str, ...]:
    """Ids from the root down."""
    ids: list[str] = []
    step: str | None = category_id
    while step is not None and step in rows and step not in ids:
        ids.append(step)
        step = rows[step].parent_id
    return tuple(reversed(ids))


def _view(row: TicketCategoryRow, rows: Mapping[str, TicketCategoryRow]) -> TicketCategoryView:
    plain: dict[str, Any] = {
        name: getattr(row, name) for name in TicketCategoryView.model_fields if name != "path"
    }
    return TicketCategoryView.model_validate(
        plain | {"path": tuple(rows[step].name for step in _chain(row.id, rows))}
    )
