"""Who writes to us: a customer exists from the first second, temporary until registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, bindparam, insert, select, update

from core.actor import Actor
from core.content import Address
from core.customers import names
from core.customers.models import CustomerRow, IdentityRow, InstitutionRow
from core.customers.queries import customer_view
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.events import CustomerChanged
from core.ids import new_id
from core.ownership.queries import OaKind, refuse_owned
from core.permissions import Permission
from core.statements import Statement
from core.views import CustomerView


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody on one channel account, and the customer that they are."""

    id: str
    customer_id: str


_IDENTITIES = cast("Table", IdentityRow.__table__)
_CUSTOMERS = cast("Table", CustomerRow.__table__)
_KNOWN = Statement(
    select(IdentityRow.id, IdentityRow.customer_id, IdentityRow.account).where(
        IdentityRow.channel == bindparam("a_channel"), IdentityRow.user == bindparam("a_user")
    )
)
_NEW_IDENTITY = Statement(insert(_IDENTITIES).inline(), columns=_IDENTITIES.columns.keys())
_NEW_CUSTOMER = Statement(insert(_CUSTOMERS).inline(), columns=_CUSTOMERS.columns.keys())


async def ensure_identity(tx: Tx, address: Address) -> Identity:
    """The identity behind an address; made, with a temporary customer, when it is new.

    The same platform user on another account of the same channel is the same customer.
    """
    here = {"a_channel": address.channel, "a_user": address.user}
    known = await tx.fetch(_KNOWN, here)
    for row in known:
        if row.account == address.account:
            return Identity(row.id, row.customer_id)
    customer_id = known[0].customer_id if known else await _temporary_customer(tx, address)
    made = Identity(new_id(), customer_id)
    row = {
        "id": made.id,
        "customer_id": customer_id,
        "channel": address.channel,
        "account": address.account,
        "user": address.user,
        "created_at": tx.now,
    }
    await tx.run(_NEW_IDENTITY, row)
    return made


async def _temporary_customer(tx: Tx, address: Address) -> str:
    customer_id, name = new_id(), f"访客{address.user[-4:]}"
    row = {
        "id": customer_id,
        "name": name,
        "avatar_url": "",
        "is_temporary": True,
        "institution_id": None,
        "phone_sealed": "",
        "phone_index": "",
        "phone_masked": "",
        "note": "",
        "tags": [],
        "custom": {},
        "created_at": tx.now,
        "version": 1,
    }
    await tx.run(_NEW_CUSTOMER, row)
    await names.index(tx, customer_id, name)
    return customer_id


async def take_profile(tx: Tx, customer_id: str, *, nickname: str, avatar_url: str) -> None:
    """Keep what the platform tells; a name that a person entered is never overwritten."""
    row = await tx.db.get(CustomerRow, customer_id, with_for_update=True)
    if row is None:
        return
    name = nickname.strip()[:128] if nickname and row.name.startswith("访客") else row.name
    if (name, avatar_url) == (row.name, row.avatar_url):
        return
    row.avatar_url = avatar_url[:512]
    row.version += 1
    await names.rename(tx, row, name or row.name)
    tx.emit(CustomerChanged(customer=await customer_view(tx, customer_id)))


async def change(  # noqa: PLR0913 - one keyword per field that may change
    tx: Tx,
    customer_id: str,
    *,
    version: int,
    by: Actor,
    name: str | None = None,
    note: str | None = None,
    tags: list[str] | None = None,
    institution_id: str | None = None,
) -> CustomerView:
    """Edit a customer's file. `institution_id` "" takes the institution away.

    Raises: Forbidden, NotFound, Conflict (with the current file in its facts), Invalid.
    """
    by.require(Permission.CUSTOMER_EDIT)
    if institution_id and await tx.db.get(InstitutionRow, institution_id) is None:
        raise Invalid("institution_not_found", field="institution_id")
    before = await customer_view(tx, customer_id)
    told = {"name": name, "institution": institution_id, "note": note}
    kept = {"name": before.name, "institution": before.institution_id or "", "note": before.note}
    changed_here = [key for key, value in told.items() if value not in (None, kept[key])]
    await refuse_owned(tx, OaKind.CONTACT, customer_id, changed_here)
    changes: dict[str, object] = {"version": version + 1, "is_temporary": False}
    if name is not None:
        changes["name"] = name
    if note is not None:
        changes["note"] = note
    if tags is not None:
        changes["tags"] = list(dict.fromkeys(tags))
    if institution_id is not None:
        changes["institution_id"] = institution_id or None
    changed = await tx.db.execute(
        update(CustomerRow)
        .where(CustomerRow.id == customer_id, CustomerRow.version == version)
        .values(**changes)
        .returning(CustomerRow.id)
        .execution_options(synchronize_session=False)
    )
    view = await customer_view(tx, customer_id)
    if changed.first() is None:
        raise Conflict("conflict", current=view.model_dump(mode="json"))
    if name is not None:
        await names.index(tx, customer_id, name)
    tx.emit(CustomerChanged(customer=view))
    return view


async def bind_institution(tx: Tx, customer_id: str, institution_id: str) -> None:
    """Bind through a link that names an institution; a customer who has one keeps it."""
    if await tx.db.get(InstitutionRow, institution_id) is None:
        raise NotFound("institution_not_found")
    changed = await tx.db.execute(
        update(CustomerRow)
        .where(CustomerRow.id == customer_id, CustomerRow.institution_id.is_(None))
        .values(institution_id=institution_id, version=CustomerRow.version + 1)
        .returning(CustomerRow.id)
        .execution_options(synchronize_session=False)
    )
    if changed.first() is not None:
        tx.emit(CustomerChanged(customer=await customer_view(tx, customer_id)))
