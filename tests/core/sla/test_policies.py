from __future__ import annotations

from dataclasses import replace

import pytest

from core.actor import Actor
from core.clock import ManualClock
from core.db import UnitOfWork
from core.errors import Conflict, Forbidden, Invalid
from core.sla import policies
from core.sla.policies import Facts, PolicyDraft, matches
from core.sla.queries import would_be_due
from core.sla.views import ChainStep, Measure, SlaConditions, SlaTargets
from tests.core import seed

BOSS = Actor.system()
NOW = ManualClock().now()
FACTS = Facts("t", NOW, "high", ("vpn", "network"), "team", None, "place", "gold", "session")


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        (SlaConditions(), True),
        (SlaConditions(contract_levels=("gold", "silver")), True),
        (SlaConditions(contract_levels=("silver",)), False),
        (SlaConditions(category_ids=("network",)), True),
        (SlaConditions(category_ids=("printer",)), False),
        (SlaConditions(priorities=("high",), sources=("session",)), True),
        (SlaConditions(priorities=("high",), sources=("h5",)), False),
        (SlaConditions(team_ids=("team",), institution_ids=("place",)), True),
        (SlaConditions(institution_ids=("elsewhere",)), False),
    ],
)
def test_all_conditions_must_hold(conditions: SlaConditions, holds: bool) -> None:
    assert matches(conditions, FACTS) is holds


def test_a_ticket_without_an_institution_matches_no_named_institution() -> None:
    facts = replace(FACTS, institution_id=None, team_id=None)
    assert not matches(SlaConditions(institution_ids=("place",)), facts)
    assert matches(SlaConditions(), facts)


async def test_the_first_active_policy_by_position_holds(uow: UnitOfWork) -> None:
    targets = SlaTargets(resolution_s=3600)
    async with uow.write() as tx:
        usual = await policies.create(tx, PolicyDraft("普通", targets, position=50), by=BOSS)
        gold = PolicyDraft(
            "金牌", SlaTargets(resolution_s=1800), SlaConditions(contract_levels=("gold",)), 10
        )
        first = await policies.create(tx, gold, by=BOSS)
        found = await policies.policy_for(tx, FACTS)
        assert found == first
        await policies.change(tx, first.id, replace(gold, is_active=False), version=1, by=BOSS)
        assert await policies.policy_for(tx, FACTS) == usual
        with pytest.raises(Conflict):
            await policies.change(tx, first.id, gold, version=1, by=BOSS)


async def test_a_policy_promises_something_and_is_kept_by_those_who_may(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        with pytest.raises(Invalid):
            await policies.create(tx, PolicyDraft("空", SlaTargets()), by=BOSS)
        servicer = await seed.servicer(tx, "甲")
        with pytest.raises(Forbidden):
            await policies.create(tx, PolicyDraft("x", SlaTargets(resolution_s=1)), by=servicer)
        chain = (ChainStep(after_s=60, to="leader"), ChainStep(after_s=0, to="servicer"))
        made = await policies.create(
            tx, PolicyDraft("x", SlaTargets(resolution_s=1), chain=chain), by=BOSS
        )
        assert [step.after_s for step in made.chain] == [0, 60]


async def test_the_tester_tells_when_something_would_be_due(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        targets = SlaTargets(first_response_s=1800, resolution_s=4 * 3600)
        await policies.create(tx, PolicyDraft("普通", targets), by=BOSS)
        answer = await would_be_due(tx, FACTS, NOW)  # Monday 10:00 in Shanghai
    hours = {measure: (due - NOW).total_seconds() / 3600 for measure, due in answer.due.items()}
    assert hours == {Measure.FIRST_RESPONSE: 0.5, Measure.RESOLUTION: 5.5}  # over lunch
    async with uow.read() as tx:
        nothing = await would_be_due(tx, replace(FACTS, priority="low"), NOW)
    assert nothing.policy is not None
