"""Who may be given a session of an account right now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, func, literal, select

from core.assignment.strategy import Candidate
from core.calendars.queries import off_duty, working_calendar
from core.db import Tx
from core.servicers.models import AccountServicerRow, ServicerRow
from core.teams.models import ServicerSkillRow, SkillRow, TeamMemberRow, TeamRow
from core.views import Presence, ServiceMode


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a session asks of whoever takes it.

    team_id None: anyone. topic: what it is about; skills are found by their names in it.
    without: servicers who had it and lost it.
    """

    account_id: str
    mode: ServiceMode
    team_id: str | None = None
    topic: str = ""
    without: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Slots:
    """free: sessions that could be taken now; total: what all who are there carry together."""

    free: int
    total: int
    servicers_online: int


async def candidates(tx: Tx, wanted: Wanted) -> list[Candidate]:
    """Member ∧ on duty ∧ accepting ∧ below their own limit over all teams.

    Permission to serve comes with being a servicer; NATIVE sessions also need an account of the
    platform on which that person accepts.
    """
    statement = select(
        ServicerRow.id,
        ServicerRow.name,
        ServicerRow.open_sessions,
        ServicerRow.capacity,
        ServicerRow.idle_since,
        literal(0),
        TeamMemberRow.last_assigned_at if wanted.team_id else ServicerRow.idle_since,
    ).where(
        ServicerRow.presence == Presence.ONLINE,
        ServicerRow.open_sessions < ServicerRow.capacity,
    )
    if wanted.team_id:
        membership = and_(
            TeamMemberRow.servicer_id == ServicerRow.id, TeamMemberRow.team_id == wanted.team_id
        )
        statement = statement.join(TeamMemberRow, membership)
    if wanted.mode is ServiceMode.NATIVE:
        statement = statement.join(
            AccountServicerRow,
            and_(
                AccountServicerRow.servicer_id == ServicerRow.id,
                AccountServicerRow.account_id == wanted.account_id,
                AccountServicerRow.is_accepting.is_(True),
            ),
        ).where(ServicerRow.wecom_userid.is_not(None))
    if wanted.without:
        statement = statement.where(ServicerRow.id.not_in(wanted.without))
    found = [Candidate(*row) for row in await tx.db.execute(statement)]
    return await _on_duty(tx, wanted.team_id, found)


async def _on_duty(tx: Tx, team_id: str | None, found: list[Candidate]) -> list[Candidate]:
    """Leave out whose roster says that they are off; only teams with a calendar keep rosters."""
    calendar_id = await calendar_of(tx, team_id)
    if not found or calendar_id is None:
        return found
    calendar = await working_calendar(tx, calendar_id)
    ids = [one.servicer_id for one in found]
    off = await off_duty(tx, ids, tx.now, team_id=team_id, calendar=calendar)
    return [one for one in found if one.servicer_id not in off]


async def calendar_of(tx: Tx, team_id: str | None) -> str | None:
    if team_id is None:
        return None
    return await tx.db.scalar(select(TeamRow.calendar_id).where(TeamRow.id == team_id))


async def skill_sums(tx: Tx, topic: str, servicer_ids: Collection[str]) -> dict[str, int]:
    """Sum of the levels that each servicer has in the skills which the topic names."""
    folded = topic.casefold()
    named = [
        row.id
        for row in await tx.db.execute(select(SkillRow.id, SkillRow.name))
        if row.name.casefold() in folded
    ]
    if not named:
        return {}
    rows = await tx.db.execute(
        select(ServicerSkillRow.servicer_id, func.sum(ServicerSkillRow.level))
        .where(
            ServicerSkillRow.skill_id.in_(named), ServicerSkillRow.servicer_id.in_(servicer_ids)
        )
        .group_by(ServicerSkillRow.servicer_id)
    )
    return {row[0]: int(row[1]) for row in rows}


async def slots(tx: Tx) -> Slots:
    """The capacity of everyone who is online."""
    found = (
        await tx.db.execute(
            select(
                func.coalesce(func.sum(ServicerRow.capacity - ServicerRow.open_sessions), 0),
                func.coalesce(func.sum(ServicerRow.capacity), 0),
                func.count(),
            ).where(ServicerRow.presence == Presence.ONLINE)
        )
    ).one()
    return Slots(max(0, int(found[0])), int(found[1]), int(found[2]))
