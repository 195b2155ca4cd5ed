"""From a session to a person: binding → last servicer → skill → strategy, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from core.accounts.limits import AccountLimits
from core.accounts.models import AccountRow
from core.assignment.queries import Wanted, candidates
from core.assignment.strategy import STRATEGIES, Choice, last_one
from core.db import Tx
from core.statements import Statement
from core.teams.effective import effective_bindings
from core.teams.models import TeamRow
from core.teams.views import BindingView
from core.views import ServiceMode

_TEAM: Final = Statement(
    select(TeamRow.mode, TeamRow.strategy).where(TeamRow.id == bindparam("wanted"))
)


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
    places = [await destination(tx, team_id, because) for team_id, because in found.items()]
    return tuple(places) or (Destination(None),)


async def destination(tx: Tx, team_id: str, because: str = "") -> Destination:
    """A team by what it asks for; one that is gone asks for nothing."""
    await tx.flush()
    for row in await tx.fetch(_TEAM, {"wanted": team_id}):
        mode = ServiceMode(row.mode) if row.mode else None
        return Destination(team_id, because, mode, row.strategy)
    return Destination(team_id, because)


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
