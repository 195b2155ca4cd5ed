"""Statements past the session: its values, its transaction."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import JSON, Boolean, bindparam, insert, literal, select, text, type_coerce

from core.clock import SystemClock
from core.column_types import UtcDateTime
from core.db import UnitOfWork, make_engine
from core.event_log import ListenerCursor
from core.statements import Statement
from tests.waiting import eventually

_ECHO = Statement(
    select(
        bindparam("at", type_=UtcDateTime).label("at"),
        type_coerce(bindparam("facts", type_=JSON), JSON).label("facts"),
        bindparam("flag", type_=Boolean).label("flag"),
        literal(7).label("constant"),
    )
)
_KEEP = Statement(insert(ListenerCursor).inline(), columns=("name", "event_id"))
_NAMES = Statement(select(ListenerCursor.name).order_by(ListenerCursor.name))


async def test_values_come_back_as_they_went(uow: UnitOfWork) -> None:
    moment = datetime(2026, 3, 2, 8, 30, 0, 5, tzinfo=UTC)
    async with uow.read() as tx:
        row = (await tx.fetch(_ECHO, {"at": moment, "facts": {"字": [1]}, "flag": True}))[0]
        assert (row.at, row.facts, row.flag, row.constant) == (moment, {"字": [1]}, True, 7)
        with pytest.raises(KeyError):
            await tx.fetch(_ECHO, {"at": moment})


async def test_statements_and_session_share_one_transaction(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        assert await tx.run(_KEEP, {"name": "by statement", "event_id": 1}) == 1
        assert await tx.db.get(ListenerCursor, "by statement") is not None
        tx.db.add(ListenerCursor(name="by session", event_id=2))
        await tx.flush()
        assert [row.name for row in await tx.fetch(_NAMES, {})] == ["by session", "by statement"]
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - a block that fails at its end
        async with uow.write() as tx:
            await tx.run_many(_KEEP, [{"name": name, "event_id": 0} for name in "ab"])
            tx.db.add(ListenerCursor(name="c", event_id=0))
            await tx.flush()
            raise ZeroDivisionError
    async with uow.read() as tx:
        assert [row.name for row in await tx.fetch(_NAMES, {})] == ["by session", "by statement"]


async def test_a_look_writes_nothing(uow: UnitOfWork) -> None:
    async with uow.read() as tx:
        await tx.run(_KEEP, {"name": "stray", "event_id": 1})
        tx.db.add(ListenerCursor(name="stray too", event_id=1))
        await tx.flush()
    async with uow.read() as tx:
        assert await tx.fetch(_NAMES, {}) == []


async def test_a_failed_statement_leaves_the_connection_usable(uow: UnitOfWork) -> None:
    for _ in range(25):  # more often than the pool has connections
        with pytest.raises(Exception, match=r"(?i)unique"):
            async with uow.write() as tx:
                await tx.run_many(_KEEP, [{"name": "same", "event_id": 0}] * 2)
    async with uow.write() as tx:
        await tx.run(_KEEP, {"name": "same", "event_id": 0})


async def test_a_cancelled_wait_for_the_database_stays_a_cancellation(uow: UnitOfWork) -> None:
    """Where it became another error a loop took it for its own and ran on for ever."""
    is_waiting = asyncio.Event()

    async def wait_in_vain() -> None:
        async with uow.write() as tx:
            await tx.run(_KEEP, {"name": "waits", "event_id": 0})
            is_waiting.set()
            if tx.dialect == "postgresql":
                await tx.db.execute(text("SELECT pg_sleep(600)"))
            await asyncio.Event().wait()

    for _ in range(25):
        is_waiting.clear()
        task = asyncio.create_task(wait_in_vain())
        await is_waiting.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with uow.write() as tx:
        assert await tx.fetch(_NAMES, {}) == []


@pytest.mark.postgres
async def test_connections_that_the_server_ended_are_replaced(postgres_url: str) -> None:
    uow = UnitOfWork(make_engine(postgres_url), SystemClock())
    ended = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    async def answers() -> bool:
        try:
            async with uow.read(), uow.read() as tx:
                return await tx.fetch(_NAMES, {}) == []
        except ConnectionError:  # the news of the end is still on its way
            return False

    assert await answers()
    async with uow.read() as tx:
        await tx.db.execute(ended)
    await eventually(answers)
    await uow.close()


@pytest.mark.postgres
async def test_whoever_waits_for_a_connection_is_not_passed_over(postgres_url: str) -> None:
    """Those who came later took each one that was given back, until the first gave up."""
    uow = UnitOfWork(make_engine(postgres_url, pool_size=2), SystemClock())
    is_served, turns = asyncio.Event(), [0, 0]
    is_full = asyncio.Barrier(3)

    async def again_and_again(number: int) -> None:
        async with uow.read():
            await is_full.wait()
        while not is_served.is_set() and turns[number] < 500:
            async with uow.read() as tx:
                await tx.fetch(_NAMES, {})
            turns[number] += 1

    async def once() -> None:
        await is_full.wait()  # both connections are taken
        async with uow.read():
            is_served.set()

    async with asyncio.TaskGroup() as group:
        for number in (0, 1):
            group.create_task(again_and_again(number))
        group.create_task(once())
    await uow.close()
    assert max(turns) < 500
