"""VPN profiles of institutions: kept sealed, changed, retired; every look is audited."""

from __future__ import annotations

from pydantic import Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing
from core.db import Tx
from core.permissions import Permission
from core.remote_assistance import vpn
from core.remote_assistance.vpn import VpnChange, VpnProfileView, VpnSecret
from core.views import View

WORK, MANAGE = Permission.TICKET_WORK, Permission.CUSTOMER_MANAGE


class VpnBody(Body):
    name: str = Field(min_length=1, max_length=64)
    address: str = Field(min_length=1, max_length=300)
    username: str = Field("", max_length=200)
    password: str = Field("", max_length=200)
    note: str = Field("", max_length=1000)


class VpnChangeBody(Body):
    """null: stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=64)
    address: str | None = Field(None, min_length=1, max_length=300)
    username: str | None = Field(None, max_length=200)
    password: str | None = Field(None, max_length=200)
    note: str | None = Field(None, max_length=1000)
    version: Version


class VpnSecretView(View):
    address: str
    username: str
    password: str
    note: str


@endpoint("GET", "/institutions/{institution_id}/vpn-profiles", access=WORK, tag="remote")
async def list_vpn_profiles(call: Call, tx: Tx, institution_id: str) -> Listing[VpnProfileView]:
    """VPN profiles of an institution, without their secrets."""
    del call
    return Listing(items=await vpn.of_institution(tx, institution_id))


@endpoint(
    "POST",
    "/institutions/{institution_id}/vpn-profiles",
    access=MANAGE,
    tag="remote",
    status=201,
)
async def create_vpn_profile(
    call: Call, tx: Tx, institution_id: str, body: VpnBody
) -> VpnProfileView:
    """Keep a VPN profile, sealed."""
    secret = VpnSecret(body.address, body.username, body.password, body.note)
    return await vpn.create(
        tx, call.services.keyring, institution_id, secret, name=body.name, by=call.actor
    )


@endpoint("POST", "/vpn-profiles/{profile_id}/reveal", access=WORK, tag="remote")
async def reveal_vpn_profile(call: Call, tx: Tx, profile_id: str) -> VpnSecretView:
    """The secret of a VPN profile; the look is audited."""
    secret = await vpn.reveal(tx, call.services.keyring, profile_id, by=call.actor)
    return VpnSecretView(
        address=secret.address,
        username=secret.username,
        password=secret.password,
        note=secret.note,
    )


@endpoint("PATCH", "/vpn-profiles/{profile_id}", access=MANAGE, tag="remote")
async def change_vpn_profile(
    call: Call, tx: Tx, profile_id: str, body: VpnChangeBody
) -> VpnProfileView:
    """Change a VPN profile; only what is given changes."""
    changes = VpnChange(**body.model_dump(exclude={"version"}))
    return await vpn.change(
        tx, call.services.keyring, profile_id, changes, version=body.version, by=call.actor
    )


@endpoint("DELETE", "/vpn-profiles/{profile_id}", access=MANAGE, tag="remote")
async def retire_vpn_profile(call: Call, tx: Tx, profile_id: str) -> None:
    """Forget a VPN profile's secret; records go on naming it."""
    await vpn.retire(tx, profile_id, by=call.actor)
