from __future__ import annotations

from bot import demo
from core.actor import Actor
from core.db import UnitOfWork
from core.institutions.queries import search
from core.sla.policies import list_policies
from core.teams.queries import list_teams
from core.teams.queries import members as team_members
from core.tickets import service
from core.tickets.categories import list_categories
from core.tickets.service import TicketDraft
from tests.core import seed


async def test_a_ticket_in_the_demo_is_routed_and_promised(uow: UnitOfWork) -> None:
    await demo.load(uow)
    async with uow.write() as tx:
        (team,) = await list_teams(tx)
        members = await team_members(tx, team.id)
        assert "系统管理员" not in {one.name for one in members}
        assert [one.name for one in members if one.is_leader] == ["吴芳"]
        assert [policy.name for policy in await list_policies(tx)] == ["VIP", "标准"]
        category = (await list_categories(tx))[0]
        person = await seed.customer(tx)
        draft = TicketDraft("上报失败", person, category_id=category.id)
        ticket = await service.create(tx, draft, by=Actor.system())
        assert (ticket.team_id, ticket.priority) == (team.id, "high")
        assert ticket.due_at is not None
        assert await search(tx, "疾控")
