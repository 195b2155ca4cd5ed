"""Reads of teams, members, skills and bindings."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, select

from core.db import Tx
from core.errors import NotFound
from core.servicers.models import ServicerRow
from core.teams.models import (
    BindingRow,
    ServicerSkillRow,
    SkillRow,
    TeamMemberRow,
    TeamRow,
    TeamScopeRow,
)
from core.teams.views import (
    BindingView,
    MemberView,
    SkillLevelView,
    SkillView,
    Strategy,
    SubjectKind,
    TeamView,
)
from core.views import Presence, ServiceMode


async def get(tx: Tx, team_id: str) -> TeamView:
    """Raises: NotFound."""
    return (await _views(tx, [await row_of(tx, team_id)]))[0]


async def list_teams(tx: Tx, *, only_active: bool = False) -> tuple[TeamView, ...]:
    query = select(TeamRow).order_by(TeamRow.name)
    if only_active:
        query = query.where(TeamRow.is_active)
    return await _views(tx, (await tx.db.scalars(query)).all())


async def members(tx: Tx, team_id: str) -> tuple[MemberView, ...]:
    """Members by name, with presence, load and skills."""
    team = await row_of(tx, team_id)
    rows = (
        await tx.db.scalars(
            select(ServicerRow)
            .join(TeamMemberRow, TeamMemberRow.servicer_id == ServicerRow.id)
            .where(TeamMemberRow.team_id == team_id)
            .order_by(ServicerRow.name, ServicerRow.id)
        )
    ).all()
    levels = await skill_levels(tx, [row.id for row in rows])
    return tuple(
        MemberView(
            servicer_id=row.id,
            name=row.name,
            presence=Presence(row.presence),
            capacity=row.capacity,
            open_sessions=row.open_sessions,
            is_leader=row.id == team.leader_id,
            skills=levels.get(row.id, ()),
        )
        for row in rows
    )


async def member_ids(tx: Tx, team_id: str) -> frozenset[str]:
    query = select(TeamMemberRow.servicer_id).where(TeamMemberRow.team_id == team_id)
    return frozenset(await tx.db.scalars(query))


async def teams_of(tx: Tx, servicer_id: str) -> frozenset[str]:
    query = select(TeamMemberRow.team_id).where(TeamMemberRow.servicer_id == servicer_id)
    return frozenset(await tx.db.scalars(query))


async def skills(tx: Tx) -> tuple[SkillView, ...]:
    rows = await tx.db.scalars(select(SkillRow).order_by(SkillRow.name))
    return tuple(SkillView(id=row.id, name=row.name) for row in rows)


async def skill_levels(
    tx: Tx, servicer_ids: Collection[str]
) -> dict[str, tuple[SkillLevelView, ...]]:
    """Skills by servicer, best first."""
    rows = await tx.db.execute(
        select(ServicerSkillRow.servicer_id, SkillRow.id, SkillRow.name, ServicerSkillRow.level)
        .join(SkillRow, SkillRow.id == ServicerSkillRow.skill_id)
        .where(ServicerSkillRow.servicer_id.in_(servicer_ids))
        .order_by(ServicerSkillRow.level.desc(), SkillRow.name)
    )
    result: dict[str, tuple[SkillLevelView, ...]] = {}
    for servicer_id, skill_id, name, level in rows:
        skill = SkillLevelView(skill_id=skill_id, name=name, level=level)
        result[servicer_id] = (*result.get(servicer_id, ()), skill)
    return result


async def teams_for_category(tx: Tx, category_id: str) -> tuple[str, ...]:
    """Active teams whose scope holds the category."""
    rows = await tx.db.scalars(
        select(TeamRow.id)
        .join(TeamScopeRow, TeamScopeRow.team_id == TeamRow.id)
        .where(TeamScopeRow.category_id == category_id, TeamRow.is_active)
        .order_by(TeamRow.name)
    )
    return tuple(rows)


async def bindings(
    tx: Tx, subject_kind: SubjectKind, subject_id: str, *, with_history: bool = False
) -> tuple[BindingView, ...]:
    """Own bindings of a subject, primary first; with_history: ended ones too, newest first."""
    query = _BINDING_HISTORY if with_history else _BINDINGS
    facts = {"a_kind": subject_kind, "a_subject": subject_id}
    return tuple(binding_view(row, name) for row, name in await tx.db.execute(query, facts))


_ALL_BINDINGS = (
    select(BindingRow, TeamRow.name)
    .join(TeamRow, TeamRow.id == BindingRow.team_id)
    .where(
        BindingRow.subject_kind == bindparam("a_kind"),
        BindingRow.subject_id == bindparam("a_subject"),
    )
)
_BINDING_HISTORY = _ALL_BINDINGS.order_by(BindingRow.created_at.desc(), BindingRow.id.desc())
_BINDINGS = _ALL_BINDINGS.where(BindingRow.ended_at.is_(None)).order_by(BindingRow.rank)


async def row_of(tx: Tx, team_id: str) -> TeamRow:
    row = await tx.db.get(TeamRow, team_id)
    if row is None:
        raise NotFound(noun="team", id=team_id)
    return row


def binding_view(row: BindingRow, team_name: str) -> BindingView:
    return BindingView.model_validate(
        {
            name: getattr(row, name)
            for name in BindingView.model_fields
            if name not in ("team_name", "inherited_from")
        }
        | {"team_name": team_name}
    )


async def _views(tx: Tx, rows: Sequence[TeamRow]) -> tuple[TeamView, ...]:
    ids = [row.id for row in rows]
    people: dict[str, list[str]] = {}
    in_teams = select(TeamMemberRow.team_id, TeamMemberRow.servicer_id).where(
        TeamMemberRow.team_id.in_(ids)
    )
    for team_id, servicer_id in await tx.db.execute(in_teams.order_by(TeamMemberRow.servicer_id)):
        people.setdefault(team_id, []).append(servicer_id)
    scopes: dict[str, list[str]] = {}
    in_scope = select(TeamScopeRow.team_id, TeamScopeRow.category_id).where(
        TeamScopeRow.team_id.in_(ids)
    )
    for team_id, category_id in await tx.db.execute(in_scope.order_by(TeamScopeRow.category_id)):
        scopes.setdefault(team_id, []).append(category_id)
    leaders = {row.leader_id for row in rows if row.leader_id}
    named = select(ServicerRow.id, ServicerRow.name).where(ServicerRow.id.in_(leaders))
    names = {servicer_id: name for servicer_id, name in await tx.db.execute(named)}  # noqa: C416
    return tuple(
        TeamView(
            id=row.id,
            name=row.name,
            about=row.about,
            leader_id=row.leader_id,
            leader_name=names.get(row.leader_id or "", ""),
            calendar_id=row.calendar_id,
            strategy=Strategy(row.strategy),
            mode=ServiceMode(row.mode) if row.mode else None,
            is_active=row.is_active,
            category_ids=tuple(scopes.get(row.id, ())),
            member_ids=tuple(people.get(row.id, ())),
            version=row.version,
        )
        for row in rows
    )
