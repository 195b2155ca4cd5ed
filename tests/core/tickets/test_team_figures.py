from __future__ import annotations

from datetime import timedelta

from core.clock import ManualClock
from core.institutions import service as institutions
from core.institutions.service import InstitutionDraft
from core.teams import service as teams
from core.teams.service import Subject, TeamDraft
from core.tickets import categories, entries, service, team_figures
from core.tickets.categories import CategoryDraft
from core.tickets.states import Action
from tests.core import seed
from tests.core.tickets.conftest import BOSS, House


async def test_figures_computed_by_hand(house: House, clock: ManualClock) -> None:
    start = clock.now()
    one = await house.ticket(team_id=house.team_id, servicer_id=house.anna.servicer_id)
    two = await house.ticket(team_id=house.team_id, servicer_id=house.anna.servicer_id)
    await house.ticket(team_id=house.team_id, servicer_id=house.bert.servicer_id)
    for ticket, minutes, score in ((one, 30, 5), (two, 60, 4)):
        clock.advance(minutes=minutes)
        async with house.uow.write() as tx:
            await service.move(tx, ticket.id, Action.RESOLVE, by=house.anna)
            await entries.rate(tx, ticket.id, score, by=house.customer)
    async with house.uow.read() as tx:
        found = await team_figures.figures(
            tx, house.team_id, since=start, until=clock.now() + timedelta(days=1)
        )
        none = await team_figures.figures(
            tx, house.team_id, since=start - timedelta(days=9), until=start
        )
    assert (found.created, found.resolved, found.open_tickets, found.unassigned) == (3, 2, 1, 0)
    assert found.resolution_mean_s == (30 + 90) * 60 / 2
    assert (found.satisfaction, found.rated) == (4.5, 2)
    assert (found.sla_met, found.sla_breached) == (3, 1)  # the second first response was late
    by_name = {member.name: member for member in found.members}
    assert (by_name["安娜"].resolved, by_name["伯特"].open_tickets) == (2, 1)
    assert by_name["伯特"].satisfaction is None
    assert (none.created, none.resolution_mean_s, none.open_tickets) == (0, None, 1)


async def test_teams_are_recommended_with_reasons(house: House) -> None:
    async with house.uow.write() as tx:
        category = await categories.create(tx, CategoryDraft("网络"), by=BOSS)
        near = await institutions.create(tx, InstitutionDraft("甲", region_code="320508"), by=BOSS)
        here = await institutions.create(tx, InstitutionDraft("乙", region_code="320505"), by=BOSS)
        person = await seed.customer(tx, institution_id=here)
        scope = await teams.create(tx, TeamDraft("范围", category_ids=[category.id]), by=BOSS)
        region = await teams.create(tx, TeamDraft("邻近"), by=BOSS)
        await teams.bind(tx, Subject("institution", near), region.id, by=BOSS)
        done = await service.create(
            tx, service.TicketDraft("x", person, team_id=house.team_id), by=BOSS
        )
        await service.move(tx, done.id, Action.RESOLVE, by=BOSS)
        found = await team_figures.recommend(tx, customer_id=person, category_id=category.id)
        assert [(one.team_name, one.reasons) for one in found] == [
            ("范围", ("scope",)),
            ("实施组", ("history",)),
            ("邻近", ("region",)),
        ]
        await teams.bind(tx, Subject("customer", person), region.id, by=BOSS)
        found = await team_figures.recommend(tx, customer_id=person, category_id=category.id)
        assert (found[0].team_id, found[0].reasons) == (region.id, ("bound", "region"))
        assert scope.id == found[1].team_id
        assert await team_figures.recommend(tx) == ()
