"""What those who wait are told, and how little of the reply window it takes (M4.9)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.jobs.sweep import sweep_sessions
from core.calendars import service as calendars
from core.calendars.service import CalendarDraft
from core.conversations.models import ConversationRow, MessageRow
from core.db import UnitOfWork
from core.queues.updates import is_worth_telling
from core.sessions import service as sessions
from core.views import Sender, SessionView
from tests.core.sessions.people import SYSTEM, a_servicer, a_waiting_session, an_account


async def told(uow: UnitOfWork, session: SessionView) -> list[str]:
    async with uow.read() as tx:
        ours = select(MessageRow.text).where(
            MessageRow.session_id == session.id, MessageRow.sender == Sender.SYSTEM
        )
        return list(await tx.db.scalars(ours.order_by(MessageRow.seq)))


async def left(uow: UnitOfWork, session: SessionView) -> int | None:
    async with uow.read() as tx:
        row = await tx.db.get_one(ConversationRow, session.conversation_id)
        return row.window_left


@pytest.mark.parametrize(
    ("before", "now", "is_told"),
    [(8, 7, False), (8, 5, False), (8, 4, True), (3, 2, False), (3, 1, True), (1, 1, False)],
)
def test_a_place_is_told_when_it_halves_or_is_next(before: int, now: int, is_told: bool) -> None:
    assert is_worth_telling(before, now) is is_told


async def test_places_are_told_as_they_move_and_two_slots_stay_free(uow: UnitOfWork) -> None:
    await an_account(uow)
    await a_servicer(uow, "one", capacity=1)
    serving = await a_waiting_session(uow, "wm0")
    waiting = []
    for number in range(1, 8):
        uow.clock.advance(seconds=1)  # type: ignore[attr-defined]  # the fixture's clock
        waiting.append(await a_waiting_session(uow, f"wm{number}"))
    last = waiting[-1]
    assert len(await told(uow, last)) == 1
    heard = []
    for expected in waiting[:-1]:
        async with uow.write() as tx:
            await sessions.close(tx, serving.id, reason="done", by=SYSTEM)
        await sweep_sessions(uow)
        serving = expected
        heard.append(len(await told(uow, last)) - 1)
    assert heard == [0, 0, 0, 1, 1, 2]  # at place 3 of 7, and when next
    assert "前面还有 2 位" in (await told(uow, last))[1]
    assert await left(uow, last) == 2
    await sweep_sessions(uow)
    assert len(await told(uow, last)) == 3


async def test_who_waits_for_nobody_is_offered_to_leave_a_message_once(uow: UnitOfWork) -> None:
    await an_account(uow)
    session = await a_waiting_session(uow, "wm1")
    uow.clock.advance(minutes=14)  # type: ignore[attr-defined]
    await sweep_sessions(uow)
    assert len(await told(uow, session)) == 1
    for minutes in (2, 60):
        uow.clock.advance(minutes=minutes)  # type: ignore[attr-defined]
        await sweep_sessions(uow)
        said = await told(uow, session)
        assert len(said) == 2
        assert "您已等候约 16 分钟，现在仍没有客服在线" in said[1]
        assert "留言" in said[1]


async def test_who_still_waits_when_the_doors_close_is_told_when_they_open(
    uow: UnitOfWork,
) -> None:
    await an_account(uow)
    week = [[("09:00", "17:30")]] * 5 + [[], []]
    async with uow.write() as tx:
        draft = CalendarDraft("工作日", week, is_default=True)
        await calendars.create(tx, draft, by=SYSTEM)
    uow.clock.advance(hours=7, minutes=25)  # type: ignore[attr-defined]
    session = await a_waiting_session(uow, "wm1")
    await sweep_sessions(uow)
    assert len(await told(uow, session)) == 1
    uow.clock.advance(minutes=6)  # type: ignore[attr-defined]  # 17:31
    await sweep_sessions(uow)
    said = (await told(uow, session))[-1]
    assert "已经下班" in said
    assert "3 月 3 日（周二）09:00" in said
