"""From a session to a person: binding → last servicer → skill → strategy, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from core.accounts.limits import AccountLimits
from core.accounts.models import AccountRow
from core.assignment.queries import Wanted, candidates
from core.assignment.strategy import STRATEGIES, Choice, last_one
from core.db import Tx
from core.teams.effective import effective_bindings
from core.teams.models import TeamRow
from core.teams.views import BindingView
from core.views import ServiceMode

_TEAMS: Final = select(TeamRow).where(TeamRow.id.in_(bindparam("teams", expanding=True)))


@dataclass(frozen=True, slots=True)
class Destination:
    """A team that may serve, and why it; team_id None: anyone.

    mode: how this team receives its sessions; None: as the account says.
    """

    team_id: str | None
    because: str = ""
    mode: ServiceMode | None = None
    strategy: str = "least_busy"


async def destinations(
    tx: Tx, customer_id: str, account_team_id: str | None
) -> tuple[Destination, ...]:
    """Teams in the order in which they are asked: bound ones first, then the account's own."""
    found = {one.team_id: _why(one) for one in await effective_bindings(tx, customer_id)}
    if account_team_id is not None:
        found.setdefault(account_team_id, "")
    known = await _teams(tx, found)
    places = [_destination(known.get(one), one, because) for one, because in found.items()]
    return tuple(places) or (Destination(None),)


async def destination(tx: Tx, team_id: str) -> Destination:
    """A team to which a session was sent by hand."""
    return _destination((await _teams(tx, [team_id])).get(team_id), team_id)


def reception_mode(account: AccountRow, place: Destination) -> ServiceMode:
    """How a session of this account is received there: the team decides before the account.

    A channel whose sessions cannot be handed to its own client is always served from our desk.
    """
    if not AccountLimits.model_validate(account.limits).has_native_handover:
        return ServiceMode.CONSOLE
    return place.mode or ServiceMode(account.mode)


async def choose(
    tx: Tx, wanted: Wanted, *, because: str = "", last_servicer_id: str | None = None
) -> Choice | None:
    """The person who should have it; None when nobody can take it now."""
    choice = None
    if last_servicer_id is not None:
        choice = last_one(await candidates(tx, wanted, only=last_servicer_id), last_servicer_id)
    if choice is None:
        choice = STRATEGIES[wanted.strategy](await candidates(tx, wanted))
    return choice.also(because) if choice else None


def _why(binding: BindingView) -> str:
    of_institution = binding.inherited_from or binding.subject_kind == "institution"
    return f"绑定{'机构' if of_institution else '客户'}团队 {binding.team_name}"


async def _teams(tx: Tx, team_ids: Collection[str]) -> dict[str, TeamRow]:
    if not team_ids:
        return {}
    rows = await tx.db.scalars(_TEAMS, {"teams": sorted(team_ids)})
    return {row.id: row for row in rows}


def _destination(row: TeamRow | None, team_id: str, because: str = "") -> Destination:
    if row is None:
        return Destination(team_id, because)
    mode = ServiceMode(row.mode) if row.mode else None
    return Destination(team_id, because, mode, row.strategy)
