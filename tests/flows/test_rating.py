"""The rating: a low score is asked about once, in the same chat (M4.10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from channels.wecom.sandbox.client import CustomerPhone
from tests.flows.app_chat import AppChat
from tests.flows.company import Company, Desk, company
from tests.waiting import eventually


@pytest.fixture
async def demo(database_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database_url, tmp_path) as running:
        yield running


async def served(demo: Company, wang: CustomerPhone) -> tuple[Desk, dict[str, Any]]:
    desk = await demo.desk("chenjing")
    await wang.says("转人工")
    session = await desk.gets_session("王建国")
    await desk.closes(session)
    await wang.hears("评价")
    return desk, session


async def rating(desk: Desk, session: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    """Wait until the rating says so."""

    async def find() -> dict[str, Any] | None:
        found: dict[str, Any] = await desk.get(f"/sessions/{session['id']}/rating")
        return found if all(found[key] == value for key, value in wanted.items()) else None

    found: dict[str, Any] = await eventually(find)
    return found


async def test_a_low_score_is_asked_about_and_the_reasons_are_kept(demo: Company) -> None:
    wang, app = demo.customer(1), AppChat(demo.phone_of("chenjing"))
    desk, session = await served(demo, wang)
    await wang.clicks("非常不满意")
    why = await wang.hears("哪方面的问题")
    assert "回复太慢" in why.text
    await wang.clicks("回复太慢")
    await wang.hears("写一句具体情况")
    await wang.clicks("问题没有解决")
    await wang.hears("已记下")
    await wang.says("等了二十分钟才有人")
    await wang.hears("感谢您的评价")
    await rating(
        desk,
        session,
        score=1,
        reasons=["回复太慢", "问题没有解决"],
        comment="等了二十分钟才有人",
    )
    assert "等了二十分钟" in str(await app.reads("等了二十分钟"))
    assert await desk.sessions("open") == []  # nothing of it began a session

    await wang.clicks("满意")  # it is asked, and told, once
    await wang.hears("已经评价过")
    await wang.says("忘记登录密码怎么重置？")
    await wang.hears("来源")
    assert (await rating(desk, session))["score"] == 1


async def test_whoever_has_something_else_to_say_is_not_held_up(demo: Company) -> None:
    wang = demo.customer(1)
    desk, session = await served(demo, wang)
    await wang.clicks("不满意")
    await wang.hears("哪方面的问题")
    await wang.says("转人工")
    await wang.hears("陈静")
    found = await rating(desk, session, score=2)
    assert (found["reasons"], found["comment"]) == ([], "")
    again = await desk.gets_session("王建国")
    await desk.closes(again)
    await wang.hears("评价")
    await wang.clicks("满意")
    said = await wang.hears("感谢您的评价")
    assert "哪方面" not in said.text
