"""Reading API keys: as administrators see them, and as a request needs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select

from core.actor import Actor
from core.api_keys.models import ApiKeyRow
from core.db import Tx
from core.views import View


class ApiKeyView(View):
    id: str
    name: str
    permissions: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str


@dataclass(frozen=True, slots=True)
class UsableKey:
    """A key in force, and whoever acts with it."""

    actor: Actor
    secret_sealed: str = field(repr=False)
    last_used_at: datetime | None


def key_view(row: ApiKeyRow) -> ApiKeyView:
    return ApiKeyView.model_validate(
        {name: getattr(row, name) for name in ApiKeyView.model_fields}
        | {"permissions": tuple(row.permissions)}
    )


async def list_keys(tx: Tx) -> list[ApiKeyView]:
    """Newest first, with those revoked."""
    query = select(ApiKeyRow).order_by(ApiKeyRow.id.desc()).limit(200)
    return [key_view(row) for row in await tx.db.scalars(query)]


async def usable(tx: Tx, key_id: str, *, ip: str) -> UsableKey | None:
    """None for a key that is unknown, revoked or expired."""
    row = await tx.db.scalar(
        select(ApiKeyRow).where(
            ApiKeyRow.id == key_id,
            ApiKeyRow.revoked_at.is_(None),
            or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > tx.now),
        )
    )
    if row is None:
        return None
    actor = Actor(
        None, None, f"key:{row.id}", None, frozenset(row.permissions), ip, is_program=True
    )
    return UsableKey(actor, row.secret_sealed, row.last_used_at)
