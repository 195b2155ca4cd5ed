"""Channel accounts: the doors through which customers come."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing
from core.accounts import queries, service
from core.db import Tx
from core.errors import Invalid
from core.permissions import Permission
from core.views import AccountView, ServiceMode


class AccountChangeBody(Body):
    mode: ServiceMode | None = None
    team_id: str | None = Field(None, max_length=32)
    is_active: bool | None = None
    version: Version


class LinkBody(Body):
    """scene: where the link is shown. scene_param: carried into the session."""

    scene: str = Field("", max_length=32, pattern=r"^[0-9A-Za-z_-]*$")
    scene_param: str = Field("", max_length=128)


class LinkView(BaseModel):
    model_config = ConfigDict(frozen=True)

    url: str


@endpoint("GET", "/accounts", access=Permission.SESSION_SERVE, tag="accounts")
async def list_accounts(call: Call, tx: Tx) -> Listing[AccountView]:
    """All accounts of all channels."""
    del call
    return Listing(items=await queries.list_accounts(tx))


@endpoint("PATCH", "/accounts/{account_id}", access=Permission.ACCOUNT_MANAGE, tag="accounts")
async def change_account(
    call: Call, tx: Tx, account_id: str, body: AccountChangeBody
) -> AccountView:
    """Change who receives customers (console or native), or switch an account off."""
    return await service.change(
        tx,
        account_id,
        version=body.version,
        by=call.actor,
        mode=body.mode,
        team_id=body.team_id,
        is_active=body.is_active,
    )


@endpoint("POST", "/accounts/{account_id}/link", access=Permission.SESSION_SERVE, tag="accounts")
async def make_link(call: Call, account_id: str, body: LinkBody) -> LinkView:
    """A link (or QR content) that opens a conversation with this account."""
    async with call.services.uow.read() as tx:
        account = await queries.get_account(tx, account_id)
    if call.services.links is None:
        raise Invalid("link_unavailable")
    url = await call.services.links(account, body.scene, body.scene_param)
    if url is None:
        raise Invalid("link_unavailable")
    return LinkView(url=url)
