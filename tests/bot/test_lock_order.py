"""Conversation, session, customer, servicer: whoever needs several waits, and nobody is killed."""

from __future__ import annotations

import asyncio

import pytest

from bot.turn import Turn
from core import outbox
from core.accounts.limits import AccountLimits
from core.content import Address, Text
from core.customers import merge
from core.db import Tx, UnitOfWork
from core.desk.service import Desk
from core.ids import new_id
from core.ports import OutboundMessage
from core.servicers.queries import get_servicer
from core.sessions import service as sessions
from core.sessions.queries import session_view
from core.sessions.talk import Posting, post
from core.views import Presence, SessionState, SessionView
from tests.core import seed
from tests.core.sessions.people import (
    SYSTEM,
    a_servicer,
    a_waiting_session,
    acting_as,
    an_account,
    goes,
)
from tests.rival import Rival

pytestmark = pytest.mark.postgres
APP = ("wecom_app", "1000002")
LIMITS = AccountLimits(window_messages=5, window_s=48 * 3600)


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """SQLite has one writer: there is no order of locks to get wrong."""
    return postgres_url


async def as_it_is(uow: UnitOfWork, session: SessionView) -> SessionView:
    async with uow.read() as tx:
        return await session_view(tx, session.id)


async def test_a_session_is_ended_while_the_customer_is_answered(uow: UnitOfWork) -> None:
    await an_account(uow)
    await a_servicer(uow, "anna")
    session = await a_waiting_session(uow, "李医生")

    async def close() -> None:
        async with uow.write() as tx:
            await sessions.close(tx, session.id, reason="done", by=SYSTEM)

    closing = Rival(uow, close)
    async with uow.write() as tx:
        turn = await Turn.of_conversation(tx, session.conversation_id)
        await closing.begins()
        await turn.say("马上就好")
        await sessions.requeue(tx, session.id, reason="servicer_silent")
    await closing.ends()
    assert (await as_it_is(uow, session)).state is SessionState.CLOSED


async def test_an_answer_that_crosses_the_customers_word_is_counted(uow: UnitOfWork) -> None:
    await an_account(uow)
    anna = await a_servicer(uow, "anna")
    session = await a_waiting_session(uow, "李医生")

    async def answer() -> None:
        async with uow.write() as tx:
            await post(tx, session.id, Posting([Text(text="请看截图")]), by=acting_as(anna))

    answering = Rival(uow, answer)
    async with uow.write() as tx:
        turn = await Turn.begin(tx, Address("wecom_kf", "wk1", "李医生"), LIMITS)
        await answering.begins()
        await turn.hear(new_id(), Text(text="还在吗"), tx.now)
    await answering.ends()
    assert (await as_it_is(uow, session)).window.left == 4


async def test_somebody_writes_while_they_are_merged(uow: UnitOfWork) -> None:
    await an_account(uow)
    async with uow.write() as tx:
        kept = await seed.customer(tx, "李医生")
        turn = await Turn.begin(tx, Address("wecom_kf", "wk1", "wm-li"), LIMITS)
        gone = turn.thread.customer.id

    async def join() -> None:
        async with uow.write() as tx:
            await merge.merge(tx, kept, gone, by=SYSTEM)

    merging = Rival(uow, join)
    async with uow.write() as tx:
        turn = await Turn.begin(tx, Address("wecom_kf", "wk1", "wm-li"), LIMITS)
        await merging.begins()
        await turn.hear(new_id(), Text(text="你好"), tx.now)
        assert turn.session is not None
        begun = turn.session.id
    await merging.ends()
    async with uow.read() as tx:
        assert (await session_view(tx, begun)).customer_id == kept


async def test_two_who_give_each_other_their_sessions_both_succeed(uow: UnitOfWork) -> None:
    await an_account(uow)
    anna = await a_servicer(uow, "anna", capacity=20)
    annas = [await a_waiting_session(uow, f"甲{number}") for number in range(6)]
    await goes(uow, anna, Presence.BUSY)
    bert = await a_servicer(uow, "bert", capacity=20)
    berts = [await a_waiting_session(uow, f"乙{number}") for number in range(6)]

    async def give(session: SessionView, giver: str, taker: str) -> None:
        async with uow.write() as tx:
            await sessions.transfer(tx, session.id, by=acting_as(giver), to_servicer=taker)

    gifts = [give(one, anna, bert) for one in annas] + [give(one, bert, anna) for one in berts]
    await asyncio.gather(*gifts)
    now_at = [(await as_it_is(uow, one)).servicer_id for one in (*annas, *berts)]
    assert now_at == [bert] * 6 + [anna] * 6


async def test_two_who_show_something_to_one_colleague_do_not_wait_for_each_other(
    uow: UnitOfWork,
) -> None:
    anna = await a_servicer(uow, "anna")
    async with uow.write() as tx:
        await Desk.open(tx, await get_servicer(tx, anna), Address(*APP, "anna"))

    async def show(tx: Tx, text: str) -> None:
        message = OutboundMessage(Address(*APP, "bert"), new_id(), Text(text=text))
        await outbox.enqueue(tx, message.message_id, message)

    async def tell_both() -> None:
        async with uow.write() as tx:
            await show(tx, "有客户在等")
            await Desk.of_servicer(tx, anna)

    telling = Rival(uow, tell_both)
    async with uow.write() as tx:
        await Desk.of_servicer(tx, anna)
        await telling.begins()
        await show(tx, "陈静已接入")
    await telling.ends()
    async with uow.read() as tx:
        assert len(await outbox.pending(tx, Address(*APP, "bert").key)) == 2
