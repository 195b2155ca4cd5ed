"""The whole ticket journey inside WeCom: nobody opens the console (M5, M12.5)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.desk.ticket_notes import moment_in
from core.calendars import service as calendars
from core.calendars.service import CalendarDraft
from core.conversations.models import ConversationRow
from core.fields import FieldSpec
from core.servicers.queries import list_servicers
from core.teams import service as teams
from core.teams.service import TeamDraft
from core.tickets import categories, follow_ups, queries
from core.tickets.categories import CategoryDraft
from core.views import TicketView
from tests.flows.app_chat import AppChat, words
from tests.flows.company import Company, company
from tests.flows.test_ticket_desk import ALWAYS, SYSTEM

MONDAY = datetime(2026, 12, 28, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai


@pytest.fixture
async def demo(database_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database_url, tmp_path) as running:
        yield running


async def prepares(demo: Company) -> None:
    """Chen works day and night under Li; their category wants two things of us."""
    async with demo.app.uow.write() as tx:
        people = {one.wecom_userid: one.id for one in await list_servicers(tx)}
        always = await calendars.create(tx, CalendarDraft("全天", ALWAYS), by=SYSTEM)
        draft = TeamDraft(
            "值班组",
            leader_id=people["lijun"],
            calendar_id=always.id,
            member_ids=[people["chenjing"]],
        )
        team = await teams.create(tx, draft, by=SYSTEM)
        fields = (
            FieldSpec(
                key="scope",
                title="影响范围",
                kind="choice",
                choices=("全市", "全院"),
                is_required=True,
            ),
            FieldSpec(key="machines", title="台数", kind="number", is_required=True),
        )
        category = CategoryDraft("前置机", team_id=team.id, fields=fields)
        await categories.create(tx, category, by=SYSTEM)


async def stored(demo: Company, number: str) -> TicketView:
    async with demo.app.uow.read() as tx:
        return await queries.by_number(tx, number, by=SYSTEM)


async def test_a_ticket_lives_from_the_session_to_the_rating_without_the_console(
    demo: Company,
) -> None:
    await prepares(demo)
    chen, li = AppChat(demo.phone_of("chenjing")), AppChat(demo.phone_of("lijun"))
    await chen.asks("在线", "您现在是「在线」")
    wang = demo.customer(1)
    await wang.says("前置机一直连接超时")
    await wang.hears()
    await wang.says("转人工")
    await wang.hears("陈静")
    card = await chen.reads("#1 已分配给您")
    key = next(one["key"] for one in card.content["button_list"] if one["text"] == "建工单")  # type: ignore[attr-defined]
    await chen.phone.presses(card, key)
    told = words(await chen.reads("建工单 GD"))
    number = re.findall(r"GD\d{8}-\d{4}", told)[0]
    assert "还缺 「影响范围」（全市、全院）、「台数」（数字）" in told
    await chen.asks(f"补充 {number} 全省；三", "「影响范围」应为全市、全院；「台数」应为数字")
    await chen.asks(f"补充 {number} 全市；3", f"已补充 {number}：影响范围 全市；台数 3")
    await chen.asks(f"补充 {number} 全市", "没有缺少的必填项")
    made = await stored(demo, number)
    assert (made.fields, made.servicer_name) == ({"scope": "全市", "machines": 3}, "陈静")

    await chen.asks(f"受理 {number}", f"已受理 {number}")
    await chen.asks(f"回单 {number} 正在查看前置机日志", f"已写在 {number}")
    await wang.hears("正在查看前置机日志")
    await chen.asks("结束", "已结束 #1")
    async with demo.app.uow.write() as tx:  # five lines said, or two days gone by
        mine = ConversationRow.customer_id == made.customer_id
        await tx.db.execute(update(ConversationRow).where(mine).values(window_left=0))
    said = await chen.asks(f"等客户 {number} 请告知从什么时候开始", "等待客户")
    assert "客户现在收不到" in said
    assert "打电话" in said
    await wang.says("我的工单")  # and with that we may write again
    await wang.hears("请告知从什么时候开始")
    await wang.says(f"补充 {number} 昨天下午开始的")
    await wang.hears("已补充到工单")
    assert "昨天下午开始的" in words(await chen.reads(f"客户补充 {number}"))
    assert (await stored(demo, number)).state == "open"

    await chen.asks(f"跟进 {number} 马上 看看", "请写明什么时候")
    await chen.asks(f"跟进 {number} 2小时后 电话回访", f"已安排跟进 {number}")
    async with demo.app.uow.read() as tx:
        (planned,) = await follow_ups.of_ticket(tx, made.id)
    assert planned.text == "电话回访"
    await chen.asks(f"升级 {number} 影响全市上报", f"已升级 {number}")
    assert "影响全市上报" in words(await li.reads(f"已升级 {number}"))
    await chen.asks(f"转单 {number} 李军 请看证书", f"已把 {number} 转给李军")
    assert "请看证书" in words(await li.reads(f"新工单 {number}"))
    await li.asks(f"解决 {number} 已更换证书", f"已解决 {number}")
    await wang.hears("已更换证书")
    await wang.clicks("确认解决")
    await wang.hears("已确认并关闭")
    await li.reads(f"工单 {number}：客户已确认解决，工单关闭")
    await wang.clicks("非常满意")
    await wang.hears("感谢您的评价")
    await li.reads(f"工单 {number}：客户评价 5 分")
    done = await stored(demo, number)
    assert (done.state, done.rating_score, done.reopens) == ("closed", 5, 0)


@pytest.mark.parametrize(
    ("said", "moment", "rest"),
    [
        ("2小时后 回访", "2026-12-28 12:00", "回访"),
        ("3天后回访", "2026-12-31 10:00", "回访"),
        ("明天 9:30 回访", "2026-12-29 09:30", "回访"),
        ("12-29 14:00 回访", "2026-12-29 14:00", "回访"),
        ("1-4 14:00 回访", "2027-01-04 14:00", "回访"),
        ("2027-03-01 08:00 回访", "2027-03-01 08:00", "回访"),
    ],
)
def test_a_moment_is_read_as_people_write_it(said: str, moment: str, rest: str) -> None:
    found = moment_in(said, MONDAY)
    assert found is not None
    assert found == (datetime.fromisoformat(f"{moment}:00+08:00"), rest)


@pytest.mark.parametrize("said", ["马上", "明天", "13-45 10:00 回访", "明天 25:00 回访", ""])
def test_what_is_no_moment_is_not_guessed(said: str) -> None:
    assert moment_in(said, MONDAY) is None
