"""NATIVE reception: people answer inside WeCom, we mirror and may not write (issue 1, step 5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flows.company import Company, Desk, company
from tests.waiting import eventually


@pytest.fixture
async def demo(database_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database_url, tmp_path) as running:
        yield running


async def switch_to_native(demo: Company) -> Desk:
    """Switch every account to NATIVE, as an administrator does."""
    admin = await demo.desk("admin", online=False)
    for account in (await admin.get("/accounts"))["items"]:
        body = {"mode": "native", "version": account["version"]}
        await admin.call("PATCH", f"/accounts/{account['id']}", body)
    return admin


async def test_a_native_session_is_served_in_wecom_and_mirrored(demo: Company) -> None:
    await switch_to_native(demo)
    desk, phone = await demo.desk("chenjing"), demo.phone_of("chenjing")
    wang = demo.customer(1)

    await wang.says("转人工")
    await wang.hears("陈静")
    session = await desk.gets_session("王建国")
    assert session["mode"] == "native"
    assert await wang.state() == 3

    refused = await desk.posts(session, {"type": "text", "text": "从控制台回复"}, status=409)
    assert refused["code"] == "native_mode"

    line = await phone.replies(wang, "我在企业微信里回复您")
    mirrored = await desk.reads(session, "我在企业微信里回复您")
    assert (mirrored["sender"], mirrored["servicer_name"]) == ("servicer", "陈静")
    await wang.says("收到")
    await desk.reads(session, "收到")

    await phone.recalls(wang, line)

    async def recalled() -> bool:
        lines = await desk.transcript(session)
        return any(one["recalled_at"] for one in lines if one["id"] == mirrored["id"])

    assert await eventually(recalled)

    await phone.ends(wang)
    await wang.hears("评价")
    await wang.clicks("非常满意")
    await wang.hears("感谢您的评价")

    async def rated() -> bool:
        found = await desk.get(f"/sessions/{session['id']}")
        return bool(found["state"] == "closed" and found["rating_score"] == 5)

    assert await eventually(rated)


async def test_a_transfer_in_the_client_is_followed(demo: Company) -> None:
    await switch_to_native(demo)
    desk = await demo.desk("chenjing")
    wang = demo.customer(1)
    await wang.says("转人工")
    session = await desk.gets_session("王建国")
    colleague = await demo.desk("lijun")
    await demo.phone_of("chenjing").transfers(wang, "lijun")
    followed = await colleague.gets_session("王建国")
    assert followed["id"] == session["id"]
    assert await desk.sessions("mine") == []


async def test_a_native_session_closed_from_the_console_ends_in_wecom_too(demo: Company) -> None:
    await switch_to_native(demo)
    desk = await demo.desk("chenjing")
    wang = demo.customer(1)
    await wang.says("转人工")
    session = await desk.gets_session("王建国")
    await desk.closes(session)
    await wang.hears("评价")
    assert await wang.state() == 4


async def test_a_team_may_be_received_natively_on_an_account_that_is_not(demo: Company) -> None:
    admin = await demo.desk("admin", online=False)
    await demo.desk("chenjing")
    me = next(one for one in (await admin.get("/servicers"))["items"] if one["name"] == "陈静")
    draft = {"name": "手机接待组", "mode": "native", "member_ids": [me["id"]]}
    team = await admin.post("/teams", draft)
    for one in (await admin.get("/accounts"))["items"]:
        assert one["mode"] == "console"
        body = {"team_id": team["id"], "version": one["version"]}
        await admin.call("PATCH", f"/accounts/{one['id']}", body)
    wang = demo.customer(1)
    await wang.says("转人工")
    await wang.hears("陈静")
    assert await wang.state() == 3
