"""What those who wait are told, and how little of the reply window it takes (M4.9)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from bot.jobs.sweep import sweep_sessions
from core.calendars import service as calendars
from core.calendars.service import CalendarDraft
from core.content import Address
from core.conversations.models import ConversationRow, MessageRow
from core.conversations.threads import ensure_thread
from core.db import UnitOfWork
from core.event_log import EventRow
from core.queues.updates import is_worth_telling
from core.servicers.models import ServicerRow
from core.sessions import service as sessions
from core.sessions.drain import drain_queue
from core.sessions.models import SessionRow
from core.sessions.queue import queue_board, queue_state
from core.teams import service as teams
from core.teams.models import TeamRow
from core.teams.service import Subject, TeamDraft
from core.views import Presence, Sender, SessionView
from tests.core.sessions.people import (
    SYSTEM,
    a_servicer,
    a_waiting_session,
    acting_as,
    an_account,
    goes,
)


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


async def in_a_team(uow: UnitOfWork, name: str, people: list[str], *users: str) -> str:
    """A team, and customers who are bound to it."""
    async with uow.write() as tx:
        team = await teams.create(tx, TeamDraft(name=name, member_ids=people), by=SYSTEM)
        for user in users:
            thread = await ensure_thread(tx, Address("wecom_kf", "wk1", user))
            bound = Subject("customer", thread.customer.id)
            await teams.bind(tx, bound, team.id, by=SYSTEM)
    return team.id


async def alarms(uow: UnitOfWork) -> list[dict[str, Any]]:
    async with uow.read() as tx:
        rows = select(EventRow.payload).where(EventRow.type == "alarm.raised")
        return list(await tx.db.scalars(rows.order_by(EventRow.id)))


async def test_the_place_counts_those_who_wait_for_the_same_people(uow: UnitOfWork) -> None:
    await an_account(uow)
    north = await a_servicer(uow, "north", capacity=1)
    south = await a_servicer(uow, "south", capacity=1)
    await in_a_team(uow, "北组", [north], "wm0", "wm1", "wm2", "wm3")
    await in_a_team(uow, "南组", [south], "wm4", "wm5")
    sessions_of = {}
    for user in ("wm0", "wm4", "wm1", "wm2", "wm3", "wm5"):
        uow.clock.advance(seconds=1)  # type: ignore[attr-defined]  # the fixture's clock
        sessions_of[user] = await a_waiting_session(uow, user)
        await drain_queue(uow)
    assert "前面还有 2 位" in (await told(uow, sessions_of["wm3"]))[0]
    assert "前面还有 0 位" in (await told(uow, sessions_of["wm5"]))[0]
    async with uow.read() as tx:
        board = await queue_board(tx)
    places = [(item.session.customer_id, item.position) for item in board.items]
    expected = [("wm1", 1), ("wm2", 2), ("wm3", 3), ("wm5", 1)]
    assert places == [(sessions_of[user].customer_id, place) for user, place in expected]
    await goes(uow, south, Presence.OFFLINE)  # nobody of this team is there: that is said
    async with uow.read() as tx:
        row = await tx.db.get_one(SessionRow, sessions_of["wm5"].id)
        assert await queue_state(tx, row) == (1, None)


async def test_who_is_sent_back_to_the_queue_is_told_again_and_promised_anew(
    uow: UnitOfWork,
) -> None:
    await an_account(uow)
    one = await a_servicer(uow, "one", capacity=1)
    session = await a_waiting_session(uow, "wm1")
    other = await in_a_team(uow, "二线", [await a_servicer(uow, "two", online=False)])
    uow.clock.advance(minutes=1)  # type: ignore[attr-defined]
    async with uow.write() as tx:
        await sessions.transfer(tx, session.id, by=acting_as(one), to_team=other)
    said = (await told(uow, session))[-1]
    assert "当前没有客服在线，您排在第 1 位；约 15 分钟后仍没有客服上线，您可以留言" in said
    async with uow.read() as tx:
        row = await tx.db.get_one(SessionRow, session.id)
        assert (row.promised_wait_s, row.told_place) == (900, 1)  # kept beside what happens


async def test_who_answers_for_it_is_warned_before_the_session_is_taken_away(
    uow: UnitOfWork,
) -> None:
    await an_account(uow)
    slow, lead = await a_servicer(uow, "slow"), await a_servicer(uow, "lead", online=False)
    team = await in_a_team(uow, "一线", [slow, lead], "wm1")
    async with uow.write() as tx:
        await tx.db.execute(update(TeamRow).where(TeamRow.id == team).values(leader_id=lead))
    session = await a_waiting_session(uow, "wm1")
    assert session.servicer_id == slow
    for minutes, codes in ((4, []), (2, ["servicer_slow"]), (2, ["servicer_slow"])):
        uow.clock.advance(minutes=minutes)  # type: ignore[attr-defined]
        await sweep_sessions(uow)
        assert [one["code"] for one in await alarms(uow)] == codes
    facts = (await alarms(uow))[0]["facts"]
    async with uow.read() as tx:
        leader = await tx.db.get_one(ServicerRow, lead)
    assert (facts["owner_id"], facts["left_s"]) == (leader.user_id, "300")
    uow.clock.advance(minutes=3)  # type: ignore[attr-defined]  # 11 minutes
    await sweep_sessions(uow)
    assert [one["code"] for one in await alarms(uow)][-1] == "servicer_silent"


async def test_whoever_takes_over_has_the_whole_time_however_long_the_customer_waited(
    uow: UnitOfWork,
) -> None:
    await an_account(uow)
    await a_servicer(uow, "first")
    session = await a_waiting_session(uow, "wm1")
    heir = await a_servicer(uow, "heir")
    uow.clock.advance(minutes=11)  # type: ignore[attr-defined]
    await sweep_sessions(uow)
    for _ in range(4):
        uow.clock.advance(minutes=2)  # type: ignore[attr-defined]
        await sweep_sessions(uow)
        async with uow.read() as tx:
            assert (await tx.db.get_one(SessionRow, session.id)).servicer_id == heir
