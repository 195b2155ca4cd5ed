"""Who gets a session: binding → last servicer → skill → strategy; never over a limit."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from core.bus import events_after
from core.customers.models import CustomerRow, InstitutionRow
from core.db import UnitOfWork
from core.errors import Conflict
from core.events import ServicerChanged
from core.servicers.models import ServicerRow
from core.servicers.service import Going, set_presence
from core.sessions import service as sessions
from core.sessions.drain import drain_queue
from core.sessions.models import SessionRow
from core.sessions.queries import session_view
from core.sessions.queue import queue_board
from core.teams import service as teams
from core.teams.service import Subject, TeamDraft
from core.teams.views import Strategy
from core.views import Presence, SessionState
from tests.core.sessions.people import (
    SYSTEM,
    a_servicer,
    a_waiting_session,
    acting_as,
    an_account,
    goes,
)


async def state_of(uow: UnitOfWork, session_id: str) -> tuple[str, str | None]:
    async with uow.read() as tx:
        view = await session_view(tx, session_id)
        return view.state, view.servicer_id


async def test_the_least_busy_gets_it_and_the_desk_is_told_why(uow: UnitOfWork) -> None:
    await an_account(uow)
    busy = await a_servicer(uow, "busy", capacity=2)
    first = await a_waiting_session(uow, "wm1")
    assert first.servicer_id == busy
    idle = await a_servicer(uow, "idle", capacity=2)
    second = await a_waiting_session(uow, "wm2")
    assert second.servicer_id == idle
    assert "负载最低（0/2）" in second.assigned_because


async def test_a_bound_team_comes_first_and_overflows_to_nobody_else(uow: UnitOfWork) -> None:
    await an_account(uow)
    await a_servicer(uow, "outsider")
    member = await a_servicer(uow, "member", capacity=1)
    async with uow.write() as tx:
        draft = TeamDraft(name="疾控组", member_ids=(member,))
        team = await teams.create(tx, draft, by=SYSTEM)
    warm_up = await a_waiting_session(uow, "wm1")
    async with uow.write() as tx:
        subject = Subject("customer", warm_up.customer_id)
        await teams.bind(tx, subject, team.id, rank="primary", reason="合同约定", by=SYSTEM)
        await sessions.close(tx, warm_up.id, reason="done", by=SYSTEM)
    bound = await a_waiting_session(uow, "wm1")
    assert bound.servicer_id == member
    assert "疾控组" in bound.assigned_because
    assert bound.team_id == team.id


async def test_the_last_servicer_is_asked_first(uow: UnitOfWork) -> None:
    await an_account(uow)
    first = await a_servicer(uow, "first")
    before = await a_waiting_session(uow, "wm1")
    assert before.servicer_id == first
    async with uow.write() as tx:
        await sessions.close(tx, before.id, reason="done", by=SYSTEM)
    await a_waiting_session(uow, "wm2")  # first is busier now than the newcomer
    await a_servicer(uow, "newcomer")
    again = await a_waiting_session(uow, "wm1")
    assert again.servicer_id == first
    assert "上次" in again.assigned_because


async def test_round_robin_goes_round(uow: UnitOfWork) -> None:
    account_id = await an_account(uow)
    people = [await a_servicer(uow, f"p{n}") for n in range(3)]
    async with uow.write() as tx:
        draft = TeamDraft(name="轮流组", member_ids=tuple(people), strategy=Strategy.ROUND_ROBIN)
        team = await teams.create(tx, draft, by=SYSTEM)
        from core.accounts.models import AccountRow

        row = await tx.db.get_one(AccountRow, account_id)
        row.team_id = team.id
    got = []
    for number in range(6):
        uow.clock.advance(seconds=1)  # type: ignore[attr-defined]  # the fixture's clock
        got.append(str((await a_waiting_session(uow, f"wm{number}")).servicer_id))
    assert sorted(got[:3]) == sorted(people)
    assert got[:3] == got[3:]


async def test_freed_capacity_moves_the_queue_and_nobody_overtakes(uow: UnitOfWork) -> None:
    await an_account(uow)
    one = await a_servicer(uow, "one", capacity=1)
    serving = await a_waiting_session(uow, "wm0")
    waiting = []
    for number in range(1, 4):
        uow.clock.advance(seconds=5)  # type: ignore[attr-defined]
        waiting.append(await a_waiting_session(uow, f"wm{number}"))
    async with uow.read() as tx:
        board = await queue_board(tx)
    assert [item.session.id for item in board.items] == [one.id for one in waiting]
    assert [item.position for item in board.items] == [1, 2, 3]
    for expected in waiting:
        async with uow.write() as tx:
            await sessions.close(tx, serving.id, reason="done", by=SYSTEM)
        assert await drain_queue(uow) == 1
        assert await state_of(uow, expected.id) == (SessionState.SERVING, one)
        serving = expected


async def test_a_vip_overtakes_only_those_who_came_a_little_earlier(uow: UnitOfWork) -> None:
    await an_account(uow)
    old = await a_waiting_session(uow, "old")
    uow.clock.advance(minutes=30)  # type: ignore[attr-defined]
    recent = await a_waiting_session(uow, "recent")
    uow.clock.advance(minutes=2)  # type: ignore[attr-defined]
    vip = await a_waiting_session(uow, "vip")
    async with uow.write() as tx:  # the same customer, this time with a contract
        tx.db.add(
            InstitutionRow(
                id="i1", name="省疾控", contract_level="VIP", created_at=tx.now, version=1
            )
        )
        await tx.db.flush()
        await tx.db.execute(
            update(CustomerRow)
            .where(CustomerRow.id == vip.customer_id)
            .values(institution_id="i1")
        )
        await sessions.close(tx, vip.id, reason="done", by=SYSTEM)
    vip = await a_waiting_session(uow, "vip")
    async with uow.read() as tx:
        board = await queue_board(tx)
    assert [item.session.id for item in board.items] == [old.id, vip.id, recent.id]


async def test_claiming_is_atomic_and_respects_the_limit(uow: UnitOfWork) -> None:
    await an_account(uow)
    one = await a_servicer(uow, "one", capacity=1, online=False)
    two = await a_servicer(uow, "two", capacity=1, online=False)
    contested = await a_waiting_session(uow, "wm1")
    second = await a_waiting_session(uow, "wm2")

    async def claims(servicer_id: str, session_id: str) -> bool:
        try:
            async with uow.write() as tx:
                await sessions.claim(tx, session_id, by=acting_as(servicer_id))
        except Conflict:
            return False
        return True

    won = await asyncio.gather(claims(one, contested.id), claims(two, contested.id))
    assert sorted(won) == [False, True]
    winner = one if won[0] else two
    assert not await claims(winner, second.id)  # at capacity


@pytest.mark.parametrize(("workers", "waiting", "people"), [(10, 50, 4)])
async def test_many_workers_never_assign_twice_nor_beyond_a_limit(
    uow: UnitOfWork, workers: int, waiting: int, people: int
) -> None:
    await an_account(uow)
    for number in range(waiting):
        await a_waiting_session(uow, f"wm{number}")
    for number in range(people):
        await a_servicer(uow, f"p{number}", capacity=7)
    await asyncio.gather(*(drain_queue(uow) for _ in range(workers)))
    async with uow.read() as tx:
        loads = (await tx.db.execute(select(ServicerRow.id, ServicerRow.open_sessions))).all()
        served = await tx.db.execute(
            select(SessionRow.servicer_id, func.count())
            .where(SessionRow.state == SessionState.SERVING)
            .group_by(SessionRow.servicer_id)
        )
    assert dict(loads) == dict(served.all())
    assert [load for _, load in loads] == [7] * people


async def test_whoever_goes_silent_loses_the_session_to_somebody_else(uow: UnitOfWork) -> None:
    from bot.jobs.sweep import sweep_sessions

    await an_account(uow)
    silent = await a_servicer(uow, "silent")
    session = await a_waiting_session(uow, "wm1")
    assert session.servicer_id == silent
    colleague = await a_servicer(uow, "colleague")
    uow.clock.advance(seconds=599)  # type: ignore[attr-defined]
    await sweep_sessions(uow)
    assert await state_of(uow, session.id) == (SessionState.SERVING, silent)
    uow.clock.advance(seconds=2)  # type: ignore[attr-defined]
    await sweep_sessions(uow)
    assert await state_of(uow, session.id) == (SessionState.SERVING, colleague)


async def test_sessions_do_not_stay_with_someone_who_is_offline(uow: UnitOfWork) -> None:
    from bot.jobs.sweep import sweep_sessions

    await an_account(uow)
    gone = await a_servicer(uow, "gone")
    session = await a_waiting_session(uow, "wm1")
    await goes(uow, gone, Presence.OFFLINE)
    uow.clock.advance(minutes=2)  # type: ignore[attr-defined]
    await sweep_sessions(uow)
    assert await state_of(uow, session.id) == (SessionState.QUEUED, None)
    back = await a_servicer(uow, "back")
    await drain_queue(uow)
    assert await state_of(uow, session.id) == (SessionState.SERVING, back)


async def test_sessions_wait_by_choice_for_whoever_comes_back(uow: UnitOfWork) -> None:
    from bot.jobs.sweep import sweep_sessions

    await an_account(uow)
    away = await a_servicer(uow, "away")
    session = await a_waiting_session(uow, "wm1")
    colleague = await a_servicer(uow, "colleague")
    async with uow.write() as tx:
        going = Going(Presence.OFFLINE, keeps=True)
        view = await set_presence(tx, away, going, by=acting_as(away))
        assert view.keeps_until == tx.now + timedelta(hours=1)
    uow.clock.advance(minutes=59)  # type: ignore[attr-defined]
    await sweep_sessions(uow)
    assert await state_of(uow, session.id) == (SessionState.SERVING, away)
    uow.clock.advance(minutes=2)  # type: ignore[attr-defined]  # an hour is the most
    await sweep_sessions(uow)
    assert await state_of(uow, session.id) == (SessionState.SERVING, colleague)
    async with uow.write() as tx:
        view = await set_presence(tx, away, Presence.ONLINE, by=acting_as(away))
    assert view.keeps_until is None


async def test_whoever_gives_a_session_back_is_not_given_it_again_in_that_round(
    uow: UnitOfWork,
) -> None:
    await an_account(uow)
    first = await a_servicer(uow, "first", capacity=9)
    session = await a_waiting_session(uow, "wm1")
    second = await a_servicer(uow, "second", capacity=1)
    await a_waiting_session(uow, "wm2")  # the second is full now
    assert await state_of(uow, session.id) == (SessionState.SERVING, first)
    async with uow.write() as tx:
        await sessions.transfer(tx, session.id, by=acting_as(first))
    await drain_queue(uow)
    assert await state_of(uow, session.id) == (SessionState.QUEUED, None)  # waits for the second
    other = await a_waiting_session(uow, "wm3")
    await drain_queue(uow)
    assert (await state_of(uow, other.id))[1] == first  # and holds nobody up
    third = await a_servicer(uow, "third", capacity=9)
    await drain_queue(uow)
    assert await state_of(uow, session.id) == (SessionState.SERVING, third)
    async with uow.write() as tx:
        await sessions.transfer(tx, session.id, by=acting_as(third))
    for person in (second, third):
        await goes(uow, person, Presence.OFFLINE)
    await drain_queue(uow)
    assert await state_of(uow, session.id) == (SessionState.SERVING, first)  # a new round


async def test_a_silent_customer_is_reminded_once_and_then_the_session_ends(
    uow: UnitOfWork,
) -> None:
    from bot.jobs.sweep import sweep_sessions
    from core.content import Text
    from core.sessions.talk import Posting, post

    await an_account(uow)
    one = await a_servicer(uow, "one")
    session = await a_waiting_session(uow, "wm1")
    async with uow.write() as tx:
        await post(tx, session.id, Posting([Text(text="请问呢？")]), by=acting_as(one))
    for minutes in (31, 10, 50):
        uow.clock.advance(minutes=minutes)  # type: ignore[attr-defined]
        await sweep_sessions(uow)
    async with uow.read() as tx:
        from core.conversations.models import MessageRow

        reminders = await tx.db.scalar(
            select(func.count()).where(MessageRow.text.like("请问还有其他可以帮您的吗%"))
        )
    assert reminders == 1
    assert (await state_of(uow, session.id))[0] == SessionState.SERVING
    uow.clock.advance(hours=1)  # type: ignore[attr-defined]
    await sweep_sessions(uow)
    assert (await state_of(uow, session.id))[0] == SessionState.CLOSED


async def test_the_promise_is_kept_beside_what_really_happened(uow: UnitOfWork) -> None:
    await an_account(uow)
    one = await a_servicer(uow, "one", capacity=1)
    await a_waiting_session(uow, "wm0")
    waiting = await a_waiting_session(uow, "wm1")
    async with uow.read() as tx:
        row = await tx.db.get_one(SessionRow, waiting.id)
        assert row.promised_wait_s == 480  # one turn of the default eight minutes
    uow.clock.advance(minutes=3)  # type: ignore[attr-defined]
    async with uow.write() as tx:
        await sessions.take_over(tx, waiting.id, by=acting_as(one, supervisor=True))
    async with uow.read() as tx:
        view = await session_view(tx, waiting.id)
    assert view.assigned_at is not None
    assert view.queued_at is not None
    assert view.assigned_at - view.queued_at == timedelta(minutes=3)


async def test_everyone_hears_of_a_changed_load(uow: UnitOfWork) -> None:
    await an_account(uow)
    one = await a_servicer(uow, "one")
    session = await a_waiting_session(uow, "wm1")
    async with uow.write() as tx:
        await sessions.close(tx, session.id, reason="done", by=SYSTEM)
    async with uow.read() as tx:
        heard = [logged.event for logged in await events_after(tx, 0)]
    loads = [
        event.servicer.open_sessions
        for event in heard
        if isinstance(event, ServicerChanged) and event.servicer.id == one
    ]
    assert loads[-2:] == [1, 0]
