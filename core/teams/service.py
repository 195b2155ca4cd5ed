"""The only writer of teams, members, scope, skills and bindings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from core.actor import Actor
from core.audit import service as audit
from core.db import Base, Tx
from core.errors import Conflict, Invalid, NotFound
from core.ids import new_id
from core.permissions import Permission
from core.servicers.models import ServicerRow
from core.teams import queries
from core.teams.models import (
    BindingRow,
    ServicerSkillRow,
    SkillRow,
    TeamMemberRow,
    TeamRow,
    TeamScopeRow,
)
from core.teams.views import BindingView, Rank, SkillView, Strategy, SubjectKind, TeamView
from core.views import ServiceMode


@dataclass(frozen=True, slots=True)
class TeamDraft:
    name: str
    about: str = ""
    leader_id: str | None = None
    calendar_id: str | None = None
    strategy: Strategy = Strategy.LEAST_BUSY
    mode: ServiceMode | None = None
    is_active: bool = True
    member_ids: Collection[str] = ()
    category_ids: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is bound to a team."""

    kind: SubjectKind
    id: str


async def create(tx: Tx, draft: TeamDraft, *, by: Actor) -> TeamView:
    """Raises: Forbidden; Invalid; Conflict `name_taken`."""
    by.require(Permission.TEAM_MANAGE)
    row = TeamRow(id=new_id(), created_at=tx.now, version=1)
    await _fill(tx, row, draft)
    await audit.append(tx, by=by, action="team.created", target=row.id)
    return await queries.get(tx, row.id)


async def change(tx: Tx, team_id: str, draft: TeamDraft, *, version: int, by: Actor) -> TeamView:
    """Replace what a team is. Raises: NotFound; Conflict when somebody changed it first."""
    by.require(Permission.TEAM_MANAGE)
    row = await queries.row_of(tx, team_id)
    if row.version != version:
        raise Conflict(version=row.version)
    row.version = version + 1
    await _fill(tx, row, draft)
    await audit.append(tx, by=by, action="team.changed", target=row.id)
    return await queries.get(tx, row.id)


async def create_skill(tx: Tx, name: str, *, by: Actor) -> SkillView:
    """The skill of that name, made when there is none."""
    by.require(Permission.TEAM_MANAGE)
    if not name.strip():
        raise Invalid("required", field="name")
    query = select(SkillRow).where(SkillRow.name == name.strip())
    row = (await tx.db.scalars(query)).first()
    if row is None:
        row = SkillRow(id=new_id(), name=name.strip())
        tx.db.add(row)
        await tx.db.flush()
    return SkillView(id=row.id, name=row.name)


async def set_skills(tx: Tx, servicer_id: str, levels: Mapping[str, int], *, by: Actor) -> None:
    """Replace a servicer's skills. levels: skill id → 1…5."""
    by.require(Permission.TEAM_MANAGE)
    await _require(tx, ServicerRow, "servicer", [servicer_id])
    await _require(tx, SkillRow, "skill", levels)
    if any(not 1 <= level <= 5 for level in levels.values()):
        raise Invalid("bad_level", field="level")
    mine = ServicerSkillRow.servicer_id == servicer_id
    await tx.db.execute(delete(ServicerSkillRow).where(mine))
    tx.db.add_all(
        ServicerSkillRow(servicer_id=servicer_id, skill_id=skill_id, level=level)
        for skill_id, level in levels.items()
    )
    await audit.append(tx, by=by, action="servicer.skills_set", target=servicer_id)


async def bind(
    tx: Tx, subject: Subject, team_id: str, *, by: Actor, rank: Rank = "primary", reason: str = ""
) -> BindingView:
    """Bind a customer or institution to a team; the binding it replaces becomes history."""
    by.require(Permission.TEAM_MANAGE)
    team = await queries.row_of(tx, team_id)
    await _end(tx, subject, rank, by=by)
    row = BindingRow(
        id=new_id(),
        subject_kind=subject.kind,
        subject_id=subject.id,
        team_id=team_id,
        rank=rank,
        reason=reason,
        created_at=tx.now,
        created_by=by.key,
        ended_at=None,
        ended_by="",
    )
    tx.db.add(row)
    facts = {"team_id": team_id, "rank": rank}
    await audit.append(tx, by=by, action="binding.made", target=subject.id, facts=facts)
    return queries.binding_view(row, team.name)


async def unbind(tx: Tx, subject: Subject, *, rank: Rank, by: Actor) -> None:
    """End a binding; nothing happens when there is none."""
    by.require(Permission.TEAM_MANAGE)
    if await _end(tx, subject, rank, by=by):
        facts = {"rank": rank}
        await audit.append(tx, by=by, action="binding.ended", target=subject.id, facts=facts)


async def mark_assigned(tx: Tx, team_id: str, servicer_id: str) -> None:
    """Move the ring of round robin: this member got something now."""
    await tx.db.execute(
        update(TeamMemberRow)
        .where(TeamMemberRow.team_id == team_id, TeamMemberRow.servicer_id == servicer_id)
        .values(last_assigned_at=tx.now)
        .execution_options(synchronize_session=False)
    )


async def _fill(tx: Tx, row: TeamRow, draft: TeamDraft) -> None:
    name = draft.name.strip()
    if not name:
        raise Invalid("required", field="name")
    same_name = select(TeamRow.id).where(TeamRow.name == name, TeamRow.id != row.id)
    if await tx.db.scalar(same_name):
        raise Conflict("name_taken", field="name")
    people = set(draft.member_ids) | ({draft.leader_id} if draft.leader_id else set())
    await _require(tx, ServicerRow, "servicer", people)
    row.name, row.about = name, draft.about
    row.leader_id, row.calendar_id = draft.leader_id, draft.calendar_id
    row.strategy, row.mode, row.is_active = draft.strategy, draft.mode, draft.is_active
    tx.db.add(row)
    await tx.db.flush()
    await _set_members(tx, row.id, people)
    await tx.db.execute(delete(TeamScopeRow).where(TeamScopeRow.team_id == row.id))
    tx.db.add_all(
        TeamScopeRow(team_id=row.id, category_id=category) for category in set(draft.category_ids)
    )
    await tx.db.flush()


async def _set_members(tx: Tx, team_id: str, wanted: Collection[str]) -> None:
    """Those who stay keep their place in the ring."""
    present = await queries.member_ids(tx, team_id)
    gone = present - set(wanted)
    await tx.db.execute(
        delete(TeamMemberRow).where(
            TeamMemberRow.team_id == team_id, TeamMemberRow.servicer_id.in_(gone)
        )
    )
    tx.db.add_all(
        TeamMemberRow(
            team_id=team_id, servicer_id=servicer_id, joined_at=tx.now, last_assigned_at=tx.now
        )
        for servicer_id in set(wanted) - present
    )


async def _end(tx: Tx, subject: Subject, rank: Rank, *, by: Actor) -> bool:
    ended = await tx.db.execute(
        update(BindingRow)
        .where(
            BindingRow.subject_kind == subject.kind,
            BindingRow.subject_id == subject.id,
            BindingRow.rank == rank,
            BindingRow.ended_at.is_(None),
        )
        .values(ended_at=tx.now, ended_by=by.key)
        .returning(BindingRow.id)
        .execution_options(synchronize_session=False)
    )
    return ended.first() is not None


async def _require(tx: Tx, table: type[Base], noun: str, ids: Collection[str]) -> None:
    for key in ids:
        if await tx.db.get(table, key) is None:
            raise NotFound(noun=noun, id=key)
