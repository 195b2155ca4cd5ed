"""From a session to a person: binding → last servicer → skill → strategy, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select

from core.assignment.queries import Wanted, candidates, skill_sums
from core.assignment.strategy import STRATEGIES, Candidate, Choice, last_one
from core.db import Tx
from core.teams.models import TeamRow
from core.teams.queries import effective_bindings


@dataclass(frozen=True, slots=True)
class Destination:
    """A team that may serve, and why it; team_id None: anyone."""

    team_id: str | None
    because: str = ""


async def destinations(
    tx: Tx, customer_id: str, account_team_id: str | None
) -> tuple[Destination, ...]:
    """Teams in the order in which they are asked: bound ones first, then the account's own."""
    found = [
        Destination(
            one.team_id,
            f"绑定{'机构' if one.inherited_from or one.subject_kind == 'institution' else '客户'}"
            f"团队 {one.team_name}",
        )
        for one in await effective_bindings(tx, customer_id)
    ]
    if account_team_id is not None and all(one.team_id != account_team_id for one in found):
        found.append(Destination(account_team_id))
    return tuple(found) or (Destination(None),)


async def choose(
    tx: Tx, wanted: Wanted, *, because: str = "", last_servicer_id: str | None = None
) -> tuple[Choice | None, list[Candidate]]:
    """The person who should have it, and everyone who could."""
    found = await candidates(tx, wanted)
    strategy = await _strategy(tx, wanted.team_id)
    if strategy == "skill" and found:
        sums = await skill_sums(tx, wanted.topic, [one.servicer_id for one in found])
        found = [replace(one, skill=sums.get(one.servicer_id, 0)) for one in found]
    choice = last_one(found, last_servicer_id) or STRATEGIES[strategy](found)
    return (choice.also(because) if choice else None), found


async def _strategy(tx: Tx, team_id: str | None) -> str:
    if team_id is None:
        return "least_busy"
    found = await tx.db.scalar(select(TeamRow.strategy).where(TeamRow.id == team_id))
    return found or "least_busy"
