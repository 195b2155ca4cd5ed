"""Reads of customers and institutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from pydantic import Field
from sqlalchemy import Row, Select, bindparam, select

from core.content import Address
from core.customers.models import CustomerRow, IdentityRow, InstitutionRow
from core.db import Tx
from core.errors import NotFound
from core.paging import Page, decode_cursor, page_of
from core.statements import Statement
from core.views import CustomerView, View


class InstitutionView(View):
    id: str
    name: str
    parent_id: str | None
    kind: str = ""
    contract_level: str = ""
    product: str = ""
    product_version: str = ""
    region_code: str = ""
    version: int = Field(default=1)


def _select() -> Select[CustomerRow, str]:
    return (
        select(CustomerRow, InstitutionRow.name)
        .outerjoin(InstitutionRow, InstitutionRow.id == CustomerRow.institution_id)
        .execution_options(populate_existing=True)
    )


def _view(found: Row[CustomerRow, str]) -> CustomerView:
    row, institution_name = found
    return CustomerView(
        id=row.id,
        name=row.name,
        avatar_url=row.avatar_url,
        is_temporary=row.is_temporary,
        institution_id=row.institution_id,
        institution_name=institution_name or "",
        phone_masked=row.phone_masked,
        note=row.note,
        tags=tuple(row.tags),
        created_at=row.created_at,
        version=row.version,
    )


_KIND = Statement(
    select(InstitutionRow.kind)
    .join(CustomerRow, CustomerRow.institution_id == InstitutionRow.id)
    .join(IdentityRow, IdentityRow.customer_id == CustomerRow.id)
    .where(
        IdentityRow.channel == bindparam("a_channel"),
        IdentityRow.account == bindparam("an_account"),
        IdentityRow.user == bindparam("a_user"),
    )
)


async def institution_kind(tx: Tx, address: Address) -> str:
    """Of the institution of whoever writes from here; empty while we do not know them."""
    values = {"a_channel": address.channel, "an_account": address.account, "a_user": address.user}
    for row in await tx.fetch(_KIND, values):
        return cast("str", row.kind)
    return ""


#: Built once: building it costs more than running it.
_BY_ID = _select().where(CustomerRow.id == bindparam("wanted"))


async def customer_view(tx: Tx, customer_id: str) -> CustomerView:
    """Raises: NotFound."""
    found = (await tx.db.execute(_BY_ID, {"wanted": customer_id})).first()
    if found is None:
        raise NotFound("customer_not_found")
    return _view(found)


async def customer_views(tx: Tx, ids: Sequence[str]) -> list[CustomerView]:
    """Those that there are of them, newest first."""
    query = _select().where(CustomerRow.id.in_(ids)).order_by(CustomerRow.id.desc())
    return [_view(found) for found in await tx.db.execute(query)]


async def list_customers(
    tx: Tx, *, cursor: str | None = None, limit: int = 50
) -> Page[CustomerView]:
    """All of them, newest first; search.py finds some."""
    statement = _select().order_by(CustomerRow.id.desc()).limit(limit + 1)
    if cursor:
        (last_id,) = decode_cursor(cursor, str)
        statement = statement.where(CustomerRow.id < last_id)
    rows = [_view(found) for found in await tx.db.execute(statement)]
    return page_of(rows, limit, lambda view: (view.id,))


async def list_institutions(
    tx: Tx, *, q: str = "", parent_id: str | None = None, limit: int = 50
) -> list[InstitutionView]:
    statement = select(InstitutionRow).order_by(InstitutionRow.name).limit(limit)
    if q:
        statement = statement.where(InstitutionRow.name.contains(q, autoescape=True))
    if parent_id is not None:
        statement = statement.where(InstitutionRow.parent_id == (parent_id or None))
    return [
        InstitutionView.model_validate(row, from_attributes=True)
        for row in await tx.db.scalars(statement)
    ]


async def contract_level_of(tx: Tx, customer_id: str) -> str:
    """The contract level of the customer's institution; empty when there is none."""
    found = await tx.db.scalar(
        select(InstitutionRow.contract_level)
        .join(CustomerRow, CustomerRow.institution_id == InstitutionRow.id)
        .where(CustomerRow.id == customer_id)
    )
    return found or ""
