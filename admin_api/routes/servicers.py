"""People who answer customers."""

from __future__ import annotations

from pydantic import Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing
from core.db import Tx
from core.errors import Forbidden
from core.permissions import Permission
from core.servicers import queries, service
from core.servicers.service import Going
from core.settings.reception import Reception
from core.users.queries import get_user
from core.views import Presence, ServicerView


class ServicerCreateBody(Body):
    user_id: str = Field(max_length=32)
    name: str = Field(min_length=1, max_length=64)
    wecom_userid: str | None = Field(None, max_length=64)
    capacity: int | None = Field(None, ge=1, le=1000)


class ServicerChangeBody(Body):
    """wecom_userid "": unbind."""

    name: str | None = Field(None, min_length=1, max_length=64)
    capacity: int | None = Field(None, ge=0, le=1000)
    wecom_userid: str | None = Field(None, max_length=64)
    version: Version


class PresenceBody(Body):
    """keeps_sessions: going offline, let my sessions wait for me; null: as the settings say."""

    presence: Presence
    keeps_sessions: bool | None = None

    def going(self) -> Going:
        return Going(self.presence, keeps=self.keeps_sessions)


@endpoint("GET", "/servicers", access=Permission.SESSION_SERVE, tag="servicers")
async def list_servicers(call: Call, tx: Tx) -> Listing[ServicerView]:
    """All servicers, with presence and load."""
    del call
    return Listing(items=await queries.list_servicers(tx))


@endpoint("POST", "/servicers", access=Permission.USER_MANAGE, tag="servicers", status=201)
async def create_servicer(call: Call, tx: Tx, body: ServicerCreateBody) -> ServicerView:
    """Let a user serve customers."""
    await get_user(tx, body.user_id)
    reception = call.services.settings.get(Reception)
    return await service.create(
        tx,
        user_id=body.user_id,
        name=body.name,
        capacity=body.capacity or reception.default_capacity,
        wecom_userid=body.wecom_userid,
        by=call.actor,
    )


@endpoint("PATCH", "/servicers/{servicer_id}", access=Permission.USER_MANAGE, tag="servicers")
async def change_servicer(
    call: Call, tx: Tx, servicer_id: str, body: ServicerChangeBody
) -> ServicerView:
    """Change name, limit or the bound WeCom user."""
    return await service.change(
        tx,
        servicer_id,
        version=body.version,
        name=body.name,
        capacity=body.capacity,
        wecom_userid=body.wecom_userid,
        by=call.actor,
    )


@endpoint("PUT", "/servicers/me/presence", access=Permission.SESSION_SERVE, tag="servicers")
async def set_my_presence(call: Call, tx: Tx, body: PresenceBody) -> ServicerView:
    """Say whether I am there."""
    if call.actor.servicer_id is None:
        raise Forbidden("not_a_servicer")
    return await service.set_presence(tx, call.actor.servicer_id, body.going(), by=call.actor)


@endpoint(
    "PUT",
    "/servicers/{servicer_id}/presence",
    access=Permission.SESSION_SUPERVISE,
    tag="servicers",
)
async def set_presence(call: Call, tx: Tx, servicer_id: str, body: PresenceBody) -> ServicerView:
    """Say it for a colleague who forgot."""
    return await service.set_presence(tx, servicer_id, body.going(), by=call.actor)
