"""After a change of the key: what is kept sealed of customers, sealed anew.

Merges first: they hold copies of sealed fields, and undoing one compares a copy with the field.
Equal sealed texts therefore become equal again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import or_, select

from core.customers.file_models import CustomerMergeRow, CustomerSecretRow
from core.customers.models import CustomerRow
from core.customers.profiles import CustomerSecret, context_of
from core.db import Tx
from core.registration.models import RegistrationRow
from core.registration.service import SEALED_FOR as REGISTRATION
from core.sealing import KeyRing

LIMIT: Final = 200
_SECRETS: Final = CustomerSecretRow.__tablename__
#: Column of a copied row → what it holds; a row of customer_secrets says so itself.
_PHONE: Final = ("phone_sealed", "phone_index")
_SECRET: Final = ("sealed", "blind_index")


class Resealing:
    """One pass over everything, in steps that are transactions of their own.

    Each step takes the last id seen and returns the next one, None at the end.
    Raises: SealBroken when a key is missing from the ring.
    """

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._copied: dict[str, tuple[str, str]] = {}

    async def merges(self, tx: Tx, after: str = "", limit: int = LIMIT) -> str | None:
        query = select(CustomerMergeRow).where(CustomerMergeRow.id > after)
        rows = (await tx.db.scalars(query.order_by(CustomerMergeRow.id).limit(limit))).all()
        for row in rows:
            secrets = row.before["dropped"].get(_SECRETS, [])
            dropped = [self._copy(one, CustomerSecret(one["kind"]), *_SECRET) for one in secrets]
            row.before = {
                "kept": self._phone(row.before["kept"]),
                "gone": self._phone(row.before["gone"]),
                "dropped": row.before["dropped"] | ({_SECRETS: dropped} if dropped else {}),
            }
            row.after = self._phone(row.after)
        await tx.db.flush()
        return rows[-1].id if len(rows) == limit else None

    async def customers(self, tx: Tx, after: str = "", limit: int = LIMIT) -> str | None:
        others = select(CustomerSecretRow.customer_id)
        has_any = or_(CustomerRow.phone_sealed != "", CustomerRow.id.in_(others))
        query = select(CustomerRow).where(CustomerRow.id > after, has_any)
        rows = (await tx.db.scalars(query.order_by(CustomerRow.id).limit(limit))).all()
        for row in rows:
            renewed = self._renewed(CustomerSecret.PHONE, row.phone_sealed)
            row.phone_sealed, row.phone_index = renewed or (row.phone_sealed, row.phone_index)
        ids = [row.id for row in rows]
        mine = select(CustomerSecretRow).where(CustomerSecretRow.customer_id.in_(ids))
        for one in await tx.db.scalars(mine):
            renewed = self._renewed(CustomerSecret(one.kind), one.sealed)
            one.sealed, one.blind_index = renewed or (one.sealed, one.blind_index)
        await tx.db.flush()
        return rows[-1].id if len(rows) == limit else None

    async def registrations(self, tx: Tx, after: str = "", limit: int = LIMIT) -> str | None:
        """Numbers of those who are in the middle of the form."""
        under_way = select(RegistrationRow).where(
            RegistrationRow.customer_id > after, RegistrationRow.phone_sealed != ""
        )
        ordered = under_way.order_by(RegistrationRow.customer_id).limit(limit)
        rows = (await tx.db.scalars(ordered)).all()
        for row in rows:
            if self._keys.needs_resealing(row.phone_sealed):
                plain = self._keys.open(row.phone_sealed, context=REGISTRATION)
                row.phone_sealed = self._keys.seal(plain, context=REGISTRATION)
        await tx.db.flush()
        return rows[-1].customer_id if len(rows) == limit else None

    def _phone(self, copied: Mapping[str, Any]) -> dict[str, Any]:
        return self._copy(copied, CustomerSecret.PHONE, *_PHONE)

    def _copy(
        self, copied: Mapping[str, Any], kind: CustomerSecret, sealed: str, index: str
    ) -> dict[str, Any]:
        old = copied[sealed]
        renewed = self._renewed(kind, old)
        if renewed is None:
            return dict(copied)
        self._copied[old] = renewed
        return {**copied, sealed: renewed[0], index: renewed[1]}

    def _renewed(self, kind: CustomerSecret, sealed: str) -> tuple[str, str] | None:
        """Sealed text and blind index under the newest key; None when they are."""
        if not self._keys.needs_resealing(sealed):
            return None
        if sealed in self._copied:
            return self._copied[sealed]
        context = context_of(kind)
        plain = self._keys.open(sealed, context=context)
        seal, index = self._keys.seal, self._keys.blind_index
        return seal(plain, context=context), index(plain, context=context)
