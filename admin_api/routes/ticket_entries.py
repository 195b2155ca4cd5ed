"""What is written on tickets: replies, notes, follow-ups, remote assistance."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from core.db import Tx
from core.permissions import Permission
from core.remote_assistance import service as remote
from core.remote_assistance.service import RemoteAssistanceView, Request
from core.remote_assistance.states import RemoteTool
from core.tickets import entries, follow_ups, queries
from core.views import FollowUpView, TicketEntryView

WORK = Permission.TICKET_WORK
Id = Annotated[str, Field(min_length=1, max_length=32)]


class EntryBody(Body):
    """is_public: a reply that the customer sees; otherwise a note among colleagues."""

    text: str = Field("", max_length=10_000)
    is_public: bool = False
    attachment_ids: list[Annotated[str, Field(max_length=64)]] = Field(
        default_factory=list, max_length=20
    )


class FollowUpBody(Body):
    """servicer_id null: whoever has the ticket."""

    text: str = Field(min_length=1, max_length=1000)
    due_at: AwareDatetime
    servicer_id: Id | None = None


class FinishBody(Body):
    result: str = Field("", max_length=2000)


class RemoteBody(Body):
    tool: RemoteTool
    purpose: str = Field(min_length=1, max_length=1000)
    vpn_profile_id: Id | None = None


class OralConsentBody(Body):
    """given_by: who agreed, by name. given_at: null: now; at most a day ago."""

    given_by: str = Field(min_length=1, max_length=64)
    given_at: AwareDatetime | None = None


class RemoteEndBody(Body):
    result: str = Field("", max_length=2000)


@endpoint("GET", "/tickets/{ticket_id}/entries", access=WORK, tag="tickets")
async def list_entries(
    call: Call, tx: Tx, ticket_id: str, query: PageQuery
) -> Listing[TicketEntryView]:
    """A ticket's history, oldest first."""
    page = await queries.entries(
        tx, ticket_id, by=call.actor, cursor=query.cursor, limit=query.limit
    )
    return listing(page)


@endpoint("POST", "/tickets/{ticket_id}/entries", access=WORK, tag="tickets", status=201)
async def add_entry(call: Call, tx: Tx, ticket_id: str, body: EntryBody) -> TicketEntryView:
    """Reply to the customer, or leave an internal note."""
    write = entries.reply if body.is_public else entries.note
    return await write(tx, ticket_id, body.text, by=call.actor, attachment_ids=body.attachment_ids)


@endpoint("GET", "/follow-ups", access=WORK, tag="tickets")
async def list_my_follow_ups(call: Call, tx: Tx) -> Listing[FollowUpView]:
    """What one still owes, earliest first."""
    return Listing(items=await follow_ups.of_servicer(tx, call.actor.servicer_id or ""))


@endpoint("POST", "/tickets/{ticket_id}/follow-ups", access=WORK, tag="tickets", status=201)
async def add_follow_up(call: Call, tx: Tx, ticket_id: str, body: FollowUpBody) -> FollowUpView:
    """Promise to come back to a ticket, with a reminder."""
    return await follow_ups.add(
        tx, ticket_id, body.text, body.due_at, by=call.actor, servicer_id=body.servicer_id
    )


@endpoint("POST", "/follow-ups/{follow_up_id}/finish", access=WORK, tag="tickets")
async def finish_follow_up(
    call: Call, tx: Tx, follow_up_id: str, body: FinishBody
) -> FollowUpView:
    """Say that a follow-up was done."""
    return await follow_ups.finish(tx, follow_up_id, by=call.actor, result=body.result)


@endpoint("POST", "/tickets/{ticket_id}/remote", access=WORK, tag="remote", status=201)
async def ask_remote(call: Call, tx: Tx, ticket_id: str, body: RemoteBody) -> RemoteAssistanceView:
    """Ask the customer for consent to remote assistance."""
    request = Request(body.tool, body.purpose, body.vpn_profile_id)
    return await remote.ask(tx, ticket_id, request, by=call.actor)


@endpoint("POST", "/remote/{assistance_id}/start", access=WORK, tag="remote")
async def start_remote(call: Call, tx: Tx, assistance_id: str) -> RemoteAssistanceView:
    """Begin what the customer agreed to."""
    return await remote.start(tx, assistance_id, by=call.actor)


@endpoint("POST", "/remote/{assistance_id}/oral-consent", access=WORK, tag="remote")
async def record_oral_consent(
    call: Call, tx: Tx, assistance_id: str, body: OralConsentBody
) -> RemoteAssistanceView:
    """Write down that the customer agreed on the telephone."""
    return await remote.record_oral(
        tx, assistance_id, body.given_by, given_at=body.given_at, by=call.actor
    )


@endpoint("POST", "/remote/{assistance_id}/end", access=WORK, tag="remote")
async def end_remote(
    call: Call, tx: Tx, assistance_id: str, body: RemoteEndBody
) -> RemoteAssistanceView:
    """End remote assistance with its result, or withdraw the request."""
    return await remote.end(tx, assistance_id, body.result, by=call.actor)
