"""Who waits for some of the same people: teams share members, and a session may go to several.

A freed place goes to whoever is first of all whom that person may serve. So everyone ahead who
waits for any of the same people counts, in whichever queue: after as many freed places of theirs
as somebody's place says, it is their turn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from core.db import Tx
from core.servicers.models import AccountServicerRow, ServicerRow
from core.sessions.models import SessionRow
from core.teams.models import TeamMemberRow
from core.views import Presence, ServiceMode

People = frozenset[str]


@dataclass(frozen=True, slots=True)
class Queue:
    """Sessions that wait for the same people. account: inside the platform's client only."""

    route: str
    account_id: str = ""

    @classmethod
    def of(cls, mode: str, route: str, account_id: str) -> Queue:
        return cls(route, account_id if mode == ServiceMode.NATIVE else "")

    @classmethod
    def of_session(cls, row: SessionRow) -> Queue:
        return cls.of(row.mode, row.route, row.account_id)

    @property
    def teams(self) -> list[str]:
        """Empty: anyone."""
        return [one for one in self.route.split(",") if one]


def ahead_of(mine: Queue, waiting: Mapping[Queue, int], people: Mapping[Queue, People]) -> int:
    """How many of those who wait ahead may be served by whoever I wait for. Pure."""
    own = people.get(mine, frozenset())
    return sum(
        count
        for queue, count in waiting.items()
        if queue == mine or not own.isdisjoint(people.get(queue, frozenset()))
    )


async def people_of(tx: Tx, queues: Collection[Queue]) -> dict[Queue, People]:
    """Who is online for each of these queues; nothing is asked where there is but one."""
    if len(queues) < 2:
        return {}
    online = select(ServicerRow.id, TeamMemberRow.team_id).outerjoin(
        TeamMemberRow, TeamMemberRow.servicer_id == ServicerRow.id
    )
    rows = await tx.db.execute(online.where(ServicerRow.presence == Presence.ONLINE))
    everyone: set[str] = set()
    teams: dict[str, set[str]] = {}
    for servicer_id, team_id in rows:
        everyone.add(servicer_id)
        teams.setdefault(team_id, set()).add(servicer_id)
    accepting = await _accepting(tx, {one.account_id for one in queues if one.account_id})
    return {one: _people(one, everyone, teams, accepting) for one in queues}


def _people(
    queue: Queue,
    everyone: Iterable[str],
    teams: Mapping[str, set[str]],
    accepting: Mapping[str, set[str]],
) -> People:
    found = {one for team in queue.teams for one in teams.get(team, ())}
    people = frozenset(found if queue.teams else everyone)
    return people & accepting.get(queue.account_id, set()) if queue.account_id else people


async def _accepting(tx: Tx, account_ids: Collection[str]) -> dict[str, set[str]]:
    """Account → whom the platform lets serve it."""
    found: dict[str, set[str]] = {}
    if account_ids:
        rows = await tx.db.execute(
            select(AccountServicerRow.account_id, AccountServicerRow.servicer_id).where(
                AccountServicerRow.account_id.in_(account_ids),
                AccountServicerRow.is_accepting.is_(True),
            )
        )
        for account_id, servicer_id in rows:
            found.setdefault(account_id, set()).add(servicer_id)
    return found
