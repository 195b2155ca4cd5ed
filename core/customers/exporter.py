"""Customers as a table. Full numbers only for those who may see them, and then audited."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from core.actor import Actor
from core.audit import service as audit
from core.clock import LOCAL_ZONE
from core.customers.file_models import CustomerSecretRow
from core.customers.importer import HEADINGS
from core.customers.models import CustomerRow, InstitutionRow
from core.customers.profiles import CustomerSecret
from core.db import Tx
from core.ownership.queries import OaKind, oa_ids
from core.permissions import Permission
from core.sealing import KeyRing
from core.settings.queries import get as setting
from core.settings.sections import Customers

#: How many customers one call reads; the caller asks again with `after`.
CHUNK = 500


async def headings(tx: Tx) -> tuple[str, ...]:
    """Those that the importer understands, then the custom fields, then what only we know."""
    custom = [spec.title for spec in (await setting(tx, Customers)).fields]
    return (*HEADINGS, *custom, "登记时间")


async def record(tx: Tx, *, by: Actor, is_full: bool) -> None:
    """Note the export before the first row leaves. Raises: Forbidden."""
    by.require(Permission.CUSTOMER_MANAGE)
    if is_full:
        by.require(Permission.CUSTOMER_REVEAL)
    await audit.append(tx, by=by, action="customer.exported", facts={"full": is_full})


async def rows(
    tx: Tx, *, keys: KeyRing | None, after: str = "", limit: int = CHUNK
) -> tuple[list[Sequence[object]], str | None]:
    """One chunk and where the next begins (None: the end). keys None: masked."""
    query = (
        select(CustomerRow, InstitutionRow.name)
        .outerjoin(InstitutionRow, InstitutionRow.id == CustomerRow.institution_id)
        .where(CustomerRow.id > after)
        .order_by(CustomerRow.id)
        .limit(limit)
    )
    found = (await tx.db.execute(query)).all()
    fields = (await setting(tx, Customers)).fields
    emails = await _emails(tx, [row.id for row, _ in found], keys)
    linked = await oa_ids(tx, OaKind.CONTACT, [row.id for row, _ in found])
    table: list[Sequence[object]] = []
    for row, institution in found:
        phone = keys.open(row.phone_sealed, context="customer.phone") if keys else row.phone_masked
        custom = [row.custom.get(spec.key, "") for spec in fields]
        since = row.created_at.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M")
        cells = [
            row.name,
            institution,
            phone,
            emails.get(row.id, ""),
            "|".join(row.tags),
            row.note,
            linked.get(row.id, ""),
        ]
        table.append([*cells, *custom, since])
    return table, found[-1][0].id if len(found) == limit else None


async def _emails(tx: Tx, ids: Sequence[str], keys: KeyRing | None) -> dict[str, str]:
    query = select(CustomerSecretRow).where(
        CustomerSecretRow.customer_id.in_(ids), CustomerSecretRow.kind == CustomerSecret.EMAIL
    )
    return {
        row.customer_id: keys.open(row.sealed, context="customer.email") if keys else row.masked
        for row in await tx.db.scalars(query)
    }
