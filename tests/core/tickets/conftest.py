from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.actor import Actor
from core.db import UnitOfWork
from core.sla import policies
from core.sla.policies import PolicyDraft
from core.sla.views import ChainStep, SlaTargets
from core.teams import service as teams
from core.teams.service import TeamDraft
from core.tickets import service
from core.tickets.access import CustomerActor
from core.tickets.service import TicketDraft
from core.views import Role, TicketView
from tests.core import seed

BOSS = Actor.system()
HOUR = 3600


@dataclass(frozen=True)
class House:
    """A team with a leader, two servicers and a supervisor; a customer; a policy."""

    uow: UnitOfWork
    anna: Actor
    bert: Actor
    chief: Actor
    team_id: str
    customer: CustomerActor
    institution_id: str
    policy_id: str

    async def ticket(self, **draft: object) -> TicketView:
        values: dict[str, object] = {
            "title": "VPN 连不上",
            "customer_id": self.customer.customer_id,
        }
        async with self.uow.write() as tx:
            return await service.create(tx, TicketDraft(**(values | draft)), by=BOSS)  # type: ignore[arg-type]


@pytest.fixture
async def house(uow: UnitOfWork) -> House:
    async with uow.write() as tx:
        anna, bert = await seed.servicer(tx, "安娜"), await seed.servicer(tx, "伯特")
        chief = await seed.servicer(tx, "主管", role=Role.SUPERVISOR)
        place = await seed.institution(tx, "苏州市疾控中心", level="gold")
        customer_id = await seed.customer(tx, "李医生", institution_id=place)
        members = [one.servicer_id or "" for one in (anna, bert)]
        team = await teams.create(
            tx, TeamDraft("实施组", leader_id=anna.servicer_id, member_ids=members), by=BOSS
        )
        policy = await policies.create(
            tx,
            PolicyDraft(
                "标准",
                SlaTargets(first_response_s=HOUR, next_response_s=2 * HOUR, resolution_s=8 * HOUR),
                chain=(
                    ChainStep(after_s=0, to="servicer"),
                    ChainStep(after_s=HOUR, to="leader"),
                    ChainStep(after_s=2 * HOUR, to="supervisor"),
                ),
            ),
            by=BOSS,
        )
    return House(
        uow, anna, bert, chief, team.id, CustomerActor(customer_id, "李医生"), place, policy.id
    )
