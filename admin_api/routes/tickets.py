"""Tickets: lists, the page of one, and everything that moves it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from core.db import Tx
from core.errors import DomainError, Invalid
from core.permissions import Permission
from core.remote_assistance import service as remote
from core.remote_assistance.service import RemoteAssistanceView
from core.sessions.queries import session_view
from core.sla import queries as sla
from core.sla.views import SlaClockView
from core.tickets import (
    assignment,
    customer_page,
    follow_ups,
    proposal,
    queries,
    relations,
    service,
    similar,
)
from core.tickets.access import party_of
from core.tickets.assignment import Target
from core.tickets.proposal import TicketProposal
from core.tickets.queries import TicketFilter
from core.tickets.reach import Reach, reach_of
from core.tickets.relations import TicketLinkView
from core.tickets.service import TicketDraft
from core.tickets.similar import SimilarTicketView
from core.tickets.states import Action, actions_for
from core.views import FieldValue, FollowUpView, Priority, TicketSource, TicketState, TicketView

WORK = Permission.TICKET_WORK
Id = Annotated[str, Field(min_length=1, max_length=32)]
Fields = Annotated[dict[str, FieldValue], Field(max_length=50)]
MAX_AT_ONCE = 200


class TicketQuery(PageQuery):
    """state, priority: several joined by commas. servicer_id `me`: one's own. tag: exactly."""

    state: str = Field("", max_length=200)
    priority: str = Field("", max_length=64)
    servicer_id: str | None = Field(None, max_length=32)
    team_id: Id | None = None
    category_id: Id | None = None
    customer_id: Id | None = None
    institution_id: Id | None = None
    session_id: Id | None = None
    is_unassigned: bool | None = None
    is_breached: bool | None = None
    created_from: AwareDatetime | None = None
    created_until: AwareDatetime | None = None
    tag: str = Field("", max_length=32)
    q: str = Field("", max_length=64)
    order: Literal["newest", "due"] = "newest"

    def filter(self, call: Call) -> TicketFilter:
        mine = call.actor.servicer_id or "" if self.servicer_id == "me" else self.servicer_id
        plain = self.model_dump(
            exclude={"cursor", "limit", "order", "state", "priority", "servicer_id"}
        )
        states = tuple(TicketState(one) for one in _words(self.state, TicketState))
        priorities = tuple(Priority(one) for one in _words(self.priority, Priority))
        return TicketFilter(states=states, priorities=priorities, servicer_id=mine, **plain)


class TicketBody(Body):
    """priority null: the category's. Without team and servicer the ticket is routed."""

    title: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=20_000)
    customer_id: Id
    category_id: Id | None = None
    priority: Priority | None = None
    source: TicketSource = "console"
    session_id: Id | None = None
    team_id: Id | None = None
    servicer_id: Id | None = None
    fields: Fields = Field(default_factory=dict)
    tags: list[Annotated[str, Field(max_length=32)]] = Field(default_factory=list, max_length=20)
    attachment_ids: list[Annotated[str, Field(max_length=64)]] = Field(
        default_factory=list, max_length=20
    )

    def draft(self) -> TicketDraft:
        return TicketDraft(**self.model_dump())


class TicketChangeBody(Body):
    """Only what is given changes."""

    title: str | None = Field(None, min_length=1, max_length=200)
    description: str | None = Field(None, max_length=20_000)
    priority: Priority | None = None
    category_id: Id | None = None
    fields: Fields | None = None
    tags: list[Annotated[str, Field(max_length=32)]] | None = Field(None, max_length=20)
    version: Version

    def changes(self) -> dict[str, Any]:
        given = self.model_dump(exclude_unset=True, exclude={"version"})
        return {
            key: value for key, value in given.items() if value is not None or key == "category_id"
        }


class ActionBody(Body):
    """text: the customer sees it (except with escalate)."""

    action: Action
    text: str = Field("", max_length=4000)
    version: Version | None = None


class AssignBody(Body):
    servicer_id: Id | None = None
    team_id: Id | None = None
    note: str = Field("", max_length=200)


class BulkBody(Body):
    """action, a new priority, or a new assignee, for each of the tickets."""

    ids: list[Id] = Field(min_length=1, max_length=MAX_AT_ONCE)
    action: Action | None = None
    text: str = Field("", max_length=4000)
    priority: Priority | None = None
    servicer_id: Id | None = None
    team_id: Id | None = None


class BulkResult(BaseModel):
    """done: ids that were changed. refused: id → code."""

    done: list[str]
    refused: dict[str, str]


class RelateBody(Body):
    other_id: Id
    kind: Literal["related", "duplicate", "parent"] = "related"


class MergeBody(Body):
    into_id: Id


class TicketDetail(BaseModel):
    """One ticket with all that its page shows. actions: what this user may do now.

    reach: whether the customer reads in chat what is written to them now.
    """

    model_config = ConfigDict(frozen=True)

    ticket: TicketView
    actions: list[Action]
    sla: list[SlaClockView]
    links: list[TicketLinkView]
    follow_ups: list[FollowUpView]
    remote: list[RemoteAssistanceView]
    reach: Reach


class BoardColumn(BaseModel):
    """count: 201 means more than 200."""

    state: TicketState
    count: int


class CustomerLink(BaseModel):
    """url: the customer's page of this ticket, to be sent in chat."""

    url: str


@endpoint("GET", "/tickets", access=WORK, tag="tickets")
async def list_tickets(call: Call, tx: Tx, query: TicketQuery) -> Listing[TicketView]:
    """Tickets, newest first or by nearest deadline."""
    page = await queries.list_tickets(
        tx, query.filter(call), order=query.order, cursor=query.cursor, limit=query.limit
    )
    return listing(page)


@endpoint("GET", "/ticket-board", access=WORK, tag="tickets")
async def get_board(call: Call, tx: Tx, query: TicketQuery) -> Listing[BoardColumn]:
    """How many tickets each state holds, under the same filter."""
    counts = await queries.counts_by_state(tx, query.filter(call))
    return Listing(items=[BoardColumn(state=one, count=counts.get(one, 0)) for one in TicketState])


@endpoint("POST", "/tickets", access=WORK, tag="tickets", status=201)
async def create_ticket(call: Call, tx: Tx, body: TicketBody) -> TicketView:
    """Open a ticket."""
    return await service.create(tx, body.draft(), by=call.actor)


@endpoint("GET", "/sessions/{session_id}/ticket-proposal", access=WORK, tag="tickets")
async def propose_ticket(call: Call, tx: Tx, session_id: str) -> TicketProposal:
    """What a ticket from a session would say."""
    del call
    return await proposal.of_session(tx, await session_view(tx, session_id))


@endpoint("GET", "/ticket-numbers/{number}", access=WORK, tag="tickets")
async def find_ticket(call: Call, tx: Tx, number: str) -> TicketView:
    """A ticket by its number as people say it."""
    return await queries.by_number(tx, number, by=call.actor)


@endpoint("GET", "/tickets/{ticket_id}", access=WORK, tag="tickets")
async def get_ticket(call: Call, tx: Tx, ticket_id: str) -> TicketDetail:
    """One ticket with clocks, links, follow-ups and what may be done."""
    ticket = await queries.get(tx, ticket_id, by=call.actor)
    return TicketDetail(
        ticket=ticket,
        actions=list(actions_for(ticket.state, party_of(call.actor))),
        sla=list(await sla.clocks(tx, ticket_id)),
        links=list(await relations.links(tx, ticket_id)),
        follow_ups=list(await follow_ups.of_ticket(tx, ticket_id)),
        remote=list(await remote.of_ticket(tx, ticket_id)),
        reach=await reach_of(tx, ticket),
    )


@endpoint("PATCH", "/tickets/{ticket_id}", access=WORK, tag="tickets")
async def change_ticket(call: Call, tx: Tx, ticket_id: str, body: TicketChangeBody) -> TicketView:
    """Change fields; 409 carries `current` and `yours` when somebody was first."""
    return await service.change(tx, ticket_id, body.changes(), version=body.version, by=call.actor)


@endpoint("POST", "/tickets/{ticket_id}/actions", access=WORK, tag="tickets")
async def act_on_ticket(call: Call, tx: Tx, ticket_id: str, body: ActionBody) -> TicketView:
    """Accept, await, suspend, resume, resolve, confirm, close, reopen, cancel, nudge, escalate."""
    return await service.move(
        tx, ticket_id, body.action, by=call.actor, text=body.text, version=body.version
    )


@endpoint("POST", "/tickets/{ticket_id}/assign", access=WORK, tag="tickets")
async def assign_ticket(call: Call, tx: Tx, ticket_id: str, body: AssignBody) -> TicketView:
    """Assign or transfer to a person or a team."""
    target = Target(body.team_id, body.servicer_id)
    return await assignment.assign(tx, ticket_id, target, by=call.actor, note=body.note)


@endpoint("POST", "/tickets/{ticket_id}/claim", access=WORK, tag="tickets")
async def claim_ticket(call: Call, tx: Tx, ticket_id: str) -> TicketView:
    """Take a ticket that nobody has."""
    return await assignment.claim(tx, ticket_id, by=call.actor)


@endpoint("POST", "/tickets/bulk", access=WORK, tag="tickets")
async def change_many_tickets(call: Call, body: BulkBody) -> BulkResult:
    """Act on many tickets; each one succeeds or is refused by itself."""
    result = BulkResult(done=[], refused={})
    for ticket_id in dict.fromkeys(body.ids):
        try:
            async with call.services.uow.write() as tx:
                await _change_one(tx, ticket_id, body, call)
        except DomainError as error:
            result.refused[ticket_id] = error.code
        else:
            result.done.append(ticket_id)
    return result


@endpoint("GET", "/tickets/{ticket_id}/similar", access=WORK, tag="tickets")
async def list_similar(call: Call, tx: Tx, ticket_id: str) -> Listing[SimilarTicketView]:
    """Tickets about the same thing."""
    ticket = await queries.get(tx, ticket_id, by=call.actor)
    found = await similar.similar(
        tx, ticket.title, category_id=ticket.category_id, except_id=ticket_id
    )
    return Listing(items=found)


class SimilarBody(Body):
    """What somebody is about to write into a new ticket."""

    text: str = Field(min_length=2, max_length=500)
    category_id: Id | None = None
    customer_id: Id | None = None


@endpoint("POST", "/similar-tickets", access=WORK, tag="tickets")
async def find_similar(call: Call, tx: Tx, body: SimilarBody) -> Listing[SimilarTicketView]:
    """Tickets about the same thing as a text."""
    del call
    found = await similar.similar(
        tx, body.text, category_id=body.category_id, customer_id=body.customer_id
    )
    return Listing(items=found)


@endpoint("POST", "/tickets/{ticket_id}/links", access=WORK, tag="tickets", status=204)
async def link_ticket(call: Call, tx: Tx, ticket_id: str, body: RelateBody) -> None:
    """Relate two tickets."""
    await relations.link(tx, ticket_id, body.other_id, by=call.actor, kind=body.kind)


@endpoint("DELETE", "/tickets/{ticket_id}/links/{other_id}", access=WORK, tag="tickets")
async def unlink_ticket(call: Call, tx: Tx, ticket_id: str, other_id: str) -> None:
    """Forget a relation."""
    await relations.unlink(tx, ticket_id, other_id, by=call.actor)


@endpoint("POST", "/tickets/{ticket_id}/merge", access=WORK, tag="tickets")
async def merge_ticket(call: Call, tx: Tx, ticket_id: str, body: MergeBody) -> TicketView:
    """Close a duplicate in favour of another ticket, which is returned."""
    return await relations.merge(tx, ticket_id, body.into_id, by=call.actor)


@endpoint("POST", "/tickets/{ticket_id}/split", access=WORK, tag="tickets", status=201)
async def split_ticket(call: Call, tx: Tx, ticket_id: str, body: TicketBody) -> TicketView:
    """Open a second ticket for another matter of the same customer."""
    return await relations.split(tx, ticket_id, body.draft(), by=call.actor)


@endpoint("POST", "/tickets/{ticket_id}/customer-link", access=WORK, tag="tickets")
async def make_customer_link(call: Call, tx: Tx, ticket_id: str) -> CustomerLink:
    """A signed link to the customer's page of this ticket."""
    ticket = await queries.get(tx, ticket_id, by=call.actor)
    token = await customer_page.link_token(tx, call.services.keyring, ticket)
    return CustomerLink(url=f"{call.services.config.public_url.rstrip('/')}/h5/#/ticket/{token}")


async def _change_one(tx: Tx, ticket_id: str, body: BulkBody, call: Call) -> None:
    if body.servicer_id is not None or body.team_id is not None:
        target = Target(body.team_id, body.servicer_id)
        await assignment.assign(tx, ticket_id, target, by=call.actor, note=body.text[:200])
    if body.priority is not None:
        ticket = await queries.get(tx, ticket_id, by=call.actor)
        changes = {"priority": body.priority}
        await service.change(tx, ticket_id, changes, version=ticket.version, by=call.actor)
    if body.action is not None:
        await service.move(tx, ticket_id, body.action, by=call.actor, text=body.text)


def _words(text: str, kind: type[StrEnum]) -> list[str]:
    """Words of a comma-separated list, each a member of `kind`. Raises: Invalid."""
    words = [word for word in text.split(",") if word]
    if any(word not in set(kind) for word in words):
        raise Invalid("bad_value", field=kind.__name__)
    return words
