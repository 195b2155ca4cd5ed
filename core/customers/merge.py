"""Two customers become one without losing history, and can become two again.

Which tables speak of customers is read from the schema: every foreign key to `customers.id`.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.types import TypeEngine

from core.actor import Actor
from core.audit import service as audit
from core.column_types import UtcDateTime
from core.customers import combining, names
from core.customers.file_models import CustomerMergeRow
from core.customers.models import CustomerRow
from core.customers.queries import customer_view
from core.db import Base, Tx
from core.errors import Conflict, Invalid, NotFound
from core.events import CustomerChanged
from core.ids import new_id
from core.permissions import Permission
from core.views import CustomerView, View

#: How many primary keys one statement names.
_CHUNK = 200

Json = dict[str, Any]


class MergeView(View):
    id: str
    customer: CustomerView
    gone_id: str
    gone_name: str
    moved: dict[str, int]
    merged_at: datetime
    merged_by: str
    undone_at: datetime | None


class Belongings(View):
    """What would move with a customer; `identities` are channels on which they write."""

    identities: int
    sessions: int
    tickets: int
    ratings: int


async def merge(
    tx: Tx, kept_id: str, gone_id: str, *, by: Actor, take: Collection[str] | None = None
) -> MergeView:
    """Move everything of one customer to another and remember how to undo it.

    take: fields whose value the other gives; None: see `combining`.
    Raises: Forbidden; NotFound; Invalid when both are the same, or a field is unknown.
    """
    by.require(Permission.CUSTOMER_MANAGE)
    if kept_id == gone_id:
        raise Invalid("same_customer", field="gone_id")
    combining.check(take or ())
    await _hold_conversations(tx, kept_id, gone_id)
    rows = {key: await _locked(tx, key) for key in sorted((kept_id, gone_id))}
    kept, gone = rows[kept_id], rows[gone_id]
    before: Json = {"kept": _stored(kept), "gone": _stored(gone), "dropped": {}}
    moved: dict[str, list[list[Any]]] = {}
    table, replaced = await combining.give_way(tx, kept_id, gone_id, take or ())
    if replaced:
        before["dropped"][table.name] = [_plain(row) for row in replaced]
    for column in customer_columns():
        keys, dropped = await _move(tx, column, gone_id, kept_id)
        if keys:
            moved[column.table.name] = keys
        if dropped:
            before["dropped"].setdefault(column.table.name, []).extend(dropped)
    await _move_bindings(tx, gone_id, kept_id, moved, before["dropped"])
    combining.combine(kept, gone, take)
    await names.rename(tx, kept, kept.name)
    await tx.db.delete(gone)
    row = CustomerMergeRow(
        id=new_id(),
        kept_id=kept_id,
        gone_id=gone_id,
        before=before,
        after=_stored(kept),
        moved=moved,
        merged_at=tx.now,
        merged_by=by.key,
    )
    tx.db.add(row)
    facts = {"gone": gone_id, "merge": row.id, "taken": sorted(take or ())}
    await audit.append(tx, by=by, action="customer.merged", target=kept_id, facts=facts)
    tx.emit(CustomerChanged(customer=await customer_view(tx, kept_id)))
    return await _view(tx, row)


async def undo(tx: Tx, merge_id: str, *, by: Actor) -> CustomerView:
    """Bring the other customer back with what was theirs; later changes of the kept one stay.

    Raises: Forbidden; NotFound; Conflict when it was undone before, or when the kept customer
    was merged into yet another one since.
    """
    by.require(Permission.CUSTOMER_MANAGE)
    row = await tx.db.get(CustomerMergeRow, merge_id, with_for_update=True)
    if row is None:
        raise NotFound(noun="merge", id=merge_id)
    if row.undone_at is not None:
        raise Conflict("already_undone")
    if await tx.db.get(CustomerRow, row.kept_id) is None:
        raise Conflict("merged_again", kept_id=row.kept_id)
    await _hold_conversations(tx, row.kept_id)
    kept = await _locked(tx, row.kept_id)
    table = _table(CustomerRow)
    await tx.db.execute(insert(table).values(_loaded(table, row.before["gone"])))
    for column in (*customer_columns(), _bindings().c.subject_id):
        await _move_back(tx, column, row)
    _separate(kept, row)
    row.undone_at = tx.now
    await names.rename(tx, kept, kept.name)
    await names.index(tx, row.gone_id, row.before["gone"]["name"])
    facts = {"gone": row.gone_id, "merge": row.id}
    await audit.append(tx, by=by, action="customer.merge_undone", target=row.kept_id, facts=facts)
    returned = await customer_view(tx, row.gone_id)
    tx.emit(
        CustomerChanged(customer=await customer_view(tx, row.kept_id)),
        CustomerChanged(customer=returned),
    )
    return returned


async def merges_of(tx: Tx, customer_id: str) -> tuple[MergeView, ...]:
    """What was merged into a customer, newest first."""
    query = select(CustomerMergeRow).where(CustomerMergeRow.kept_id == customer_id)
    rows = (await tx.db.scalars(query.order_by(CustomerMergeRow.merged_at.desc()))).all()
    return tuple([await _view(tx, row) for row in rows])


async def belongings(tx: Tx, customer_id: str) -> Belongings:
    """How much history a customer has. Raises: NotFound."""
    await customer_view(tx, customer_id)
    tables = {column.table.name: column for column in customer_columns()}
    counts = [
        select(func.count()).where(tables[name] == customer_id).scalar_subquery().label(name)
        for name in Belongings.model_fields
    ]
    return Belongings(**(await tx.db.execute(select(*counts))).one()._mapping)


async def current_id(tx: Tx, customer_id: str) -> str:
    """The id under which a customer lives now: old links keep working after a merge."""
    for _ in range(10):
        query = select(CustomerMergeRow.kept_id).where(
            CustomerMergeRow.gone_id == customer_id, CustomerMergeRow.undone_at.is_(None)
        )
        kept = await tx.db.scalar(query.order_by(CustomerMergeRow.merged_at.desc()).limit(1))
        if kept is None:
            return customer_id
        customer_id = kept
    return customer_id


def customer_columns() -> Sequence[Column[Any]]:
    """Every column, in any table, that names a customer; what is derived from one goes with it."""
    target = _table(CustomerRow).c.id
    return [
        key.parent
        for table in Base.metadata.sorted_tables
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name)
        if key.column is target and key.ondelete != "CASCADE"
    ]


async def _move_bindings(
    tx: Tx, gone_id: str, kept_id: str, moved: dict[str, list[list[Any]]], dropped: Json
) -> None:
    """Team bindings name customers by kind; of two live ones of a rank the kept one's holds."""
    table = _bindings()
    kept = table.alias()
    taken = exists().where(
        kept.c.subject_kind == "customer",
        kept.c.subject_id == kept_id,
        kept.c.rank == table.c.rank,
        kept.c.ended_at.is_(None),
    )
    theirs = and_(table.c.subject_kind == "customer", table.c.subject_id == gone_id)
    clash = and_(theirs, table.c.ended_at.is_(None), taken)
    if rows := (await tx.db.execute(select(table).where(clash))).mappings().all():
        dropped[table.name] = [_plain(row) for row in rows]
        await tx.db.execute(delete(table).where(clash))
    if ids := (await tx.db.execute(select(table.c.id).where(theirs))).all():
        moved[table.name] = [list(key) for key in ids]
        await tx.db.execute(update(table).where(theirs).values(subject_id=kept_id))


def _bindings() -> Table:
    return Base.metadata.tables["team_bindings"]


async def _move(
    tx: Tx, column: Column[Any], gone_id: str, kept_id: str
) -> tuple[list[list[Any]], list[Json]]:
    """Repoint rows; those whose place is taken (one value per customer) are kept aside."""
    table = column.table
    keys = list(table.primary_key.columns)
    dropped: list[Json] = []
    if column in keys:
        others = [key for key in keys if key is not column]
        clash = and_(column == gone_id, _is_taken(column, others, kept_id))
        found = (await tx.db.execute(select(table).where(clash))).mappings().all()
        dropped = [_plain(row) for row in found]
        await tx.db.execute(delete(table).where(clash))
    found_keys = await tx.db.execute(select(*keys).where(column == gone_id))
    moved = [list(key) for key in found_keys.all()]
    await tx.db.execute(update(table).where(column == gone_id).values({column: kept_id}))
    if column in keys:
        place = keys.index(column)
        moved = [[*key[:place], kept_id, *key[place + 1 :]] for key in moved]
    return moved, dropped


def _is_taken(
    column: Column[Any], others: Sequence[Column[Any]], kept_id: str
) -> ColumnElement[bool]:
    """Whether the kept customer has a row in the same place already."""
    same = column.table.alias()
    on = [same.c[one.name] == one for one in others]
    return exists().where(same.c[column.name] == kept_id, *on)


async def _move_back(tx: Tx, column: Column[Any], row: CustomerMergeRow) -> None:
    table = column.table
    keys = list(table.primary_key.columns)
    moved = row.moved.get(table.name, [])
    for start in range(0, len(moved), _CHUNK):
        chunk = [tuple(key) for key in moved[start : start + _CHUNK]]
        mine = and_(column == row.kept_id, tuple_(*keys).in_(chunk))
        await tx.db.execute(update(table).where(mine).values({column: row.gone_id}))
    for dropped in row.before["dropped"].get(table.name, []):
        await tx.db.execute(insert(table).values(_loaded(table, dropped)))


def _separate(kept: CustomerRow, row: CustomerMergeRow) -> None:
    """Columns that nobody touched since the merge go back to what they were."""
    table = _table(CustomerRow)
    before = _loaded(table, row.before["kept"])
    after = _loaded(table, row.after)
    was_touched = kept.version != after["version"]
    for name, value in before.items():
        if name != "version" and getattr(kept, name) == after[name]:
            setattr(kept, name, value)
    kept.version = kept.version + 1 if was_touched else before["version"]


async def _hold_conversations(tx: Tx, *customer_ids: str) -> None:
    """Before the customers, as in the turn of somebody who writes at this moment."""
    table = Base.metadata.tables["conversations"]
    theirs = select(table.c.id).where(table.c.customer_id.in_(customer_ids))
    await tx.db.execute(theirs.order_by(table.c.id).with_for_update())


async def _locked(tx: Tx, customer_id: str) -> CustomerRow:
    row = await tx.db.get(CustomerRow, customer_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("customer_not_found", noun="customer", id=customer_id)
    return row


async def _view(tx: Tx, row: CustomerMergeRow) -> MergeView:
    return MergeView(
        id=row.id,
        customer=await customer_view(tx, row.kept_id),
        gone_id=row.gone_id,
        gone_name=row.before["gone"]["name"],
        moved={name: len(keys) for name, keys in row.moved.items()},
        merged_at=row.merged_at,
        merged_by=row.merged_by,
        undone_at=row.undone_at,
    )


def _table(model: type[Base]) -> Table:
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} is not one table")
    return table


def _stored(row: CustomerRow) -> Json:
    return _plain({column.name: getattr(row, column.name) for column in _table(CustomerRow).c})


def _plain(row: Mapping[Any, Any]) -> Json:
    """A row as JSON; moments and bytes are spelled out."""
    return {
        str(name): value.isoformat()
        if isinstance(value, datetime)
        else base64.b64encode(value).decode()
        if isinstance(value, bytes)
        else value
        for name, value in row.items()
    }


def _loaded(table: Table, stored: Json) -> Json:
    """The way back. Columns that were dropped from the schema since are left out."""
    types = {column.name: column.type for column in table.c}
    return {name: _value(types[name], value) for name, value in stored.items() if name in types}


def _value(kind: TypeEngine[Any], value: Any) -> Any:
    if isinstance(value, str) and isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    if isinstance(value, str) and isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    return value
