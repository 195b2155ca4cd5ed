"""Reads of channel accounts."""

from __future__ import annotations

from sqlalchemy import select

from core.accounts.models import AccountRow
from core.db import Tx
from core.errors import NotFound
from core.views import AccountView, ServiceMode


def account_view(row: AccountRow) -> AccountView:
    return AccountView(
        id=row.id,
        channel=row.channel,
        account=row.account,
        name=row.name,
        mode=ServiceMode(row.mode),
        team_id=row.team_id,
        is_active=row.is_active,
        is_manageable=row.is_manageable,
        version=row.version,
    )


async def list_accounts(tx: Tx) -> list[AccountView]:
    rows = await tx.db.scalars(select(AccountRow).order_by(AccountRow.channel, AccountRow.name))
    return [account_view(row) for row in rows]


async def get_account(tx: Tx, account_id: str) -> AccountView:
    """Raises: NotFound."""
    row = await tx.db.get(AccountRow, account_id)
    if row is None:
        raise NotFound("account_not_found")
    return account_view(row)


async def find_account(tx: Tx, channel: str, account: str) -> AccountView | None:
    row = await tx.db.scalar(
        select(AccountRow).where(AccountRow.channel == channel, AccountRow.account == account)
    )
    return account_view(row) if row else None
