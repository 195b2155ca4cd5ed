"""Nobody starves: whoever is preferred overtakes only those who came a bounded time before."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from core.content import Address
from core.conversations.threads import ensure_thread
from core.customers.models import CustomerRow
from core.db import UnitOfWork
from core.sessions import service as sessions
from core.sessions.drain import drain_queue
from core.sessions.queries import session_view
from core.settings.reception import Reception
from core.views import SessionState
from tests.core import seed
from tests.core.sessions.people import SYSTEM, a_servicer, a_waiting_session, an_account

CUSTOMERS = 14
RULES = Reception()


@dataclass(frozen=True)
class Waiting:
    session_id: str
    came_at: datetime
    ahead_s: int


async def comes(uow: UnitOfWork, user: str, institution_id: str | None) -> Waiting:
    """A customer asks for people; those of an institution with a contract are preferred."""
    async with uow.write() as tx:
        thread = await ensure_thread(tx, Address("wecom_kf", "wk1", user))
        row = await tx.db.get_one(CustomerRow, thread.customer.id)
        row.institution_id = institution_id
    session = await a_waiting_session(uow, user)
    assert session.queued_at is not None
    return Waiting(session.id, session.queued_at, RULES.vip_bonus_s if institution_id else 0)


@pytest.mark.parametrize("dice", [1, 2, 3])
async def test_nobody_is_overtaken_by_who_came_much_later(uow: UnitOfWork, dice: int) -> None:
    chance = random.Random(dice)
    await an_account(uow)
    async with uow.write() as tx:
        favoured = await seed.institution(tx, "省疾控", level=RULES.vip_levels[0])
    waiting = []
    for number in range(CUSTOMERS):
        uow.clock.advance(seconds=chance.randrange(1, 400))  # type: ignore[attr-defined]
        is_favoured = chance.random() < 0.4
        waiting.append(await comes(uow, f"wm{number}", favoured if is_favoured else None))
    await a_servicer(uow, "one", capacity=1)
    served: list[Waiting] = []
    while len(served) < CUSTOMERS:
        assert await drain_queue(uow) == 1
        mine = await whoever_is_served(uow, [one for one in waiting if one not in served])
        served.append(mine)
        async with uow.write() as tx:
            await sessions.close(tx, mine.session_id, reason="done", by=SYSTEM)
    for place, earlier in enumerate(served):
        for later in served[place + 1 :]:
            lead = timedelta(seconds=earlier.ahead_s - later.ahead_s)
            assert earlier.came_at <= later.came_at + lead
    assert served != waiting  # somebody was preferred


async def whoever_is_served(uow: UnitOfWork, waiting: list[Waiting]) -> Waiting:
    async with uow.read() as tx:
        (mine,) = [
            one
            for one in waiting
            if (await session_view(tx, one.session_id)).state is SessionState.SERVING
        ]
    return mine
