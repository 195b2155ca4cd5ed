"""The demo company has a past that its pages can show."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from bot import demo
from bot.demo_past import load_past
from bot.demo_tickets import load_tickets
from core.actor import Actor
from core.customers.queries import customer_view
from core.db import UnitOfWork
from core.history.search import Wanted, search
from core.sessions.queries import list_sessions
from core.statistics.team_service import team_service
from core.teams.queries import list_teams
from core.tickets.team_figures import figures
from core.timeline.queries import TimelineKind, of_customer
from core.views import SessionState

SYSTEM = Actor.system()


async def test_statistics_history_and_timelines_are_filled(
    uow: UnitOfWork, database_url: str
) -> None:
    assert await demo.load(uow)
    await load_tickets(database_url, await load_past(uow))
    assert not await demo.load(uow)
    async with uow.read() as tx:
        (team,) = await list_teams(tx)
        since = tx.now - timedelta(days=30)
        served = await team_service(tx, team.id, since=since, until=tx.now)
        tickets = await figures(tx, team.id, since=since, until=tx.now)
        found = await search(tx, Wanted(["前置机", "SyncAgent"]))
        page = await list_sessions(tx, by=SYSTEM, limit=400)
        first = page.items[-1]
        timeline = await of_customer(tx, first.customer_id)
        known_since = (await customer_view(tx, first.customer_id)).created_at
    assert served.figures.sessions > 100
    assert served.figures.unanswered == 0
    assert served.figures.satisfaction_mean is not None
    assert served.figures.satisfaction_mean > 4
    assert len([one for one in served.members if one.figures.sessions]) == 6
    assert (tickets.created, tickets.resolved, tickets.sla_breached) == (9, 6, 0)
    assert found.items
    assert known_since <= first.opened_at
    assert first.window.left == 0  # they wrote weeks ago
    assert TimelineKind.SESSION in {one.kind for one in timeline.items}
    assert {one.state for one in page.items} == {SessionState.CLOSED}


async def test_nobody_is_in_two_sessions_at_once(uow: UnitOfWork) -> None:
    await demo.load(uow)
    await load_past(uow)
    async with uow.read() as tx:
        page = await list_sessions(tx, by=SYSTEM, limit=400)
    by_thread = sorted(page.items, key=lambda one: (one.conversation_id, one.opened_at))
    for first, second in pairwise(by_thread):
        if first.conversation_id == second.conversation_id:
            assert first.closed_at is not None
            assert first.closed_at < second.opened_at
