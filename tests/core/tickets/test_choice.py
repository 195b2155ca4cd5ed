"""The team's strategy decides who gets a ticket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.clock import ManualClock
from core.servicers.models import ServicerRow
from core.teams.models import TeamRow
from core.tickets.choice import Candidate, because, choose
from core.views import Presence
from tests.core.tickets.conftest import House

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
IDLE = Candidate("idle", "闲", 1, 0, NOON, skill=2)
NEXT = Candidate("next", "下一个", 7, 0, NOON - timedelta(hours=1), skill=1)
EXPERT = Candidate("expert", "专家", 9, 0, NOON, skill=5)
UNFIT = Candidate("unfit", "新人", 0, 2, NOON, skill=0)


@pytest.mark.parametrize(
    ("strategy", "expected", "why"),
    [
        ("least_busy", IDLE, "待办 1 张最少"),
        ("round_robin", NEXT, "轮流分配"),
        ("skill", EXPERT, "技能等级最高（5）"),
        ("unheard of", IDLE, "待办 1 张最少"),
    ],
)
def test_each_strategy_prefers_somebody_else_and_says_why(
    strategy: str, expected: Candidate, why: str
) -> None:
    chosen = choose([UNFIT, EXPERT, NEXT, IDLE], strategy)
    assert chosen == expected
    assert because(expected, strategy) == why
    assert choose([UNFIT], strategy) == UNFIT
    assert choose([], strategy) is None


async def test_tickets_go_round_in_a_team_that_takes_turns(
    house: House, clock: ManualClock
) -> None:
    async with house.uow.write() as tx:
        (await tx.db.get_one(TeamRow, house.team_id)).strategy = "round_robin"
        for one in (house.anna, house.bert):
            row = await tx.db.get_one(ServicerRow, one.servicer_id)
            row.presence = Presence.ONLINE
    busy = house.anna.servicer_id
    for _ in range(3):
        await house.ticket(servicer_id=busy, team_id=house.team_id)
    made = []
    for _ in range(4):
        clock.advance(minutes=1)
        made.append(await house.ticket(team_id=house.team_id))
    got = [one.servicer_id for one in made]
    assert got[0] != got[1]
    assert got[:2] == got[2:]
    assert "轮流分配" in made[0].assigned_because
