"""Customers who may be the same person: same phone, or same name at the same institution."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import ColumnElement, func, or_, select

from core.customers.models import CustomerRow
from core.customers.queries import customer_view
from core.db import Tx
from core.errors import NotFound
from core.views import CustomerView, View

Reason = Literal["phone", "name_and_institution"]


class DuplicateView(View):
    customer: CustomerView
    reasons: tuple[Reason, ...]


class DuplicateGroupView(View):
    """Customers who share what `reason` says, oldest first: the one to keep."""

    reason: Reason
    customers: tuple[CustomerView, ...]


async def of_customer(tx: Tx, customer_id: str, *, limit: int = 20) -> tuple[DuplicateView, ...]:
    """Who else may be this person. Raises: NotFound."""
    row = await tx.db.get(CustomerRow, customer_id)
    if row is None:
        raise NotFound("customer_not_found", noun="customer", id=customer_id)
    same_phone = (CustomerRow.phone_index == row.phone_index) & (CustomerRow.phone_index != "")
    same_place = (CustomerRow.name == row.name) & (
        CustomerRow.institution_id == row.institution_id
    )
    query = select(CustomerRow).where(CustomerRow.id != row.id, or_(same_phone, same_place))
    found = (await tx.db.scalars(query.order_by(CustomerRow.id).limit(limit))).all()
    return tuple(
        [
            DuplicateView(customer=await customer_view(tx, other.id), reasons=_reasons(row, other))
            for other in found
        ]
    )


async def groups(tx: Tx, *, limit: int = 50) -> tuple[DuplicateGroupView, ...]:
    """Groups of probable duplicates, those with the same phone first."""
    by_phone = (
        select(func.min(CustomerRow.id), CustomerRow.phone_index)
        .where(CustomerRow.phone_index != "")
        .group_by(CustomerRow.phone_index)
        .having(func.count() > 1)
        .limit(limit)
    )
    by_place = (
        select(func.min(CustomerRow.id), CustomerRow.name, CustomerRow.institution_id)
        .where(CustomerRow.institution_id.is_not(None))
        .group_by(CustomerRow.name, CustomerRow.institution_id)
        .having(func.count() > 1)
        .limit(limit)
    )
    result = []
    for _, index in await tx.db.execute(by_phone):
        result.append(await _group(tx, "phone", CustomerRow.phone_index == index))
    for _, name, place in await tx.db.execute(by_place):
        same = (CustomerRow.name == name) & (CustomerRow.institution_id == place)
        result.append(await _group(tx, "name_and_institution", same))
    return tuple(result[:limit])


async def _group(tx: Tx, reason: Reason, same: ColumnElement[bool]) -> DuplicateGroupView:
    ids = await tx.db.scalars(
        select(CustomerRow.id).where(same).order_by(CustomerRow.id).limit(20)
    )
    people = [await customer_view(tx, customer_id) for customer_id in ids.all()]
    return DuplicateGroupView(reason=reason, customers=tuple(people))


def _reasons(one: CustomerRow, other: CustomerRow) -> tuple[Reason, ...]:
    found: list[Reason] = []
    if one.phone_index and one.phone_index == other.phone_index:
        found.append("phone")
    if (one.name, one.institution_id) == (other.name, other.institution_id):
        found.append("name_and_institution")
    return tuple(found)
