"""Customers may write before we have read which accounts there are: nobody is turned away."""

from __future__ import annotations

from pathlib import Path

from bot.jobs.directory import sync_directory
from core.accounts.queries import list_accounts
from tests.flows.company import CDC, HOSPITAL, Company, company
from tests.waiting import eventually


async def names(demo: Company) -> dict[str, str]:
    """Of the accounts of 微信客服 that we know, by their ids."""
    async with demo.app.uow.read() as tx:
        found = [one for one in await list_accounts(tx) if one.channel == "wecom_kf"]
    assert len({one.account for one in found}) == len(found)
    return {one.account: one.name for one in found}


async def test_the_first_word_to_an_account_we_did_not_know_is_answered(
    database_url: str, tmp_path: Path
) -> None:
    async with company(database_url, tmp_path, faults={"kf/account/list": -1}) as demo:
        assert await names(demo) == {}
        wang = demo.customer(2, HOSPITAL)
        await wang.says("忘记登录密码怎么重置？")
        await wang.hears("来源")
        assert await names(demo) == {HOSPITAL: HOSPITAL}

        await demo.sandbox.clear_faults()
        await sync_directory(demo.app.uow, demo.app.channels)
        known = await names(demo)
        assert {CDC, HOSPITAL} <= set(known)
        assert known[HOSPITAL] != HOSPITAL


async def test_an_account_whose_servicers_cannot_be_read_is_known_all_the_same(
    database_url: str, tmp_path: Path
) -> None:
    async with company(database_url, tmp_path, faults={"kf/servicer/list": 48002}) as demo:

        async def all_known() -> bool:
            return {CDC, HOSPITAL} <= set(await names(demo))

        await eventually(all_known)
