"""Customers whom we know before they write: from a contract list, a migration, the demo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from core.content import Address
from core.customers import names
from core.customers.models import CustomerRow, IdentityRow, InstitutionRow
from core.db import Tx
from core.ids import new_id
from core.institutions.service import ensure_keys


@dataclass(frozen=True, slots=True)
class Introduction:
    """A person, where they work, and the addresses from which they will write."""

    name: str
    institution: str
    institution_kind: str
    contract_level: str
    addresses: Sequence[Address]


async def introduce(tx: Tx, who: Introduction) -> str:
    """Make a customer with institution and identities. Returns the customer id."""
    institution_id = await _institution(tx, who)
    customer = CustomerRow(
        id=new_id(),
        name=who.name,
        is_temporary=False,
        institution_id=institution_id,
        created_at=tx.now,
        tags=[],
        custom={},
        version=1,
    )
    tx.db.add(customer)
    await names.rename(tx, customer, who.name)
    tx.db.add_all(
        IdentityRow(
            id=new_id(),
            customer_id=customer.id,
            channel=address.channel,
            account=address.account,
            user=address.user,
            created_at=tx.now,
        )
        for address in who.addresses
    )
    return customer.id


async def _institution(tx: Tx, who: Introduction) -> str:
    known = await tx.db.scalar(
        select(InstitutionRow.id).where(InstitutionRow.name == who.institution)
    )
    if known is not None:
        return known
    row = InstitutionRow(
        id=new_id(),
        name=who.institution,
        kind=who.institution_kind,
        contract_level=who.contract_level,
        created_at=tx.now,
        version=1,
    )
    tx.db.add(row)
    await tx.db.flush()
    await ensure_keys(tx)
    return row.id
