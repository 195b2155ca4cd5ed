"""The consult journey, as the people in it live it (issue 1, steps 1 to 4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.event_log import EventRow
from core.settings.sections import Bot
from tests.flows.company import CDC, Company, company
from tests.waiting import eventually


@pytest.fixture
async def demo(database_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database_url, tmp_path) as running:
        yield running


async def test_a_customer_is_greeted_answered_served_and_rates(demo: Company) -> None:
    wang = demo.customer(1)
    desk = await demo.desk("chenjing")

    assert await wang.enters("website")
    greeting = await wang.hears("您好")
    assert "转人工" in greeting.text

    await wang.says("忘记登录密码怎么重置？")
    answer = await wang.hears("来源")
    assert "已解决" in answer.text
    assert "密码" in answer.text

    await wang.says("转人工")
    await wang.hears("陈静")
    session = await desk.gets_session("王建国")
    assert session["institution_name"] == "云岭县疾控中心"
    tried = await desk.get(f"/sessions/{session['id']}/decisions")
    assert [one["band"] for one in tried["items"]] == ["answer"]

    await desk.says(session, "您好，我来帮您看看 😊")
    await wang.hears("我来帮您看看 😊")
    await wang.says("好的谢谢")
    await desk.reads(session, "好的谢谢")
    assert (await desk.sessions())[0]["window"]["left"] == 5

    closed = await desk.closes(session)
    assert closed["state"] == "closed"
    invitation = await wang.hears("评价")
    assert "非常满意" in invitation.text
    await wang.clicks("满意")
    await wang.hears("感谢您的评价")

    async def rating() -> int | None:
        found = await desk.get(f"/sessions/{session['id']}")
        return found["rating_score"]

    assert await eventually(rating) == 4
    assert [one["id"] for one in await desk.sessions("open")] == []


async def test_nonsense_is_admitted_and_people_are_offered(demo: Company) -> None:
    wang = demo.customer(1)
    await wang.says("阿斯蒂芬去外婆家坐大象飞毯量子西瓜")
    said = await wang.hears("转人工")
    assert "来源" not in said.text


async def test_small_talk_after_a_miss_is_no_second_miss(demo: Company) -> None:
    wang = demo.customer(1)
    await wang.says("阿斯蒂芬去外婆家坐大象飞毯量子西瓜")
    await wang.hears("转人工")
    await wang.says("好的，那我再看看")
    await wang.hears("不着急")
    await wang.says("[微笑]")
    await wang.hears("答疑助手")
    desk = await demo.desk("chenjing")
    assert [one["state"] for one in await desk.sessions("open")] == ["bot"]
    await wang.says("大象飞毯量子西瓜坐着去外婆家阿斯蒂芬")
    await wang.hears("马上为您转接")


async def test_five_short_lines_get_one_answer(demo: Company) -> None:
    await demo.sets(Bot(burst_quiet_s=4, burst_max_s=30))
    wang = demo.customer(2)
    for line in ("你好", "在吗", "系统登不上", "密码忘了", "怎么办"):
        await wang.says(line)
    await wang.hears()
    await demo.sandbox.settle()
    said = await wang.heard()
    assert len(said) == 1, said


async def test_whoever_waits_is_told_the_truth_and_served_when_someone_comes(
    demo: Company,
) -> None:
    wang = demo.customer(1)
    await wang.says("转人工")
    await wang.hears("没有客服在线")
    await wang.says("前面还有几个人")
    await wang.hears("没有客服在线")
    desk = await demo.desk("lijun")
    session = await desk.gets_session("王建国")
    assert session["state"] == "serving"
    await wang.hears("李军")


async def test_two_accounts_keep_one_customer_apart(demo: Company) -> None:
    here, there = demo.customer(3, CDC), demo.customer(3, "wkDemoProductHospital0000000002")
    await here.says("转人工")
    await here.hears("没有客服在线")
    await there.says("忘记登录密码怎么重置？")
    await there.hears("来源")
    assert not any("来源" in line for line in await here.heard())


async def test_a_wish_for_a_person_or_a_red_line_does_not_wait_for_more_lines(
    demo: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_now(*_: object) -> None:
        """No wait for more lines ends in this test."""

    monkeypatch.setattr("bot.jobs.kinds.end_burst", not_now)
    bitten, impatient = demo.customer(4), demo.customer(5)
    await bitten.says("孩子被狗咬了")
    await bitten.hears("清水")
    await impatient.says("在吗")
    await impatient.says("给我转人工吧")
    await impatient.hears("没有客服在线")


async def test_a_red_line_is_answered_in_the_queue_and_only_alarms_while_people_serve(
    demo: Company,
) -> None:
    wang = demo.customer(1)
    await wang.says("转人工")
    await wang.hears("没有客服在线")
    await wang.says("我刚被狗咬了")
    await wang.hears("清水")

    async def alarms(count: int) -> bool:
        async with demo.app.uow.read() as tx:
            rows = await tx.db.scalars(select(EventRow).where(EventRow.type == "alarm.raised"))
        return sum(row.payload["code"] == "red_line" for row in rows) == count

    await eventually(lambda: alarms(1))
    desk = await demo.desk("lijun")
    session = await desk.gets_session("王建国")
    told = await desk.get(f"/sessions/{session['id']}/decisions")
    assert [one["gate"] for one in told["items"]] == ["redline_bite"]
    await wang.says("心里难受，真的想不开")
    await desk.reads(session, "想不开")
    await eventually(lambda: alarms(2))
    assert not any("12356" in line for line in await wang.heard())
