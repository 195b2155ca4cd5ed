"""Nobody is in: a message is left with an honest promise; and whoever does not want to wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.jobs.sweep import sweep_sessions
from bot.leaving import spoken_moment
from core.actor import Actor
from core.calendars import arithmetic, service
from core.calendars.queries import working_calendar
from core.calendars.service import CalendarDraft
from core.clock import LOCAL_ZONE
from core.settings.reception import Reception
from tests.flows.company import Company, company


@pytest.fixture
async def demo(database_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database_url, tmp_path) as running:
        yield running


async def closed_until_the_day_after_tomorrow(demo: Company) -> str:
    """The default calendar opens in two days at nine. Returns how that is said."""
    async with demo.app.uow.write() as tx:
        day = (tx.now.astimezone(LOCAL_ZONE) + timedelta(days=2)).weekday()
        week = [[("09:00", "17:00")] if index == day else [] for index in range(7)]
        draft = CalendarDraft("值守", week, follows_holidays=False, is_default=True)
        made = await service.create(tx, draft, by=Actor.system("test"))
    async with demo.app.uow.read() as tx:
        opens = arithmetic.next_open(await working_calendar(tx, made.id), tx.now)
    assert opens is not None
    return spoken_moment(opens)


async def test_out_of_hours_the_customer_leaves_a_message(demo: Company) -> None:
    promised = await closed_until_the_day_after_tomorrow(demo)
    wang = demo.customer(1)
    await wang.says("转人工")
    told = await wang.hears("非服务时间")
    assert f"我们将在 {promised} 前回复您" in told.text
    number = told.text.partition("工单号 ")[2].partition("。")[0]
    await wang.says("系统从昨晚开始登不上")
    await wang.hears(f"已补充到工单 {number}")
    await wang.says("全院都这样")
    await wang.says("人工")
    again = await wang.hears("非服务时间")
    assert number in again.text

    desk = await demo.desk("chenjing", online=False)
    ticket = await desk.get(f"/ticket-numbers/{number}")
    assert ticket["source"] == "after_hours"
    entries = (await desk.get(f"/tickets/{ticket['id']}/entries"))["items"]
    texts = [one["text"] for one in entries]
    assert {"系统从昨晚开始登不上", "全院都这样"} <= set(texts)
    assert any(promised in text for text in texts)
    assert await desk.sessions("open") == []
    await wang.says("退出")
    await wang.hears("留言已保存")
    await wang.says("忘记登录密码怎么重置？")
    await wang.hears("来源")


async def test_whoever_is_there_out_of_hours_serves(demo: Company) -> None:
    await closed_until_the_day_after_tomorrow(demo)
    desk = await demo.desk("chenjing")
    wang = demo.customer(1)
    await wang.says("转人工")
    await wang.hears("陈静")
    assert (await desk.gets_session("王建国"))["state"] == "serving"


async def test_a_full_queue_without_anybody_takes_messages(demo: Company) -> None:
    await demo.sets(Reception(queue_max=1))
    wang, other = demo.customer(1), demo.customer(2)
    await wang.says("转人工")
    await wang.hears("没有客服在线")
    await other.says("转人工")
    await other.hears("等候的人也很多")


async def test_who_still_waits_when_the_doors_close_may_leave_a_message(demo: Company) -> None:
    wang, other = demo.customer(1), demo.customer(2)
    for customer in (wang, other):
        await customer.says("转人工")
        await customer.hears("没有客服在线")
    promised = await closed_until_the_day_after_tomorrow(demo)
    await sweep_sessions(demo.app.uow)
    told = await wang.hears("人工客服已经下班")
    assert promised in told.text
    await wang.clicks("留言")
    left = await wang.hears("已为您留言")
    assert f"我们将在 {promised} 前回复您" in left.text
    await other.hears("人工客服已经下班")
    await other.clicks("继续等候")
    await other.hears("保留排队的位置")
    desk = await demo.desk("chenjing", online=False)
    waiting = [one["customer_id"] for one in await desk.sessions("queue")]
    assert len(waiting) == 1


async def test_a_customer_leaves_the_queue(demo: Company) -> None:
    wang = demo.customer(1)
    await wang.says("转人工")
    await wang.hears("没有客服在线")
    await wang.says("不排了")
    await wang.hears("已为您取消排队")
    await wang.says("忘记登录密码怎么重置？")
    await wang.hears("来源")
