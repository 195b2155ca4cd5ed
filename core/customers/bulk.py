"""Many customers written at once: a handful of statements, however many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Insert, select

from core.customers import names
from core.customers.file_models import CustomerSecretRow
from core.customers.models import CustomerRow
from core.customers.profiles import CustomerSecret, context_of, masked
from core.customers.queries import customer_views
from core.db import Tx, upsert_for
from core.events import CustomerChanged
from core.ids import new_id
from core.sealing import KeyRing
from core.statements import Statement
from core.views import FieldValue


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One good row of a table. customer_id: whom it updates; None: a new customer."""

    number: int
    customer_id: str | None
    name: str
    institution_id: str | None
    secrets: Mapping[CustomerSecret, str]
    tags: tuple[str, ...]
    note: str
    custom: Mapping[str, FieldValue] = field(default_factory=dict)


def _keep_secret(dialect: str) -> Insert:
    made = upsert_for(dialect, CustomerSecretRow)
    fresh = {name: made.excluded[name] for name in ("sealed", "blind_index", "masked")}
    kept: Insert = made.on_conflict_do_update(index_elements=["customer_id", "kind"], set_=fresh)
    return kept


_KEEP_SECRET: Final = Statement(
    _keep_secret, ("customer_id", "kind", "sealed", "blind_index", "masked")
)


async def write(tx: Tx, keys: KeyRing, rows: Sequence[PlannedRow]) -> None:
    """Create or update each; what a row leaves empty stays as it is."""
    ids = sorted({row.customer_id for row in rows if row.customer_id})
    query = select(CustomerRow).where(CustomerRow.id.in_(ids)).order_by(CustomerRow.id)
    known = {one.id: one for one in await tx.db.scalars(query.with_for_update())}
    written: dict[str, str] = {}
    sealed: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        customer = known.get(row.customer_id or "")
        if customer is None:
            customer = CustomerRow(id=new_id(), created_at=tx.now, version=0)
            customer.tags, customer.custom, customer.note = [], {}, ""
            tx.db.add(customer)
        _fill(keys, customer, row)
        written[customer.id] = row.name
        for kind in (CustomerSecret.EMAIL, CustomerSecret.ID_NUMBER):
            if value := row.secrets.get(kind):
                sealed[customer.id, kind.value] = {
                    "customer_id": customer.id,
                    "kind": kind.value,
                    **_sealed(keys, kind, value),
                }
    await names.index_all(tx, written, known=tuple(known))
    await tx.run_many(_KEEP_SECRET, [*sealed.values()])
    views = await customer_views(tx, [*written])
    tx.emit(*(CustomerChanged(customer=view) for view in views))


def _fill(keys: KeyRing, customer: CustomerRow, row: PlannedRow) -> None:
    customer.name, customer.is_temporary = row.name, False
    customer.institution_id = row.institution_id or customer.institution_id
    customer.tags = list(dict.fromkeys([*customer.tags, *row.tags]))
    customer.note = row.note or customer.note
    customer.custom = {**customer.custom, **row.custom}
    customer.version += 1
    if phone := row.secrets.get(CustomerSecret.PHONE):
        found = _sealed(keys, CustomerSecret.PHONE, phone)
        customer.phone_sealed, customer.phone_index = found["sealed"], found["blind_index"]
        customer.phone_masked = found["masked"]


def _sealed(keys: KeyRing, kind: CustomerSecret, value: str) -> dict[str, str]:
    context = context_of(kind)
    return {
        "sealed": keys.seal(value, context=context),
        "blind_index": keys.blind_index(value, context=context),
        "masked": masked(kind, value),
    }
