"""Fifty workers at one queue: nobody over a limit, nothing given twice.

WENQU_TEST_CLAIMS=5000 makes it the full number; a run of the suite takes fewer.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter

from sqlalchemy import func, insert, select

from core.bus import events_after
from core.content import Address
from core.conversations.models import ConversationRow
from core.customers.models import CustomerRow, IdentityRow
from core.db import UnitOfWork
from core.errors import Conflict
from core.events import SessionAssigned
from core.servicers.models import ServicerRow
from core.sessions import service as sessions
from core.sessions.assigning import assign_next
from core.sessions.models import SessionRow
from core.views import SessionState
from tests.core.sessions.people import a_servicer, acting_as, an_account

WORKERS = 50
PEOPLE = 10


def _how_many() -> int:
    return int(os.environ.get("WENQU_TEST_CLAIMS", "150"))


async def many_wait(uow: UnitOfWork, account_id: str, count: int) -> list[str]:
    """So many sessions in the queue, by plain inserts. Returns their ids in queue order."""
    names = [f"{number:05d}" for number in range(count)]
    async with uow.write() as tx:
        now = tx.now
        at = {"created_at": now}
        people = [{"id": f"c{one}", "name": one, "is_temporary": True, **at} for one in names]
        identities = [
            {"id": f"i{one}", "customer_id": f"c{one}", "channel": "wecom_kf", "account": "wk1",
             "user": one, **at}
            for one in names
        ]  # fmt: skip
        threads = [
            {"id": f"t{one}", "address_key": Address("wecom_kf", "wk1", one).key,
             "account_id": account_id, "identity_id": f"i{one}", "customer_id": f"c{one}",
             "pending_lines": [], "form": {}, **at}
            for one in names
        ]  # fmt: skip
        waiting = [
            {"id": f"s{one}", "conversation_id": f"t{one}", "account_id": account_id,
             "customer_id": f"c{one}", "state": "queued", "mode": "console", "rank_at": now,
             "queued_at": now, "opened_at": now, "lost_by": []}
            for one in names
        ]  # fmt: skip
        for table, rows in (
            (CustomerRow, people),
            (IdentityRow, identities),
            (ConversationRow, threads),
            (SessionRow, waiting),
        ):
            await tx.db.execute(insert(table), rows)
    return [str(one["id"]) for one in waiting]


async def outcome(uow: UnitOfWork) -> tuple[dict[str, int], dict[str, int], Counter[str]]:
    """Loads as counted, loads as served, and how often each session was assigned."""
    async with uow.read() as tx:
        loads = (await tx.db.execute(select(ServicerRow.id, ServicerRow.open_sessions))).all()
        served = await tx.db.execute(
            select(SessionRow.servicer_id, func.count())
            .where(SessionRow.state == SessionState.SERVING)
            .group_by(SessionRow.servicer_id)
        )
        given: Counter[str] = Counter()
        last = 0
        while events := await events_after(tx, last):
            last = events[-1].id
            given.update(
                one.event.session.id for one in events if isinstance(one.event, SessionAssigned)
            )
        return dict(loads), {str(one): count for one, count in served.all()}, given


async def test_fifty_workers_claim_and_nobody_exceeds_a_limit_nor_claims_twice(
    uow: UnitOfWork,
) -> None:
    account_id, count = await an_account(uow), _how_many()
    capacity = count // PEOPLE - 5  # fewer places than sessions
    people = [await a_servicer(uow, f"p{n}", capacity=min(capacity, 100)) for n in range(PEOPLE)]
    waiting = await many_wait(uow, account_id, count)

    async def worker(number: int) -> None:
        """Two workers are after each session, for different people, at the same moment."""
        chance = random.Random(number // 2)
        mine = waiting[number // 2 :: WORKERS // 2]
        chance.shuffle(mine)
        for session_id in mine:
            person = people[(number + chance.randrange(PEOPLE)) % PEOPLE]
            try:
                async with uow.write() as tx:
                    await sessions.claim(tx, session_id, by=acting_as(person))
            except Conflict:
                continue

    async with asyncio.TaskGroup() as group:
        for number in range(WORKERS):
            group.create_task(worker(number))
    loads, served, given = await outcome(uow)
    assert {one: load for one, load in loads.items() if load} == served
    assert max(loads.values()) <= min(capacity, 100)
    assert set(given.values()) == {1}
    assert sum(loads.values()) == len(given)


async def test_workers_that_assign_different_sessions_share_the_places_that_are_left(
    uow: UnitOfWork,
) -> None:
    """Each sees the same free place; the limit is kept when they write."""
    account_id = await an_account(uow)
    people = [await a_servicer(uow, f"p{n}", capacity=3) for n in range(4)]
    waiting = await many_wait(uow, account_id, 60)

    async def worker(session_id: str) -> None:
        async with uow.write() as tx:
            await assign_next(tx, session_id)

    async with asyncio.TaskGroup() as group:
        for session_id in waiting:
            group.create_task(worker(session_id))
    loads, served, given = await outcome(uow)
    assert loads == served == dict.fromkeys(people, 3)
    assert set(given.values()) == {1}
