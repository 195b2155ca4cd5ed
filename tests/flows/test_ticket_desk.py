"""Tickets in the servicers' app: dealt, nearly late, late, escalated, followed up, done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.actor import Actor
from core.calendars import service as calendars
from core.calendars.service import CalendarDraft
from core.customers.queries import list_customers
from core.servicers.queries import list_servicers
from core.sla import policies
from core.sla.policies import PolicyDraft
from core.sla.views import ChainStep, SlaConditions, SlaTargets
from core.teams import service as teams
from core.teams.service import TeamDraft
from core.tickets import follow_ups, service
from core.tickets.service import TicketDraft
from core.views import Priority, TicketView
from tests.flows.app_chat import AppChat, buttons, words
from tests.flows.company import Company, company
from tests.waiting import eventually

SYSTEM = Actor.system("test")
ALWAYS = [(("00:00", "24:00"),)] * 7


@pytest.fixture
async def demo(database_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database_url, tmp_path) as running:
        yield running


@pytest.fixture
def chen(demo: Company) -> AppChat:
    return AppChat(demo.phone_of("chenjing"))


@pytest.fixture
def li(demo: Company) -> AppChat:
    return AppChat(demo.phone_of("lijun"))


async def ticket_for(demo: Company, userid: str | None, title: str, **more: object) -> TicketView:
    async with demo.app.uow.write() as tx:
        people = {one.wecom_userid: one.id for one in await list_servicers(tx)}
        known = (await list_customers(tx)).items
        customer = next(one for one in known if one.name == "王建国")
        draft = {"servicer_id": people[userid] if userid else None} | more
        values = {"title": title, "customer_id": customer.id} | draft
        return await service.create(tx, TicketDraft(**values), by=SYSTEM)  # type: ignore[arg-type]


async def hurry(demo: Company, leader: str) -> str:
    """A team that works day and night, whose urgent tickets are answered within a second."""
    async with demo.app.uow.write() as tx:
        people = {one.wecom_userid: one.id for one in await list_servicers(tx)}
        always = await calendars.create(tx, CalendarDraft("全天", ALWAYS), by=SYSTEM)
        team = await teams.create(
            tx,
            TeamDraft(
                "值班组",
                leader_id=people[leader],
                calendar_id=always.id,
                member_ids=[people[leader]],
            ),
            by=SYSTEM,
        )
        draft = PolicyDraft(
            "加急",
            SlaTargets(first_response_s=1),
            SlaConditions(priorities=(Priority.URGENT,)),
            position=1,
            calendar_id=always.id,
            chain=(ChainStep(after_s=0, to="leader"),),
        )
        await policies.create(tx, draft, by=SYSTEM)
        return team.id


async def test_a_ticket_is_worked_on_by_buttons_and_words(
    demo: Company, chen: AppChat, li: AppChat
) -> None:
    made = await ticket_for(demo, "chenjing", "报表导出是空白的")
    card = await chen.reads(f"新工单 {made.number}")
    assert "报表导出是空白的" in words(card)
    assert "王建国" in words(card)
    assert buttons(card) == ["受理", "转给同事", "升级"]
    await chen.phone.presses(card, "t-accept")
    await chen.reads(f"已受理 {made.number}")
    await chen.asks("待办", f"{made.number} 报表导出是空白的（处理中）")
    await chen.asks(f"受理 {made.number}", "处理中，不能这样操作")
    await chen.asks(f"转单 {made.number} 李军 请看数据库", f"已把 {made.number} 转给李军")
    theirs = await li.reads(f"新工单 {made.number}")
    assert "请看数据库" in words(theirs)
    assert buttons(theirs) == ["转给同事", "升级"]
    await chen.asks(f"催办 {made.number}", "已催促")
    await li.reads(f"催单 {made.number}")
    await chen.asks(f"转单 {made.number} 赵敏", "没有这项操作的权限")
    await li.asks(f"解决 {made.number} 重建了索引", f"已解决 {made.number}")
    await li.asks("待办", "没有待办工单")

    async def closed() -> bool:
        found = (await li.card(f"催单 {made.number}")).content
        return found.get("replace_name", "") in {"", "已解决"}

    assert await eventually(closed)
    await chen.asks("催办 GD20200101-0001", "没有找到工单")


async def test_a_broken_promise_reaches_the_servicer_and_then_the_leader(
    demo: Company, chen: AppChat, li: AppChat
) -> None:
    team_id = await hurry(demo, "lijun")
    made = await ticket_for(
        demo, "chenjing", "全市上报中断", team_id=team_id, priority=Priority.URGENT
    )
    late = await chen.reads(f"已超时 {made.number}")
    assert "首次响应应在" in words(late)
    raised = await li.reads(f"已升级 {made.number}")
    assert "超时升级" in words(raised)
    assert buttons(raised) == ["催促", "升级"]
    await li.phone.presses(raised, "t-nudge")
    await li.reads(f"已催促 {made.number}（陈静）")
    await chen.reads(f"催单 {made.number}")
    await demo.sandbox.settle()
    assert len(await chen.lines(f"已超时 {made.number}")) == 1
    assert len(await li.lines(f"已升级 {made.number}")) == 1


async def test_what_nobody_has_is_taken_from_the_leaders_card(demo: Company, li: AppChat) -> None:
    team_id = await hurry(demo, "lijun")
    made = await ticket_for(demo, None, "新院区开通账号", team_id=team_id)
    card = await li.reads(f"新工单 {made.number}")
    assert buttons(card) == ["我来处理", "转给同事", "升级"]
    await li.phone.presses(card, "t-take")
    await li.reads(f"{made.number} 现在由您处理")
    await li.asks("待办", made.number)


async def test_a_follow_up_is_remembered_and_ticked_off(demo: Company, chen: AppChat) -> None:
    made = await ticket_for(demo, "chenjing", "等厂商补丁")
    await chen.reads(f"新工单 {made.number}")
    async with demo.app.uow.write() as tx:
        due = tx.now + timedelta(milliseconds=300)
        await follow_ups.add(tx, made.id, "问厂商要补丁", due, by=SYSTEM)
    card = await chen.reads(f"跟进到点 {made.number}")
    assert "问厂商要补丁" in words(card)
    key = next(one["key"] for one in card.content["button_list"] if one["text"] == "已跟进")  # type: ignore[attr-defined]
    await chen.phone.presses(card, key)
    await chen.reads(f"{made.number} 已跟进")
    async with demo.app.uow.read() as tx:
        assert all(one.done_at for one in await follow_ups.of_ticket(tx, made.id))


async def test_many_at_once_become_lines(demo: Company, chen: AppChat) -> None:
    made = [await ticket_for(demo, "chenjing", f"第{number}件") for number in range(12)]

    async def everything() -> bool:
        said = "\n".join([words(line) for line in await chen.lines("新工单")])
        return all(one.number in said for one in made)

    assert await eventually(everything)
    dealt = [line for line in await chen.lines() if line.msgtype == "template_card"]
    assert len(dealt) <= 5


async def test_the_customer_is_asked_before_remote_help(demo: Company, chen: AppChat) -> None:
    wang = demo.customer(1)
    await wang.says("你好")
    await wang.hears()
    made = await ticket_for(demo, "chenjing", "客户端打不开")
    desk = await demo.desk("chenjing", online=False)
    body = {"tool": "sunlogin", "purpose": "查看客户端日志"}
    asked = await desk.post(f"/tickets/{made.id}/remote", body)
    await wang.hears("申请远程协助您的电脑（方式：向日葵）")
    await desk.post(f"/remote/{asked['id']}/start", status=409)
    await wang.clicks("同意")
    await wang.hears("已记录您的同意")
    await chen.reads(f"工单 {made.number}：客户已同意远程协助")
    started = await desk.post(f"/remote/{asked['id']}/start")
    assert (started["state"], started["answered_by"]) == ("running", "王建国")
