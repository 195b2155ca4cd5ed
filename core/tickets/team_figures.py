"""Figures of teams: load, performance, satisfaction, members; and which team fits whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from core.customers.models import CustomerRow, InstitutionRow
from core.db import Tx
from core.servicers.models import ServicerRow
from core.sla.models import SlaClockRow
from core.teams import queries as teams
from core.teams.effective import effective_bindings
from core.teams.models import BindingRow, TeamMemberRow, TeamScopeRow
from core.teams.views import RecommendationView, TeamView
from core.tickets import categories
from core.tickets.models import TicketRow
from core.tickets.states import UNRESOLVED
from core.views import View

#: What each reason adds to a recommendation.
_WEIGHTS = {"bound": 4.0, "scope": 3.0, "history": 2.0, "region": 1.0}


class MemberFigures(View):
    """resolution_mean_s: wall clock, creation to last resolve; satisfaction: mean of 1…5."""

    servicer_id: str
    name: str
    open_tickets: int
    created: int
    resolved: int
    resolution_mean_s: int | None
    reopened: int
    satisfaction: float | None
    rated: int


class TeamFigures(View):
    """sla_met ÷ (sla_met + sla_breached) over promises that were made in the span."""

    team_id: str
    name: str
    members: tuple[MemberFigures, ...]
    open_tickets: int
    unassigned: int
    created: int
    resolved: int
    resolution_mean_s: int | None
    sla_met: int
    sla_breached: int
    satisfaction: float | None
    rated: int


async def figures(tx: Tx, team_id: str, *, since: datetime, until: datetime) -> TeamFigures:
    """A team's tickets created within the span, and what is open now. Raises: NotFound."""
    team = await teams.get(tx, team_id)
    members = await _members(tx, team, since, until)
    whole = await _sums(tx, team_id, since, until)
    met, breached = await _sla(tx, team_id, since, until)
    return TeamFigures(
        team_id=team.id,
        name=team.name,
        members=members,
        sla_met=met,
        sla_breached=breached,
        **whole,
    )


async def recommend(
    tx: Tx,
    *,
    customer_id: str | None = None,
    institution_id: str | None = None,
    category_id: str | None = None,
    limit: int = 5,
) -> tuple[RecommendationView, ...]:
    """Teams that would fit, best first; among equals the one with fewer open tickets."""
    if customer_id is not None and institution_id is None:
        query = select(CustomerRow.institution_id).where(CustomerRow.id == customer_id)
        institution_id = await tx.db.scalar(query)
    reasons = {
        "bound": await _bound(tx, customer_id),
        "scope": await _in_scope(tx, category_id),
        "history": await _served_before(tx, customer_id, institution_id),
        "region": await _near(tx, institution_id),
    }
    load = await _open_by_team(tx)
    found = []
    for team in await teams.list_teams(tx, only_active=True):
        why = tuple(reason for reason, ids in reasons.items() if team.id in ids)
        if why:
            score = sum(_WEIGHTS[reason] for reason in why)
            found.append(
                RecommendationView(team_id=team.id, team_name=team.name, score=score, reasons=why)
            )
    found.sort(key=lambda one: (-one.score, load.get(one.team_id, 0), one.team_name))
    return tuple(found[:limit])


async def _sums(tx: Tx, team_id: str, since: datetime, until: datetime) -> dict[str, Any]:
    mine = TicketRow.team_id == team_id
    span = (mine, TicketRow.created_at >= since, TicketRow.created_at < until)
    row = (await tx.db.execute(select(*_measures(tx)).where(*span))).one()
    still_open = (mine, TicketRow.state.in_(UNRESOLVED))
    unassigned = func.sum(case((TicketRow.servicer_id.is_(None), 1), else_=0))
    open_now, nobodys = (
        await tx.db.execute(select(func.count(), unassigned).where(*still_open))
    ).one()
    return {
        "open_tickets": open_now,
        "unassigned": nobodys or 0,
        "created": row.created,
        "resolved": row.resolved or 0,
        "resolution_mean_s": _whole(row.mean_s),
        "satisfaction": _rounded(row.satisfaction),
        "rated": row.rated,
    }


async def _members(
    tx: Tx, team: TeamView, since: datetime, until: datetime
) -> tuple[MemberFigures, ...]:
    people = (
        await tx.db.execute(
            select(ServicerRow.id, ServicerRow.name)
            .join(TeamMemberRow, TeamMemberRow.servicer_id == ServicerRow.id)
            .where(TeamMemberRow.team_id == team.id)
            .order_by(ServicerRow.name, ServicerRow.id)
        )
    ).all()
    ids = [key for key, _ in people]
    mine = (TicketRow.team_id == team.id, TicketRow.servicer_id.in_(ids))
    span = (*mine, TicketRow.created_at >= since, TicketRow.created_at < until)
    query = select(TicketRow.servicer_id, *_measures(tx)).where(*span)
    rows = {
        row.servicer_id: row for row in await tx.db.execute(query.group_by(TicketRow.servicer_id))
    }
    still = select(TicketRow.servicer_id, func.count()).where(
        *mine, TicketRow.state.in_(UNRESOLVED)
    )
    load = {key: n for key, n in await tx.db.execute(still.group_by(TicketRow.servicer_id))}  # noqa: C416
    return tuple(
        MemberFigures(
            servicer_id=key,
            name=name,
            open_tickets=load.get(key, 0),
            created=rows[key].created if key in rows else 0,
            resolved=(rows[key].resolved or 0) if key in rows else 0,
            resolution_mean_s=_whole(rows[key].mean_s) if key in rows else None,
            reopened=(rows[key].reopened or 0) if key in rows else 0,
            satisfaction=_rounded(rows[key].satisfaction) if key in rows else None,
            rated=rows[key].rated if key in rows else 0,
        )
        for key, name in people
    )


def _measures(tx: Tx) -> Sequence[ColumnElement[Any]]:
    lasted: ColumnElement[Any]
    if tx.dialect == "postgresql":
        lasted = func.extract("epoch", TicketRow.resolved_at - TicketRow.created_at)
    else:
        days = func.julianday(TicketRow.resolved_at) - func.julianday(TicketRow.created_at)
        lasted = days * 86400
    return (
        func.count().label("created"),
        func.count(TicketRow.resolved_at).label("resolved"),
        func.avg(lasted).label("mean_s"),
        func.sum(case((TicketRow.reopens > 0, 1), else_=0)).label("reopened"),
        func.avg(TicketRow.rating_score).label("satisfaction"),
        func.count(TicketRow.rating_score).label("rated"),
    )


async def _sla(tx: Tx, team_id: str, since: datetime, until: datetime) -> tuple[int, int]:
    met = (SlaClockRow.ended_at.is_not(None), SlaClockRow.breached_at.is_(None))
    query = (
        select(
            func.sum(case((met[0] & met[1], 1), else_=0)),
            func.sum(case((SlaClockRow.breached_at.is_not(None), 1), else_=0)),
        )
        .join(TicketRow, TicketRow.id == SlaClockRow.ticket_id)
        .where(
            TicketRow.team_id == team_id,
            SlaClockRow.is_void.is_(False),
            SlaClockRow.started_at >= since,
            SlaClockRow.started_at < until,
        )
    )
    kept, broken = (await tx.db.execute(query)).one()
    return kept or 0, broken or 0


async def _bound(tx: Tx, customer_id: str | None) -> set[str]:
    found = await effective_bindings(tx, customer_id) if customer_id else ()
    return {binding.team_id for binding in found}


async def _in_scope(tx: Tx, category_id: str | None) -> set[str]:
    ids = await categories.with_ancestors(tx, category_id)
    query = select(TeamScopeRow.team_id).where(TeamScopeRow.category_id.in_(ids))
    return set(await tx.db.scalars(query))


async def _served_before(tx: Tx, customer_id: str | None, institution_id: str | None) -> set[str]:
    """Whoever resolved most for this customer's institution (or this customer)."""
    whose = TicketRow.customer_id == customer_id
    if institution_id is not None:
        whose = TicketRow.institution_id == institution_id
    query = (
        select(TicketRow.team_id)
        .where(whose, TicketRow.team_id.is_not(None), TicketRow.resolved_at.is_not(None))
        .group_by(TicketRow.team_id)
        .order_by(func.count().desc())
        .limit(1)
    )
    return {team_id for team_id in await tx.db.scalars(query) if team_id}


async def _near(tx: Tx, institution_id: str | None) -> set[str]:
    """Teams that are bound to other institutions of the same city."""
    place = await tx.db.get(InstitutionRow, institution_id) if institution_id else None
    if place is None or not place.region_code:
        return set()
    query = (
        select(BindingRow.team_id)
        .join(InstitutionRow, InstitutionRow.id == BindingRow.subject_id)
        .where(
            BindingRow.subject_kind == "institution",
            BindingRow.ended_at.is_(None),
            InstitutionRow.region_code.startswith(place.region_code[:4]),
        )
    )
    return set(await tx.db.scalars(query))


async def _open_by_team(tx: Tx) -> dict[str, int]:
    query = select(TicketRow.team_id, func.count()).where(
        TicketRow.state.in_(UNRESOLVED), TicketRow.team_id.is_not(None)
    )
    rows = await tx.db.execute(query.group_by(TicketRow.team_id))
    return {str(team_id): count for team_id, count in rows}


def _whole(value: object) -> int | None:
    return None if value is None else round(float(str(value)))


def _rounded(value: object) -> float | None:
    return None if value is None else round(float(str(value)), 2)
