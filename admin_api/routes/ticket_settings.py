"""Categories with fields and templates, saved lists, SLA policies."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing
from core.db import Tx
from core.fields import FieldSpec
from core.permissions import Permission
from core.sla import policies
from core.sla.policies import Facts, PolicyDraft
from core.sla.queries import DueView, would_be_due
from core.sla.views import ChainStep, SlaConditions, SlaPolicyView, SlaTargets
from core.teams import queries as teams
from core.tickets import categories, filters
from core.tickets.categories import CategoryDraft, TicketCategoryView, TicketTemplate
from core.tickets.filters import FilterDraft, SavedFilterView
from core.views import Priority, TicketSource

WORK, MANAGE, SLA = Permission.TICKET_WORK, Permission.TICKET_MANAGE, Permission.SLA_MANAGE
Id = Annotated[str, Field(min_length=1, max_length=32)]


class TicketCategoryBody(Body):
    """skills: skill id → level that whoever is assigned should have."""

    name: str = Field(min_length=1, max_length=64)
    parent_id: Id | None = None
    position: int = Field(100, ge=0, le=100_000)
    is_active: bool = True
    default_priority: Priority = Priority.NORMAL
    team_id: Id | None = None
    skills: dict[Id, Annotated[int, Field(ge=1, le=5)]] = Field(
        default_factory=dict, max_length=20
    )
    fields: list[FieldSpec] = Field(default_factory=list, max_length=50)
    templates: list[TicketTemplate] = Field(default_factory=list, max_length=50)

    def draft(self) -> CategoryDraft:
        names = (name for name in TicketCategoryBody.model_fields)
        return CategoryDraft(**{name: getattr(self, name) for name in names})


class TicketCategoryChangeBody(TicketCategoryBody):
    version: Version


class FilterBody(Body):
    """query: the parameters of `GET /tickets`."""

    name: str = Field(min_length=1, max_length=64)
    is_shared: bool = False
    query: dict[str, Any] = Field(max_length=30)
    columns: list[Annotated[str, Field(max_length=32)]] = Field(
        default_factory=list, max_length=30
    )


class PolicyBody(Body):
    """calendar_id null: the calendar of the ticket's team."""

    name: str = Field(min_length=1, max_length=64)
    position: int = Field(100, ge=0, le=100_000)
    is_active: bool = True
    calendar_id: Id | None = None
    conditions: SlaConditions = Field(default_factory=SlaConditions)
    targets: SlaTargets
    warn_percent: int = Field(80, ge=1, le=100)
    warn_before_s: int = Field(0, ge=0, le=30 * 86400)
    chain: list[ChainStep] = Field(default_factory=list, max_length=20)

    def draft(self) -> PolicyDraft:
        values = {name: getattr(self, name) for name in PolicyBody.model_fields}
        return PolicyDraft(**values | {"chain": tuple(self.chain)})


class PolicyChangeBody(PolicyBody):
    version: Version


class DueBody(Body):
    """A ticket that might be opened at `start`."""

    start: AwareDatetime
    priority: Priority = Priority.NORMAL
    category_id: Id | None = None
    team_id: Id | None = None
    institution_id: Id | None = None
    contract_level: str = Field("", max_length=16)
    source: TicketSource = "console"


@endpoint("GET", "/ticket-categories", access=WORK, tag="tickets")
async def list_ticket_categories(call: Call, tx: Tx) -> Listing[TicketCategoryView]:
    """Categories, each after its parent."""
    del call
    return Listing(items=await categories.list_categories(tx))


@endpoint("POST", "/ticket-categories", access=MANAGE, tag="tickets", status=201)
async def create_ticket_category(
    call: Call, tx: Tx, body: TicketCategoryBody
) -> TicketCategoryView:
    """Make a category with fields and templates."""
    return await categories.create(tx, body.draft(), by=call.actor)


@endpoint("PUT", "/ticket-categories/{category_id}", access=MANAGE, tag="tickets")
async def change_ticket_category(
    call: Call, tx: Tx, category_id: str, body: TicketCategoryChangeBody
) -> TicketCategoryView:
    """Replace a category."""
    return await categories.change(
        tx, category_id, body.draft(), version=body.version, by=call.actor
    )


@endpoint("GET", "/ticket-filters", access=WORK, tag="tickets")
async def list_ticket_filters(call: Call, tx: Tx) -> Listing[SavedFilterView]:
    """Saved lists: one's own and the shared ones."""
    return Listing(items=await filters.list_filters(tx, by=call.actor))


@endpoint("POST", "/ticket-filters", access=WORK, tag="tickets", status=201)
async def save_ticket_filter(call: Call, tx: Tx, body: FilterBody) -> SavedFilterView:
    """Save a list; sharing it needs the permission to manage tickets."""
    draft = FilterDraft(body.name, body.query, tuple(body.columns), body.is_shared)
    return await filters.save(tx, draft, by=call.actor)


@endpoint("DELETE", "/ticket-filters/{filter_id}", access=WORK, tag="tickets")
async def remove_ticket_filter(call: Call, tx: Tx, filter_id: str) -> None:
    """Remove a saved list."""
    await filters.remove(tx, filter_id, by=call.actor)


@endpoint("GET", "/sla-policies", access=WORK, tag="sla")
async def list_sla_policies(call: Call, tx: Tx) -> Listing[SlaPolicyView]:
    """Policies in the order in which they are tried."""
    del call
    return Listing(items=await policies.list_policies(tx))


@endpoint("POST", "/sla-policies", access=SLA, tag="sla", status=201)
async def create_sla_policy(call: Call, tx: Tx, body: PolicyBody) -> SlaPolicyView:
    """Make a policy; open tickets are matched anew."""
    return await policies.create(tx, body.draft(), by=call.actor)


@endpoint("PUT", "/sla-policies/{policy_id}", access=SLA, tag="sla")
async def change_sla_policy(
    call: Call, tx: Tx, policy_id: str, body: PolicyChangeBody
) -> SlaPolicyView:
    """Replace a policy; open deadlines are computed anew."""
    return await policies.change(tx, policy_id, body.draft(), version=body.version, by=call.actor)


@endpoint("POST", "/sla-reckonings", access=WORK, tag="sla")
async def reckon_sla(call: Call, tx: Tx, body: DueBody) -> DueView:
    """When would this be due? Which policy holds, on which calendar."""
    del call
    team = await teams.get(tx, body.team_id) if body.team_id else None
    facts = Facts(
        ticket_id="",
        created_at=body.start,
        priority=body.priority,
        category_ids=await categories.with_ancestors(tx, body.category_id),
        team_id=body.team_id,
        team_calendar_id=team.calendar_id if team else None,
        institution_id=body.institution_id,
        contract_level=body.contract_level,
        source=body.source,
    )
    return await would_be_due(tx, facts, body.start)
