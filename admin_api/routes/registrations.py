"""Registration links with QR codes, for administrators."""

from __future__ import annotations

import asyncio
import io
from typing import Annotated

import segno
from aiohttp import web
from pydantic import AwareDatetime, BaseModel, Field

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing
from core.accounts import queries as accounts
from core.db import Tx
from core.errors import NotFound
from core.permissions import Permission
from core.registration import entry
from core.registration.entry import LinkDraft, RegistrationLinkView

MANAGE = Permission.CUSTOMER_MANAGE
Id = Annotated[str, Field(min_length=1, max_length=32)]


class RegistrationLinkBody(Body):
    """Whoever comes through the link belongs to this institution, team and product."""

    name: str = Field(min_length=1, max_length=64)
    account_id: Id | None = None
    institution_id: Id | None = None
    team_id: Id | None = None
    product: str = Field("", max_length=64)
    product_version: str = Field("", max_length=32)
    expires_at: AwareDatetime | None = None


class RegistrationUrl(BaseModel):
    """url: opens a conversation with the account and carries the scene parameter."""

    url: str


@endpoint("GET", "/registration-links", access=MANAGE, tag="registration")
async def list_registration_links(call: Call, tx: Tx) -> Listing[RegistrationLinkView]:
    """Links, newest first, with how many came through each."""
    return Listing(items=await entry.list_links(tx, call.services.keyring))


@endpoint("POST", "/registration-links", access=MANAGE, tag="registration", status=201)
async def create_registration_link(
    call: Call, tx: Tx, body: RegistrationLinkBody
) -> RegistrationLinkView:
    """Make a signed link for an institution, team or product."""
    draft = LinkDraft(**body.model_dump())
    return await entry.create_link(tx, call.services.keyring, draft, by=call.actor)


@endpoint("DELETE", "/registration-links/{code}", access=MANAGE, tag="registration")
async def retire_registration_link(call: Call, tx: Tx, code: str) -> None:
    """Later scans of this link bind to nothing."""
    await entry.retire_link(tx, code, by=call.actor)


@endpoint("POST", "/registration-links/{code}/url", access=MANAGE, tag="registration")
async def make_registration_url(call: Call, code: str) -> RegistrationUrl:
    """The address that opens the conversation, asked of the platform."""
    return RegistrationUrl(url=await _url(call, code))


@endpoint("GET", "/registration-links/{code}/qr", access=MANAGE, tag="registration")
async def draw_registration_qr(call: Call, code: str) -> web.Response:
    """The same address as a QR code (SVG)."""
    url = await _url(call, code)
    out = io.BytesIO()
    await asyncio.to_thread(segno.make(url, error="m").save, out, kind="svg", scale=8)
    return web.Response(body=out.getvalue(), content_type="image/svg+xml")


async def _url(call: Call, code: str) -> str:
    services = call.services
    async with services.uow.read() as tx:
        link = await entry.get_link(tx, services.keyring, code)
        if link.account_id is None or services.links is None:
            raise NotFound("link_not_available")
        account = await accounts.get_account(tx, link.account_id)
    url = await services.links(account, link.scene, link.scene_param)
    if url is None:
        raise NotFound("link_not_available")
    return url
