"""Tags of customers: put on and taken off many at once, counted, renamed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from core.actor import Actor
from core.audit import service as audit
from core.customers.models import CustomerRow
from core.customers.queries import customer_view
from core.db import Tx
from core.errors import Invalid
from core.events import CustomerChanged
from core.permissions import Permission
from core.views import View

MAX_TAGS = 50
MAX_AT_ONCE = 500
_MAX_LENGTH = 32


class TagView(View):
    name: str
    customers: int


async def change_many(
    tx: Tx, customer_ids: Sequence[str], *, add: Sequence[str], remove: Sequence[str], by: Actor
) -> int:
    """Returns how many customers changed; unknown ids are left out. Raises: Forbidden, Invalid."""
    by.require(Permission.CUSTOMER_EDIT)
    wanted = [checked(tag) for tag in add]
    if len(customer_ids) > MAX_AT_ONCE:
        raise Invalid("too_many", field="customer_ids", max=MAX_AT_ONCE)
    query = select(CustomerRow).where(CustomerRow.id.in_(customer_ids))
    changed = 0
    for row in (await tx.db.scalars(query.order_by(CustomerRow.id).with_for_update())).all():
        tags = [tag for tag in dict.fromkeys([*row.tags, *wanted]) if tag not in remove]
        if tags == row.tags:
            continue
        if len(tags) > MAX_TAGS:
            raise Invalid("too_many", field="tags", max=MAX_TAGS)
        row.tags = tags
        row.version += 1
        changed += 1
        await tx.db.flush()
        tx.emit(CustomerChanged(customer=await customer_view(tx, row.id)))
    facts = {"add": ",".join(wanted), "remove": ",".join(remove), "customers": changed}
    await audit.append(tx, by=by, action="customer.tagged", facts=facts)
    return changed


async def list_tags(tx: Tx, *, limit: int = 200) -> tuple[TagView, ...]:
    """Tags in use, most used first."""
    if tx.dialect == "postgresql":
        each = func.jsonb_array_elements_text(CustomerRow.tags).table_valued("value")
    else:
        each = func.json_each(CustomerRow.tags).table_valued("value")
    query = (
        select(each.c.value, func.count())
        .select_from(CustomerRow)
        .join(each, CustomerRow.id.is_not(None))
        .group_by(each.c.value)
        .order_by(func.count().desc(), each.c.value)
        .limit(limit)
    )
    return tuple(TagView(name=name, customers=n) for name, n in await tx.db.execute(query))


def checked(tag: str) -> str:
    """Raises: Invalid."""
    plain = tag.strip()
    if not 1 <= len(plain) <= _MAX_LENGTH:
        raise Invalid("bad_length", field="tags", max=_MAX_LENGTH)
    return plain
