"""The ledger joins lines (M12.3): several lines share a slot, in order, exactly once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from core.accounts.limits import AccountLimits
from core.accounts.service import register
from core.actor import Actor
from core.clock import ManualClock
from core.content import Address, Content, File, Media, Text, plain_text
from core.conversations import joining
from core.conversations.queries import transcript
from core.conversations.service import Heard, hear
from core.conversations.threads import ensure_thread
from core.db import UnitOfWork
from core.errors import WindowClosed
from core.lanes import LEASE
from core.local import LocalWakeUp
from core.permissions import permissions_of
from core.ports import OutboundItem, OutboundMessage, RecallCommand, Receipt, SendFailure
from core.sender import OutboxSender
from core.sessions import service as sessions
from core.sessions import talk
from core.sessions.talk import Posting
from core.timers.runner import TimerRunner
from core.views import Delivery, MessageView, Role
from tests.core.sessions.people import a_servicer

LIMITS = AccountLimits(window_messages=5, window_s=48 * 3600, max_text_bytes=60, can_recall=True)
ADDRESS = Address("wecom_kf", "wk1", "wm1")
_NUMBERS = count(1)


class _Refused(SendFailure):
    kind = "window_closed"


class _Down(SendFailure):
    kind = "retry"


@dataclass
class Platform:
    """At the wire: takes a msgid once, counts to five, dies with the process when told to."""

    got: dict[str, str] = field(default_factory=dict)
    recalled: list[str] = field(default_factory=list)
    room: int = 5
    lives: int = 1000
    is_down: bool = False

    async def send(self, item: OutboundItem) -> Receipt:
        if self.is_down:
            raise _Down("no answer", retry_after_s=1)
        if isinstance(item, RecallCommand):
            self.recalled.append(item.message_id)
        elif isinstance(item, OutboundMessage) and item.message_id not in self.got:
            if not self.room:
                raise _Refused("more than 5")
            self.room -= 1
            self.got[item.message_id] = plain_text(item.content)
        self.lives -= 1
        if self.lives < 0:
            raise asyncio.CancelledError
        return Receipt()

    @property
    def said(self) -> list[str]:
        return list(self.got.values())


@dataclass
class Talk:
    """One customer, one servicer who answers, and a clock moved by hand."""

    uow: UnitOfWork
    clock: ManualClock
    platform: Platform
    session_id: str
    by: Actor

    async def writes(self, text: str = "在吗") -> None:
        async with self.uow.write() as tx:
            thread = await ensure_thread(tx, ADDRESS)
            heard = Heard(f"in{next(_NUMBERS)}", Text(text=text), tx.now)
            await hear(tx, thread, self.session_id, heard)
        self.platform.room = 5

    async def posts(self, content: Content, **more: Any) -> MessageView:
        async with self.uow.write() as tx:
            posting = Posting([content], client_id=f"c{next(_NUMBERS)}", **more)
            return (await talk.post(tx, self.session_id, posting, by=self.by))[0]

    async def says(self, *lines: str, **more: bool) -> list[MessageView]:
        return [await self.posts(Text(text=line), **more) for line in lines]

    async def sends(self) -> None:
        """What the outbox may send now."""
        try:
            await OutboxSender(self.uow, self.platform, LocalWakeUp(), worker="w").drain()
        except asyncio.CancelledError:  # killed: the next one finds its lease run out
            self.clock.advance(seconds=LEASE.total_seconds() + 1)

    async def passes(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)
        jobs = {joining.JOIN_TIMER: joining.timer_job(self.uow)}
        await TimerRunner(self.uow, jobs, LocalWakeUp()).run_due()
        await self.sends()

    async def left(self) -> int | None:
        async with self.uow.read() as tx:
            return (await ensure_thread(tx, ADDRESS)).window.left

    async def marks(self) -> list[Delivery]:
        return [line.delivery for line in await self.ours()]

    async def ours(self) -> list[MessageView]:
        async with self.uow.read() as tx:
            thread = await ensure_thread(tx, ADDRESS)
            lines, _ = await transcript(tx, thread.conversation.id, limit=200)
        return [line for line in lines if line.servicer_id]


@pytest.fixture
async def chat(uow: UnitOfWork, clock: ManualClock) -> Talk:
    async with uow.write() as tx:
        await register(tx, channel="wecom_kf", account="wk1", name="支持", limits=LIMITS)
    servicer_id = await a_servicer(uow, "chen")
    by = Actor("u", servicer_id, "陈静", Role.SERVICER, permissions_of(Role.SERVICER))
    async with uow.write() as tx:
        thread = await ensure_thread(tx, ADDRESS)
        session = await sessions.open_session(tx, thread)
        await hear(tx, thread, session.id, Heard("in0", Text(text="转人工"), tx.now))
        await sessions.hand_off(tx, thread, session.id, reason="asked")
    talking = Talk(uow, clock, Platform(), session.id, by)
    await talking.sends()  # 客服 陈静 已接入
    return talking


async def test_with_few_slots_left_lines_share_one(chat: Talk) -> None:
    await chat.says("一", "二")
    await chat.sends()
    assert (chat.platform.said[1:], await chat.left()) == (["一", "二"], 2)
    lines = await chat.says("三", "四", "五")
    await chat.sends()
    assert chat.platform.said[3:] == []  # waits for a further line
    assert await chat.left() == 1
    assert [one.joined_to for one in lines] == [None, lines[0].id, lines[0].id]
    await chat.passes(5)
    assert chat.platform.said[3:] == ["三\n四\n五"]
    assert await chat.marks() == [Delivery.SENT] * 5
    await chat.says("六")
    await chat.says("七", hold_if_closed=True)  # fits into the last, although nothing is left
    assert await chat.left() == 0
    await chat.passes(5)
    assert chat.platform.said[4:] == ["六\n七"]
    with pytest.raises(WindowClosed):
        await chat.says("八")


async def test_a_line_waits_for_the_next_but_not_for_ever(chat: Talk) -> None:
    await chat.says("一", "二")
    await chat.says("0")
    for number in range(1, 8):
        await chat.passes(3)
        await chat.says(str(number))
    await chat.passes(5)
    assert chat.platform.said[3] == "0\n1\n2\n3"


async def test_what_does_not_fit_or_is_no_text_follows_and_overtakes_nothing(chat: Talk) -> None:
    await chat.says("一", "二", "三")
    await chat.posts(File(media=Media(attachment_id="a", name="说明.txt")))
    await chat.sends()
    assert chat.platform.said[1:] == ["一", "二", "三", "[文件]说明.txt"]
    await chat.writes()
    await chat.says("一", "二", "三")
    long = "字" * 19
    await chat.says("四", long)  # 57 + 4 bytes of 60
    await chat.passes(20)
    assert chat.platform.said[5:] == ["一", "二", "三", "四", long]


async def test_what_the_customer_says_meanwhile_lets_the_line_go_and_counts_it(
    chat: Talk,
) -> None:
    await chat.says("一", "二", "三")
    await chat.sends()
    chat.clock.advance(seconds=2)
    await chat.writes()
    await chat.sends()
    assert chat.platform.said[1:] == ["一", "二", "三"]
    assert await chat.left() == chat.platform.room == 4


async def test_held_lines_go_joined_as_soon_as_the_customer_speaks(chat: Talk) -> None:
    await chat.says("一", "二", "三")
    await chat.passes(20)
    await chat.says("四")
    await chat.passes(20)
    held = await chat.says("结果", "已经", "出来了", hold_if_closed=True)
    assert {one.delivery for one in held} == {Delivery.HELD}
    await chat.writes()
    await chat.sends()
    assert chat.platform.said[5:] == ["结果\n已经\n出来了"]
    assert await chat.left() == 4
    assert await chat.marks() == [Delivery.SENT] * 7
    assert [one.joined_to for one in await chat.ours()][-2:] == [held[0].id] * 2


async def test_what_is_refused_is_held_with_all_its_lines_and_goes_later(chat: Talk) -> None:
    await chat.says("一", "二", "三", "四")
    chat.platform.room = 2
    await chat.passes(20)
    assert await chat.marks() == [Delivery.SENT] * 2 + [Delivery.HELD] * 2
    await chat.writes()
    await chat.sends()
    assert chat.platform.said[-1] == "三\n四"
    assert await chat.marks() == [Delivery.SENT] * 4


async def test_killed_between_sending_and_recording_nothing_is_lost_or_said_twice(
    chat: Talk,
) -> None:
    await chat.says("一", "二", "三", "四")
    chat.platform.lives = 2
    await chat.passes(5)  # 三 四 reached the platform; we died before we knew
    assert chat.platform.said[1:] == ["一", "二", "三\n四"]
    assert (await chat.marks())[2:] == [Delivery.PENDING] * 2
    chat.platform.lives = 1000
    await chat.says("五")  # must not be put into what is on its way
    await chat.passes(20)
    await chat.passes(20)
    assert chat.platform.said[1:] == ["一", "二", "三\n四", "五"]
    assert await chat.marks() == [Delivery.SENT] * 5


async def test_lines_pile_up_in_one_message_while_the_platform_is_down(chat: Talk) -> None:
    chat.platform.is_down = True
    await chat.says("一")
    await chat.sends()
    for line in ("二", "三", "四"):
        await chat.says(line)
        await chat.passes(30)
    assert await chat.left() == 2
    chat.platform.is_down = False
    await chat.passes(300)
    await chat.passes(30)
    assert chat.platform.said[1:] == ["一", "二\n三\n四"]


async def test_recalling_a_line_takes_back_the_message_it_went_with(chat: Talk) -> None:
    await chat.says("一", "二")
    lines = await chat.says("三", "四")
    await chat.passes(5)
    async with chat.uow.write() as tx:
        await talk.recall(tx, lines[1].id, by=chat.by)
    await chat.sends()
    assert chat.platform.recalled == [lines[0].id]
    gone = [one.id for one in await chat.ours() if one.recalled_at]
    assert gone == [one.id for one in lines]


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_every_line_arrives_once_in_order(chat: Talk, seed: int) -> None:
    """Random talk, kills and outages; the platform never refuses what the ledger allowed."""
    chance = random.Random(seed)
    said: list[str] = []
    for _ in range(60):
        match chance.choice(("line", "line", "line", "customer", "send", "pass", "kill", "down")):
            case "line":
                line = f"行{len(said)}"
                await chat.says(line, hold_if_closed=True)
                said.append(line)
            case "customer":
                chat.platform.is_down, chat.platform.lives = False, 1000
                await chat.passes(20)
                await chat.writes()
            case "send":
                await chat.sends()
            case "pass":
                await chat.passes(chance.choice((1, 3, 20)))
            case "kill":
                chat.platform.lives = chance.randrange(3)
                await chat.sends()
                chat.platform.lives = 1000
            case "down":
                chat.platform.is_down = not chat.platform.is_down
    chat.platform.is_down = False
    for _ in range(8):
        await chat.passes(400)
        await chat.writes()
        await chat.passes(20)
    arrived = [row for text in chat.platform.said for row in text.splitlines()]
    assert [row for row in arrived if row.startswith("行")] == said
    assert set(await chat.marks()) == {Delivery.SENT}
