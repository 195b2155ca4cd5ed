"""The only writer of channel accounts."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from core.accounts.limits import AccountLimits
from core.accounts.models import AccountRow
from core.accounts.queries import account_view
from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.ids import new_id
from core.permissions import Permission
from core.views import AccountView, ServiceMode

_BY_NAME = select(AccountRow).where(
    AccountRow.channel == bindparam("a_channel"), AccountRow.account == bindparam("an_account")
)


async def register(
    tx: Tx,
    *,
    channel: str,
    account: str,
    name: str,
    limits: AccountLimits,
    is_manageable: bool = True,
) -> AccountView:
    """Make an account known, or bring what the platform says about it up to date. Idempotent."""
    row = await ensure_known(tx, channel=channel, account=account, limits=limits)
    row.name = name or account
    row.limits = limits.model_dump()
    row.is_manageable = is_manageable
    await tx.db.flush()
    return account_view(row)


async def ensure_known(tx: Tx, *, channel: str, account: str, limits: AccountLimits) -> AccountRow:
    """The account a customer writes to, registered here when its list was not read yet.

    The name is the platform's id until the directory has been read.
    """
    wanted = {"a_channel": channel, "an_account": account}
    row = await tx.db.scalar(_BY_NAME, wanted)
    if row is None:
        values = {
            "id": new_id(),
            "channel": channel,
            "account": account,
            "name": account[:64],
            "mode": ServiceMode.CONSOLE,
            "is_active": True,
            "is_manageable": True,
            "limits": limits.model_dump(),
            "created_at": tx.now,
            "version": 1,
        }
        await tx.db.execute(tx.upsert(AccountRow).values(values).on_conflict_do_nothing())
        row = (await tx.db.scalars(_BY_NAME, wanted)).one()
    return row


async def change(  # noqa: PLR0913 - one keyword per field that may change
    tx: Tx,
    account_id: str,
    *,
    version: int,
    by: Actor,
    mode: ServiceMode | None = None,
    is_active: bool | None = None,
    team_id: str | None = None,
) -> AccountView:
    """Switch mode, team or the account itself; running sessions keep theirs. team_id "": none.

    Raises: Forbidden, NotFound, Conflict; Invalid when the channel has no native reception.
    """
    by.require(Permission.ACCOUNT_MANAGE)
    row = await tx.db.get(AccountRow, account_id, with_for_update=True)
    if row is None:
        raise NotFound("account_not_found")
    if row.version != version:
        raise Conflict("conflict", current=account_view(row).model_dump(mode="json"))
    limits = AccountLimits.model_validate(row.limits)
    if mode is ServiceMode.NATIVE and not limits.has_native_handover:
        raise Invalid("native_mode_unsupported", field="mode")
    if mode is not None:
        row.mode = mode
    if is_active is not None:
        row.is_active = is_active
    if team_id is not None:
        row.team_id = team_id or None
    row.version += 1
    facts = {"mode": row.mode, "is_active": row.is_active}
    await audit.append(tx, by=by, action="account.changed", target=account_id, facts=facts)
    await tx.db.flush()
    return account_view(row)
