"""The only writer of API keys: made with a secret that is shown once, revoked for good."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update

from core.actor import Actor
from core.api_keys.models import ApiKeyRow
from core.api_keys.queries import ApiKeyView, key_view
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.ids import new_id
from core.permissions import Permission
from core.sealing import KeyRing

CONTEXT: Final = "api_key.secret"
#: What a key may be given: anything but making further keys.
GRANTABLE: Final = frozenset(Permission) - {Permission.API_KEY_MANAGE}
#: Uses are noted this often, not at every request.
_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class MadeKey:
    """secret: known now and never again."""

    key: ApiKeyView
    secret: str


async def create(
    tx: Tx,
    keys: KeyRing,
    *,
    name: str,
    permissions: Sequence[str],
    expires_at: datetime | None,
    by: Actor,
) -> MadeKey:
    """Raises: Forbidden, also for a permission that the maker lacks; Invalid."""
    by.require(Permission.API_KEY_MANAGE)
    wanted = sorted(set(permissions))
    if not wanted:
        raise Invalid("required", field="permissions")
    if not GRANTABLE.issuperset(wanted):
        raise Invalid("not_grantable", field="permissions")
    for permission in wanted:
        by.require(permission)
    if expires_at is not None and expires_at <= tx.now:
        raise Invalid("in_the_past", field="expires_at")
    secret = secrets.token_urlsafe(32)
    row = ApiKeyRow(
        id=new_id(),
        name=name.strip(),
        secret_sealed=keys.seal(secret, context=CONTEXT),
        permissions=wanted,
        created_at=tx.now,
        created_by=by.key,
        expires_at=expires_at,
        last_used_ip="",
    )
    tx.db.add(row)
    facts = {"name": row.name, "permissions": ",".join(wanted)}
    await audit.append(tx, by=by, action="api_key.created", target=row.id, facts=facts)
    return MadeKey(key_view(row), secret)


async def revoke(tx: Tx, key_id: str, *, by: Actor) -> ApiKeyView:
    """Refuse every further request with it. Raises: Forbidden; NotFound; Conflict."""
    by.require(Permission.API_KEY_MANAGE)
    row = await tx.db.get(ApiKeyRow, key_id, with_for_update=True)
    if row is None:
        raise NotFound(noun="api_key", id=key_id)
    if row.revoked_at is not None:
        raise Conflict("already_done")
    row.revoked_at = tx.now
    await audit.append(
        tx, by=by, action="api_key.revoked", target=row.id, facts={"name": row.name}
    )
    return key_view(row)


def is_worth_noting(last_used_at: datetime | None, now: datetime) -> bool:
    return last_used_at is None or now - last_used_at >= _NOTED_EVERY


async def note_use(tx: Tx, key_id: str, ip: str) -> None:
    await tx.db.execute(
        update(ApiKeyRow)
        .where(ApiKeyRow.id == key_id)
        .values(last_used_at=tx.now, last_used_ip=ip[:64])
    )


async def reseal(tx: Tx, keys: KeyRing, *, after: str = "", limit: int = 200) -> str | None:
    """Seal secrets anew after a change of the key. Returns the last id seen; None at the end.

    Raises: SealBroken when a key is missing from the ring.
    """
    query = select(ApiKeyRow).where(ApiKeyRow.id > after).order_by(ApiKeyRow.id).limit(limit)
    rows = (await tx.db.scalars(query)).all()
    for row in rows:
        if keys.needs_resealing(row.secret_sealed):
            secret = keys.open(row.secret_sealed, context=CONTEXT)
            row.secret_sealed = keys.seal(secret, context=CONTEXT)
    return rows[-1].id if len(rows) == limit else None
