"""Two processes that start together read the same list of accounts."""

from __future__ import annotations

import pytest

from core.accounts.limits import AccountLimits
from core.accounts.service import register
from core.db import Tx, UnitOfWork
from core.views import AccountView
from tests.rival import Rival

pytestmark = pytest.mark.postgres


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """SQLite has one writer: nobody registers in the middle of another's transaction."""
    return postgres_url


async def _registered(tx: Tx) -> AccountView:
    return await register(
        tx, channel="wecom_kf", account="wk1", name="疾控产品支持", limits=AccountLimits()
    )


async def test_an_account_is_registered_once_and_nobody_fails(uow: UnitOfWork) -> None:
    seen: list[AccountView] = []

    async def start() -> None:
        async with uow.write() as tx:
            seen.append(await _registered(tx))

    starting = Rival(uow, start)
    async with uow.write() as tx:
        ours = await _registered(tx)
        await starting.begins()
    await starting.ends()
    assert [(view.id, view.name) for view in seen] == [(ours.id, "疾控产品支持")]
