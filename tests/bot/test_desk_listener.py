"""What servicers are told in the app, with a clock moved by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.desk.jobs import timer_jobs
from bot.desk.listener import announcer
from core import outbox
from core.accounts.limits import AccountLimits
from core.accounts.service import register
from core.actor import Actor
from core.bus import EventBus
from core.clock import ManualClock
from core.content import Address, Image, Media, Text
from core.conversations.deliveries import bounced
from core.conversations.media import keep_media
from core.conversations.service import Heard, hear
from core.conversations.threads import ensure_thread, get_thread
from core.db import UnitOfWork
from core.events import AlarmRaised
from core.local import in_process
from core.outbox import OutboxRow
from core.ports import CardMessage, OutboundMessage
from core.servicers.models import ServicerRow
from core.servicers.service import set_presence
from core.sessions import service as sessions
from core.sessions import talk
from core.sessions.moves import get_session
from core.sessions.queries import open_session_of
from core.sessions.talk import Posting
from core.timers.runner import TimerRunner
from core.users.models import UserRow
from core.views import Presence, Role
from tests.core.seed import servicer

WINDOW = AccountLimits(window_messages=5, window_s=48 * 3600)
CUSTOMER = Address("wecom_kf", "wk1", "wm1")
SYSTEM = Actor.system("test")


class World:
    """One account, one customer, servicers in the app; everything but the network."""

    def __init__(self, uow: UnitOfWork) -> None:
        self.uow = uow
        ports = in_process()
        self.bus = EventBus(uow, ports.wake_up, listeners=[announcer("1000002")])
        self.timers = TimerRunner(uow, timer_jobs(uow), ports.wake_up)
        self.said = 0

    async def servicer(self, name: str, presence: Presence = Presence.ONLINE) -> Actor:
        async with self.uow.write() as tx:
            actor = await servicer(tx, name)
            row = await tx.db.get_one(ServicerRow, actor.servicer_id)
            row.wecom_userid = name
            row.presence = presence
        return actor

    async def customer_says(self, text: str) -> str:
        """Returns the session id."""
        self.said += 1
        async with self.uow.write() as tx:
            await register(tx, channel="wecom_kf", account="wk1", name="支持", limits=WINDOW)
            thread = await ensure_thread(tx, CUSTOMER)
            found = await open_session_of(tx, thread.conversation.id)
            row = found or await sessions.open_session(tx, thread, topic=text)
            await hear(tx, thread, row.id, Heard(f"m{self.said}", Text(text=text), tx.now))
            if found is None:
                await sessions.hand_off(tx, thread, row.id, reason="asked")
            return row.id

    async def news(self) -> None:
        while await self.bus.turn():
            pass
        await self.timers.run_due()

    async def told(self, name: str) -> list[str]:
        """Everything that the app owed this servicer so far, cards by their titles."""
        await self.news()
        async with self.uow.read() as tx:
            key = Address("wecom_app", "1000002", name).key
            rows = await tx.db.scalars(
                select(OutboxRow).where(OutboxRow.address_key == key).order_by(OutboxRow.id)
            )
            items = [outbox.load_item(row.item) for row in rows]
        said = []
        for item in items:
            if isinstance(item, CardMessage):
                said.append(item.title)
            elif isinstance(item, OutboundMessage) and isinstance(item.content, Text):
                said.append(item.content.text)
        return said

    async def sends(self) -> None:
        """The platform took everything."""
        async with self.uow.write() as tx:
            for row in await tx.db.scalars(select(OutboxRow)):
                row.state = "sent"


@pytest.fixture
async def world(uow: UnitOfWork) -> World:
    made = World(uow)
    await made.bus.start()
    return made


async def test_two_hours_before_the_window_closes_the_servicer_is_warned_once(
    world: World, clock: ManualClock
) -> None:
    await world.servicer("chen")
    await world.customer_says("报表导不出来")
    await world.told("chen")
    clock.advance(hours=45)
    await world.customer_says("还在吗")
    await world.sends()
    clock.advance(hours=45)  # two hours after the first window would have warned
    assert not any("回复窗口" in line for line in await world.told("chen"))
    await world.sends()
    clock.advance(hours=1, minutes=1)
    for _ in range(2):
        warned = [line for line in await world.told("chen") if "回复窗口" in line]
        await world.sends()
        clock.advance(minutes=30)
    assert len(warned) == 1
    assert "#1" in warned[0]


async def test_who_is_not_there_is_not_asked_and_who_is_busy_is(world: World) -> None:
    await world.servicer("away", Presence.AWAY)
    await world.servicer("busy", Presence.BUSY)
    await world.servicer("home", Presence.OFFLINE)
    await world.customer_says("报表导不出来")
    assert len(await world.told("away")) == len(await world.told("busy")) == 1
    assert await world.told("home") == []


async def test_what_the_customer_did_not_get_is_told_with_the_reason(world: World) -> None:
    chen = await world.servicer("chen")
    session_id = await world.customer_says("报表导不出来")
    await world.told("chen")
    await world.sends()
    async with world.uow.write() as tx:
        posting = Posting([Text(text="请重启电脑")])
        (view,) = await talk.post(tx, session_id, posting, by=chen)
        await bounced(tx, view.id, "refused_by_customer")
    last = (await world.told("chen"))[-1]
    assert "没有收到「请重启电脑」：客户拒收了消息" in last


async def test_whoever_loses_a_session_and_whoever_gets_it_are_told(world: World) -> None:
    chen = await world.servicer("chen")
    session_id = await world.customer_says("报表导不出来")
    await world.told("chen")
    await world.sends()
    await world.servicer("li", Presence.BUSY)
    async with world.uow.write() as tx:
        await set_presence(tx, str(chen.servicer_id), Presence.BUSY, by=chen)
        await sessions.requeue(tx, session_id, reason="silent")
    assert (await world.told("chen"))[-1].endswith("已回到排队。")
    assert "新会话等待接入" in (await world.told("li"))[-1]


async def test_a_listener_that_is_new_tells_nothing_old(uow: UnitOfWork) -> None:
    before = World(uow)
    await before.servicer("chen")
    await before.customer_says("很久以前")
    after = World(uow)
    await after.bus.start()
    assert await after.told("chen") == []
    after.said = before.said
    await after.customer_says("现在")
    assert await after.told("chen") == ["#1 访客wm1：现在"]


async def test_a_line_that_is_late_by_hours_is_history(world: World, clock: ManualClock) -> None:
    await world.servicer("chen")
    session_id = await world.customer_says("报表导不出来")
    await world.told("chen")
    await world.sends()
    async with world.uow.write() as tx:
        row = await get_session(tx, session_id)
        thread = await get_thread(tx, row.conversation_id)
        late = tx.now - timedelta(hours=3)
        await hear(tx, thread, row.id, Heard("late", Text(text="三小时前"), late))
    clock.advance(minutes=2)
    assert not any("三小时前" in line for line in await world.told("chen"))


async def test_a_session_closed_by_the_system_leaves_the_desk(world: World) -> None:
    await world.servicer("chen")
    session_id = await world.customer_says("报表导不出来")
    await world.told("chen")
    await world.sends()
    async with world.uow.write() as tx:
        await sessions.close(tx, session_id, reason="silent", by=SYSTEM)
    assert "#1" in (await world.told("chen"))[-1]
    assert (await world.told("chen"))[-1].endswith("会话已结束。")


async def test_alarms_reach_the_one_they_concern_and_else_the_supervisors(world: World) -> None:
    owner = await world.servicer("owner")
    await world.servicer("boss")
    await world.servicer("other")
    async with world.uow.write() as tx:
        boss = await tx.db.scalar(select(UserRow).where(UserRow.name == "boss"))
        assert boss is not None
        boss.role = Role.SUPERVISOR
        expiring = {"title": "接种证明", "expires_at": "2026-03-16T01:00:00+00:00"}
        tx.emit(
            AlarmRaised(
                code="article_expires_soon", facts=expiring | {"owner_id": owner.user_id or ""}
            )
        )
    (told,) = await world.told("owner")
    assert "《接种证明》将于 03-16 09:00 失效" in told
    assert await world.told("boss") == []
    async with world.uow.write() as tx:
        tx.emit(AlarmRaised(code="article_expires_soon", facts=expiring | {"owner_id": "gone"}))
        surge = {"question": "报告打不开", "sessions": "8", "window_s": "600"}
        tx.emit(AlarmRaised(code="question_surge", facts=surge))
        tx.emit(AlarmRaised(code="red_line", facts={"gate": "dog_bite"}))
        tx.emit(AlarmRaised(code="delivery_failed", facts={}))
    expired, surged, red = await world.told("boss")
    assert "《接种证明》" in expired
    assert "10 分钟内有 8 位客户问同一个问题：报告打不开" in surged
    assert "健康安全" in red
    assert await world.told("other") == []
    assert len(await world.told("owner")) == 1


async def test_the_text_of_a_picture_follows_it_and_the_picture_comes_once(
    world: World, clock: ManualClock
) -> None:
    await world.servicer("chen")
    session_id = await world.customer_says("你好")
    await world.told("chen")
    await world.sends()
    clock.advance(minutes=1)
    async with world.uow.write() as tx:
        thread = await ensure_thread(tx, CUSTOMER)
        picture = Image(media=Media(attachment_id="a" * 64, name="截图.png"))
        heard = await hear(tx, thread, session_id, Heard("p1", picture, tx.now))
        await keep_media(tx, heard.id, picture)
    await world.told("chen")
    await world.sends()
    clock.advance(minutes=1)
    async with world.uow.write() as tx:
        read = picture.model_copy(update={"reading": "ORA-12154"})
        await keep_media(tx, heard.id, read)
    assert (await world.told("chen"))[-1] == "#1 图中文字（自动识别）：\nORA-12154"
    async with world.uow.read() as tx:
        items = [outbox.load_item(row.item) for row in await tx.db.scalars(select(OutboxRow))]
    pictures = [
        one for one in items if isinstance(one, OutboundMessage) and isinstance(one.content, Image)
    ]
    assert len(pictures) == 1


async def test_who_takes_a_session_reads_its_own_lines_and_not_last_weeks(
    world: World, clock: ManualClock
) -> None:
    earlier = await world.customer_says("上周问的打印机")
    async with world.uow.write() as tx:
        await sessions.close(tx, earlier, reason="silent", by=SYSTEM)
    clock.advance(days=7)
    await world.servicer("chen")
    await world.customer_says("报表导不出来")
    (taken,) = [line for line in await world.told("chen") if "已接入" in line]
    assert "客户：报表导不出来" in taken
    assert "打印机" not in taken
