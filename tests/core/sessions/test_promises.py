"""Promise and truth: what customers were told on entering the queue, against what came."""

from __future__ import annotations

from core.db import UnitOfWork
from core.sessions import service as sessions
from core.statistics.waits import End, Wait, WaitFigures, figures_of, recent_waits
from tests.core.sessions.people import (
    SYSTEM,
    a_servicer,
    a_waiting_session,
    acting_as,
    an_account,
)


def test_whoever_gave_up_or_still_waits_past_the_promise_counts_as_late() -> None:
    found = figures_of(
        [
            Wait(0, 55.0, End.SERVED),  # at once: within a minute
            Wait(0, 61.0, End.SERVED),
            Wait(120, 120.0, End.SERVED),
            Wait(120, 121.0, End.SERVED),
            Wait(300, 400.0, End.LEFT),
            Wait(300, 299.0, End.LEFT),
            Wait(300, 301.0, End.WAITING),
            Wait(300, 300.0, End.WAITING),
        ]
    )
    assert (found.told, found.kept, found.late, found.left, found.waiting) == (8, 2, 4, 1, 1)
    assert (found.promised_mean_s, found.promised_median_s) == (140, 120)
    assert (found.waited_mean_s, found.waited_median_s, found.waited_p90_s) == (176, 120, 350)
    nothing = figures_of([])
    assert (nothing.told, nothing.waited_median_s, nothing.promised_mean_s) == (0, None, None)


async def figures(uow: UnitOfWork) -> tuple[WaitFigures, WaitFigures]:
    async with uow.read() as tx:
        found = await recent_waits(tx)
    return found.today, found.week


def counts(found: WaitFigures) -> tuple[int, int, int, int, int]:
    return found.told, found.kept, found.late, found.left, found.waiting


async def test_what_became_of_each_who_waited(uow: UnitOfWork) -> None:
    await an_account(uow)
    boss = acting_as(await a_servicer(uow, "boss", capacity=1), supervisor=True)
    served_at_once = await a_waiting_session(uow, "wm0")
    assert served_at_once.servicer_id == boss.servicer_id
    waiting = [await a_waiting_session(uow, f"wm{number}") for number in range(1, 5)]
    assert counts((await figures(uow))[0]) == (5, 1, 0, 0, 4)
    async with uow.write() as tx:  # gives up in time
        await sessions.close(tx, waiting[3].id, reason="customer_left", by=SYSTEM)
    uow.clock.advance(minutes=8)  # type: ignore[attr-defined]  # as the first was promised
    async with uow.write() as tx:
        await sessions.take_over(tx, waiting[0].id, by=boss)
    uow.clock.advance(minutes=10)  # type: ignore[attr-defined]  # later than the second was
    async with uow.write() as tx:
        await sessions.take_over(tx, waiting[1].id, by=boss)
    today, week = await figures(uow)
    assert counts(today) == (5, 2, 1, 1, 1)
    assert today.waited_median_s == 480
    assert week == today
    uow.clock.advance(hours=24)  # type: ignore[attr-defined]
    today, week = await figures(uow)
    assert today.told == 0
    assert counts(week) == (5, 2, 2, 1, 0)  # the third waits still, past the promise


async def test_a_session_that_came_back_begins_to_wait_anew(uow: UnitOfWork) -> None:
    await an_account(uow)
    boss = acting_as(await a_servicer(uow, "boss", capacity=1), supervisor=True)
    await a_waiting_session(uow, "wm0")  # and the boss has no more room
    session = await a_waiting_session(uow, "wm1")
    uow.clock.advance(minutes=30)  # type: ignore[attr-defined]
    async with uow.write() as tx:
        await sessions.take_over(tx, session.id, by=boss)
    assert counts((await figures(uow))[0]) == (2, 1, 1, 0, 0)
    uow.clock.advance(minutes=1)  # type: ignore[attr-defined]
    async with uow.write() as tx:
        await sessions.transfer(tx, session.id, by=boss)
    assert counts((await figures(uow))[0]) == (2, 1, 0, 0, 1)
    uow.clock.advance(seconds=50)  # type: ignore[attr-defined]
    async with uow.write() as tx:
        await sessions.take_over(tx, session.id, by=boss)
    today = (await figures(uow))[0]
    assert (counts(today), today.waited_mean_s) == ((2, 2, 0, 0, 0), 25)
