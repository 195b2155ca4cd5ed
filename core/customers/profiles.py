"""The customer's file: custom fields, and the sealed ones (phone, e-mail, identity number)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from core.actor import Actor
from core.audit import service as audit
from core.customers.file_models import CustomerSecretRow
from core.customers.models import CustomerRow
from core.customers.queries import customer_view
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.events import CustomerChanged
from core.fields import checked_fields
from core.ownership.queries import OaKind, fields_of, oa_ids, refuse_owned
from core.permissions import Permission
from core.sealing import KeyRing, mask_id_number, mask_phone, normal_phone
from core.settings.queries import get as setting
from core.settings.sections import Customers
from core.views import FieldValue, View


class CustomerSecret(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    ID_NUMBER = "id_number"


class ProfileView(View):
    """What the file shows beside CustomerView; full values only through `reveal`."""

    customer_id: str
    masked: dict[CustomerSecret, str]
    custom: dict[str, FieldValue]
    #: The OA's id, and the fields that are changed there only; empty for one kept here.
    oa_id: str
    owned: tuple[str, ...]
    version: int


_EMAIL: Final = re.compile(r"^[^@\s]{1,64}@[^@\s]+\.[a-z]{2,24}$")
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS: Final = "10X98765432"


async def profile(tx: Tx, customer_id: str) -> ProfileView:
    """Raises: NotFound."""
    row = await _customer(tx, customer_id)
    secrets = await tx.db.scalars(
        select(CustomerSecretRow).where(CustomerSecretRow.customer_id == customer_id)
    )
    masked = {CustomerSecret(one.kind): one.masked for one in secrets}
    if row.phone_masked:
        masked[CustomerSecret.PHONE] = row.phone_masked
    oa_id = (await oa_ids(tx, OaKind.CONTACT, [row.id])).get(row.id, "")
    return ProfileView(
        customer_id=row.id,
        masked=masked,
        custom=row.custom,
        oa_id=oa_id,
        owned=await fields_of(tx, OaKind.CONTACT) if oa_id else (),
        version=row.version,
    )


async def set_secret(
    tx: Tx, keys: KeyRing, customer_id: str, kind: CustomerSecret, value: str, *, by: Actor
) -> None:
    """Keep a personal value, sealed; an empty one is forgotten. The audit log names no value.

    Raises: Forbidden, NotFound; Invalid when it cannot be such a value.
    """
    by.require(Permission.CUSTOMER_EDIT)
    await refuse_owned(tx, OaKind.CONTACT, customer_id, [kind.value])
    await store_secret(tx, keys, customer_id, kind, value)
    facts = {"field": kind.value, "cleared": not value}
    await audit.append(tx, by=by, action="customer.secret_set", target=customer_id, facts=facts)
    tx.emit(CustomerChanged(customer=await customer_view(tx, customer_id)))


async def store_secret(
    tx: Tx, keys: KeyRing, customer_id: str, kind: CustomerSecret, value: str
) -> None:
    """The write behind `set_secret`, for registration and import, which record their own act."""
    plain = checked(kind, value) if value.strip() else ""
    sealed = keys.seal(plain, context=context_of(kind))
    index = keys.blind_index(plain, context=context_of(kind))
    row = await _customer(tx, customer_id)
    if kind is CustomerSecret.PHONE:
        row.phone_sealed, row.phone_index, row.phone_masked = sealed, index, masked(kind, plain)
        row.version += 1
    elif plain:
        values = {"sealed": sealed, "blind_index": index, "masked": masked(kind, plain)}
        await tx.db.execute(
            tx.upsert(CustomerSecretRow)
            .values(customer_id=customer_id, kind=kind, **values)
            .on_conflict_do_update(index_elements=["customer_id", "kind"], set_=values)
        )
    elif (found := await tx.db.get(CustomerSecretRow, (customer_id, kind.value))) is not None:
        await tx.db.delete(found)
    await tx.db.flush()


async def reveal(
    tx: Tx, keys: KeyRing, customer_id: str, kind: CustomerSecret, *, by: Actor
) -> str:
    """The full value; every look is audited, so this needs a write transaction.

    Raises: Forbidden; NotFound when there is none; SealBroken when its key is gone.
    """
    by.require(Permission.CUSTOMER_REVEAL)
    sealed = await _sealed(tx, customer_id, kind)
    if not sealed:
        raise NotFound(noun=kind.value, id=customer_id)
    facts = {"field": kind.value}
    await audit.append(tx, by=by, action="customer.revealed", target=customer_id, facts=facts)
    return keys.open(sealed, context=context_of(kind))


async def find(tx: Tx, keys: KeyRing, kind: CustomerSecret, value: str) -> tuple[str, ...]:
    """Ids of the customers with exactly this value, under any key of the ring."""
    try:
        indexes = keys.blind_indexes(checked(kind, value), context=context_of(kind))
    except Invalid:
        return ()
    if kind is CustomerSecret.PHONE:
        query = select(CustomerRow.id).where(CustomerRow.phone_index.in_(indexes))
        return tuple(await tx.db.scalars(query.order_by(CustomerRow.id)))
    found = select(CustomerSecretRow.customer_id).where(
        CustomerSecretRow.kind == kind, CustomerSecretRow.blind_index.in_(indexes)
    )
    return tuple(await tx.db.scalars(found.order_by(CustomerSecretRow.customer_id)))


async def set_custom(
    tx: Tx, customer_id: str, values: Mapping[str, FieldValue], *, version: int, by: Actor
) -> None:
    """Replace the custom fields. Raises: Forbidden, NotFound, Conflict, Invalid."""
    by.require(Permission.CUSTOMER_EDIT)
    row = await _customer(tx, customer_id)
    if row.version != version:
        current = (await customer_view(tx, customer_id)).model_dump(mode="json")
        raise Conflict(version=row.version, current=current, yours=dict(values))
    row.custom = checked_fields((await setting(tx, Customers)).fields, values)
    row.version += 1
    await tx.db.flush()
    tx.emit(CustomerChanged(customer=await customer_view(tx, customer_id)))


def checked(kind: CustomerSecret, value: str) -> str:
    """The normal form that is sealed and indexed. Raises: Invalid."""
    plain = value.strip()
    match kind:
        case CustomerSecret.PHONE:
            plain = normal_phone(plain)
            is_good = 5 <= len(plain) <= 15
        case CustomerSecret.EMAIL:
            plain = plain.lower()
            is_good = _EMAIL.match(plain) is not None and len(plain) <= 254
        case CustomerSecret.ID_NUMBER:
            plain = plain.upper()
            is_good = _is_id_number(plain)
    if not is_good or "*" in value:  # a masked one is none
        raise Invalid(f"bad_{kind.value}", field=kind.value)
    return plain


def masked(kind: CustomerSecret, plain: str) -> str:
    match kind:
        case CustomerSecret.PHONE:
            return mask_phone(plain)
        case CustomerSecret.ID_NUMBER:
            return mask_id_number(plain)
        case CustomerSecret.EMAIL:
            name, _, domain = plain.partition("@")
            return f"{name[:1]}***@{domain}"[:64] if plain else ""


def _is_id_number(text: str) -> bool:
    """GB 11643: seventeen digits and a check character."""
    if not re.fullmatch(r"\d{17}[\dX]", text):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, _ID_WEIGHTS, strict=False))
    return _ID_CHECKS[total % 11] == text[-1]


def context_of(kind: CustomerSecret) -> str:
    """What a field of this kind is sealed for."""
    return f"customer.{kind.value}"


async def _customer(tx: Tx, customer_id: str) -> CustomerRow:
    row = await tx.db.get(CustomerRow, customer_id)
    if row is None:
        raise NotFound("customer_not_found", noun="customer", id=customer_id)
    return row


async def _sealed(tx: Tx, customer_id: str, kind: CustomerSecret) -> str:
    if kind is CustomerSecret.PHONE:
        return (await _customer(tx, customer_id)).phone_sealed
    found = await tx.db.get(CustomerSecretRow, (customer_id, kind.value))
    return found.sealed if found else ""
