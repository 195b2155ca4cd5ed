"""Teams, skills, bindings, recommendations and figures."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing
from core.db import Tx
from core.permissions import Permission
from core.statistics.team_service import TeamService, team_service
from core.teams import queries, service
from core.teams.effective import effective_bindings
from core.teams.service import Subject, TeamDraft
from core.teams.views import (
    BindingView,
    MemberView,
    Rank,
    RecommendationView,
    SkillLevelView,
    SkillView,
    Strategy,
    SubjectKind,
    TeamView,
)
from core.tickets import team_figures
from core.tickets.assignment import open_tickets
from core.tickets.team_figures import TeamFigures
from core.views import ServiceMode

SERVE, MANAGE = Permission.SESSION_SERVE, Permission.TEAM_MANAGE
Id = Annotated[str, Field(min_length=1, max_length=32)]


class TeamBody(Body):
    """mode null: as the account says. calendar_id null: the default calendar."""

    name: str = Field(min_length=1, max_length=64)
    about: str = Field("", max_length=1000)
    leader_id: Id | None = None
    calendar_id: Id | None = None
    strategy: Strategy = Strategy.LEAST_BUSY
    mode: ServiceMode | None = None
    is_active: bool = True
    member_ids: list[Id] = Field(default_factory=list, max_length=500)
    category_ids: list[Id] = Field(default_factory=list, max_length=200)

    def draft(self) -> TeamDraft:
        return TeamDraft(**self.model_dump(exclude={"version"}))


class TeamChangeBody(TeamBody):
    version: Version


class SkillBody(Body):
    name: str = Field(min_length=1, max_length=64)


class SkillsBody(Body):
    """levels: skill id → 1…5."""

    levels: dict[Id, Annotated[int, Field(ge=1, le=5)]] = Field(max_length=100)


class BindingBody(Body):
    """team_id null: end the binding."""

    subject_kind: SubjectKind
    subject_id: Id
    rank: Rank = "primary"
    team_id: Id | None
    reason: str = Field("", max_length=200)


class BindingQuery(BaseModel):
    subject_kind: SubjectKind
    subject_id: Id
    with_history: bool = False


class SpanQuery(BaseModel):
    since: AwareDatetime
    until: AwareDatetime


class RecommendationQuery(BaseModel):
    customer_id: Id | None = None
    institution_id: Id | None = None
    category_id: Id | None = None


@endpoint("GET", "/teams", access=SERVE, tag="teams")
async def list_teams(call: Call, tx: Tx) -> Listing[TeamView]:
    """Teams by name."""
    del call
    return Listing(items=await queries.list_teams(tx))


@endpoint("POST", "/teams", access=MANAGE, tag="teams", status=201)
async def create_team(call: Call, tx: Tx, body: TeamBody) -> TeamView:
    """Make a team."""
    return await service.create(tx, body.draft(), by=call.actor)


@endpoint("GET", "/teams/{team_id}", access=SERVE, tag="teams")
async def get_team(call: Call, tx: Tx, team_id: str) -> TeamView:
    """One team."""
    del call
    return await queries.get(tx, team_id)


@endpoint("PUT", "/teams/{team_id}", access=MANAGE, tag="teams")
async def change_team(call: Call, tx: Tx, team_id: str, body: TeamChangeBody) -> TeamView:
    """Replace what a team is: members, scope, leader, calendar, strategy."""
    return await service.change(tx, team_id, body.draft(), version=body.version, by=call.actor)


@endpoint("GET", "/teams/{team_id}/members", access=SERVE, tag="teams")
async def list_members(call: Call, tx: Tx, team_id: str) -> Listing[MemberView]:
    """Members with presence, load and skills."""
    del call
    people = await queries.members(tx, team_id)
    load = await open_tickets(tx, [one.servicer_id for one in people])
    return Listing(
        items=[
            one.model_copy(update={"open_tickets": load.get(one.servicer_id, 0)}) for one in people
        ]
    )


@endpoint("GET", "/teams/{team_id}/service", access=Permission.SESSION_SUPERVISE, tag="teams")
async def get_team_service(call: Call, tx: Tx, team_id: str, query: SpanQuery) -> TeamService:
    """Sessions of a team: load, first responses, satisfaction, reasons, members compared."""
    del call
    return await team_service(tx, team_id, since=query.since, until=query.until)


@endpoint("GET", "/teams/{team_id}/figures", access=Permission.SESSION_SUPERVISE, tag="teams")
async def get_team_figures(call: Call, tx: Tx, team_id: str, query: SpanQuery) -> TeamFigures:
    """Load, performance, SLA, satisfaction, and members compared."""
    del call
    return await team_figures.figures(tx, team_id, since=query.since, until=query.until)


@endpoint("GET", "/skills", access=SERVE, tag="teams")
async def list_skills(call: Call, tx: Tx) -> Listing[SkillView]:
    """Skills by name."""
    del call
    return Listing(items=await queries.skills(tx))


@endpoint("POST", "/skills", access=MANAGE, tag="teams", status=201)
async def create_skill(call: Call, tx: Tx, body: SkillBody) -> SkillView:
    """Name a skill; one of that name is returned as it is."""
    return await service.create_skill(tx, body.name, by=call.actor)


@endpoint("GET", "/servicers/{servicer_id}/skills", access=SERVE, tag="teams")
async def get_servicer_skills(call: Call, tx: Tx, servicer_id: str) -> Listing[SkillLevelView]:
    """What a servicer can, best first."""
    del call
    found = await queries.skill_levels(tx, [servicer_id])
    return Listing(items=found.get(servicer_id, ()))


@endpoint("PUT", "/servicers/{servicer_id}/skills", access=MANAGE, tag="teams")
async def set_servicer_skills(
    call: Call, tx: Tx, servicer_id: str, body: SkillsBody
) -> Listing[SkillLevelView]:
    """Replace a servicer's skills."""
    await service.set_skills(tx, servicer_id, body.levels, by=call.actor)
    found = await queries.skill_levels(tx, [servicer_id])
    return Listing(items=found.get(servicer_id, ()))


@endpoint("GET", "/bindings", access=SERVE, tag="teams")
async def list_bindings(call: Call, tx: Tx, query: BindingQuery) -> Listing[BindingView]:
    """Own bindings of a customer or institution, with their history if wanted."""
    del call
    found = await queries.bindings(
        tx, query.subject_kind, query.subject_id, with_history=query.with_history
    )
    return Listing(items=found)


@endpoint("PUT", "/bindings", access=MANAGE, tag="teams")
async def set_binding(call: Call, tx: Tx, body: BindingBody) -> Listing[BindingView]:
    """Bind to a team, or end the binding; what holds now is returned."""
    subject = Subject(body.subject_kind, body.subject_id)
    if body.team_id is None:
        await service.unbind(tx, subject, rank=body.rank, by=call.actor)
    else:
        await service.bind(
            tx, subject, body.team_id, by=call.actor, rank=body.rank, reason=body.reason
        )
    return Listing(items=await queries.bindings(tx, body.subject_kind, body.subject_id))


@endpoint("GET", "/customers/{customer_id}/bindings", access=SERVE, tag="teams")
async def get_effective_bindings(call: Call, tx: Tx, customer_id: str) -> Listing[BindingView]:
    """The bindings that hold for a customer, own or inherited from the institution."""
    del call
    return Listing(items=await effective_bindings(tx, customer_id))


@endpoint("GET", "/team-recommendations", access=SERVE, tag="teams")
async def recommend_teams(
    call: Call, tx: Tx, query: RecommendationQuery
) -> Listing[RecommendationView]:
    """Teams that would fit a customer, institution or category, and why."""
    del call
    return Listing(
        items=await team_figures.recommend(
            tx,
            customer_id=query.customer_id,
            institution_id=query.institution_id,
            category_id=query.category_id,
        )
    )
