"""Keys with which other systems call this API."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing
from core.api_keys import queries, service
from core.api_keys.queries import ApiKeyView
from core.db import Tx
from core.permissions import Permission

MANAGE = Permission.API_KEY_MANAGE


class ApiKeyBody(Body):
    """permissions: only what that system needs. expires_at absent: until it is revoked."""

    name: str = Field(min_length=1, max_length=64, pattern=r"\S")
    permissions: list[Annotated[str, Field(max_length=64)]] = Field(min_length=1, max_length=50)
    expires_at: AwareDatetime | None = None


class MadeApiKey(BaseModel):
    """secret: shown now and never again."""

    key: ApiKeyView
    secret: str


@endpoint("GET", "/api-keys", access=MANAGE, tag="api_keys")
async def list_api_keys(call: Call, tx: Tx) -> Listing[ApiKeyView]:
    """All keys, newest first, with what they may do and when they were last used."""
    del call
    return Listing(items=await queries.list_keys(tx))


@endpoint("POST", "/api-keys", access=MANAGE, tag="api_keys", status=201)
async def create_api_key(call: Call, body: ApiKeyBody) -> MadeApiKey:
    """Make a key; its secret is in this answer only."""
    async with call.services.uow.write() as tx:
        made = await service.create(
            tx,
            call.services.keyring,
            name=body.name,
            permissions=body.permissions,
            expires_at=body.expires_at,
            by=call.actor,
        )
    return MadeApiKey(key=made.key, secret=made.secret)


@endpoint("DELETE", "/api-keys/{key_id}", access=MANAGE, tag="api_keys")
async def revoke_api_key(call: Call, tx: Tx, key_id: str) -> ApiKeyView:
    """Refuse every further request with this key."""
    return await service.revoke(tx, key_id, by=call.actor)
