"""Segments (客户分群): their only writer, live counts, and who is in them."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, or_, select

from core.actor import Actor
from core.audit import service as audit
from core.customers.models import CustomerRow
from core.customers.queries import customer_view
from core.db import Tx
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.ids import new_id
from core.paging import Page, decode_cursor, page_of
from core.permissions import Permission
from core.segments.models import SegmentRow
from core.segments.rules import MAX_CONDITIONS, Rule, condition, counted, size
from core.views import CustomerView, View

RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
MAX_LIMIT = 200


class SegmentView(View):
    id: str
    name: str
    rule: Rule
    is_shared: bool
    owner: str
    version: int


@dataclass(frozen=True, slots=True)
class SegmentDraft:
    name: str
    rule: Rule
    is_shared: bool = True


def parse_rule(raw: object) -> Rule:
    """Raises: Invalid `bad_rule` with `errors`, a list of (place, message)."""
    try:
        return RULE.validate_python(raw)
    except ValidationError as error:
        errors = [
            (".".join(str(part) for part in item["loc"]), item["msg"]) for item in error.errors()
        ]
        raise Invalid("bad_rule", errors=errors) from error


async def count(tx: Tx, rule: Rule) -> int:
    """How many customers a rule describes now."""
    return await tx.db.scalar(counted(rule, now=tx.now, dialect=tx.dialect)) or 0


async def members(
    tx: Tx, rule: Rule, *, cursor: str | None = None, limit: int = 50
) -> Page[CustomerView]:
    """The customers themselves, newest first."""
    limit = max(1, min(limit, MAX_LIMIT))
    query = select(CustomerRow.id).where(_where(tx, rule))
    if cursor:
        query = query.where(CustomerRow.id < decode_cursor(cursor, str)[0])
    ids = await tx.db.scalars(query.order_by(CustomerRow.id.desc()).limit(limit + 1))
    people = [await customer_view(tx, customer_id) for customer_id in ids.all()]
    return page_of(people, limit, lambda view: (view.id,))


async def create(tx: Tx, draft: SegmentDraft, *, by: Actor) -> SegmentView:
    """Raises: Forbidden; Invalid; Conflict `name_taken`."""
    by.require(Permission.CUSTOMER_EDIT)
    row = SegmentRow(id=new_id(), owner=by.key, created_at=tx.now, version=1)
    await _fill(tx, row, draft)
    tx.db.add(row)
    await tx.db.flush()
    await audit.append(tx, by=by, action="segment.created", target=row.id)
    return _view(row)


async def change(
    tx: Tx, segment_id: str, draft: SegmentDraft, *, version: int, by: Actor
) -> SegmentView:
    """Raises: NotFound; Forbidden for somebody else's; Conflict; Invalid."""
    row = await _own(tx, segment_id, by=by)
    if row.version != version:
        raise Conflict(version=row.version)
    await _fill(tx, row, draft)
    row.version = version + 1
    await audit.append(tx, by=by, action="segment.changed", target=row.id)
    return _view(row)


async def remove(tx: Tx, segment_id: str, *, by: Actor) -> None:
    row = await _own(tx, segment_id, by=by)
    await tx.db.delete(row)
    await audit.append(tx, by=by, action="segment.removed", target=segment_id)


async def get(tx: Tx, segment_id: str) -> SegmentView:
    """Raises: NotFound."""
    return _view(await _row(tx, segment_id))


async def list_segments(tx: Tx, *, by: Actor) -> tuple[SegmentView, ...]:
    """Shared ones and one's own, by name."""
    visible = or_(SegmentRow.is_shared, SegmentRow.owner == by.key)
    rows = await tx.db.scalars(select(SegmentRow).where(visible).order_by(SegmentRow.name))
    return tuple(_view(row) for row in rows)


def _where(tx: Tx, rule: Rule) -> ColumnElement[bool]:
    return condition(rule, now=tx.now, dialect=tx.dialect)


async def _fill(tx: Tx, row: SegmentRow, draft: SegmentDraft) -> None:
    name = draft.name.strip()
    if not name:
        raise Invalid("required", field="name")
    if size(draft.rule) > MAX_CONDITIONS:
        raise Invalid("too_many", field="rule", max=MAX_CONDITIONS)
    _where(tx, draft.rule)
    taken = select(SegmentRow.id).where(SegmentRow.name == name, SegmentRow.id != row.id)
    if await tx.db.scalar(taken):
        raise Conflict("name_taken", field="name")
    row.name, row.is_shared = name, draft.is_shared
    row.rule = RULE.dump_python(draft.rule, mode="json")


async def _own(tx: Tx, segment_id: str, *, by: Actor) -> SegmentRow:
    by.require(Permission.CUSTOMER_EDIT)
    row = await _row(tx, segment_id)
    if row.owner != by.key and not by.may(Permission.CUSTOMER_MANAGE):
        raise Forbidden(reason="not_yours")
    return row


async def _row(tx: Tx, segment_id: str) -> SegmentRow:
    row = await tx.db.get(SegmentRow, segment_id)
    if row is None:
        raise NotFound(noun="segment", id=segment_id)
    return row


def _view(row: SegmentRow) -> SegmentView:
    return SegmentView(
        id=row.id,
        name=row.name,
        rule=RULE.validate_python(row.rule),
        is_shared=row.is_shared,
        owner=row.owner,
        version=row.version,
    )
