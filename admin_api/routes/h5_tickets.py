"""Customers' pages of tickets: progress, files, rating, and the form that opens one."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from admin_api.routes.attachments import file_response, largest_upload
from admin_api.routes.h5 import slow_down
from admin_api.uploads import read_upload
from core.customers import merge
from core.db import Tx
from core.errors import Conflict, Invalid
from core.links import read
from core.remote_assistance import service as remote
from core.tickets import customer_form, customer_page, entries, service
from core.tickets.access import CustomerActor
from core.tickets.customer_form import CategoryChoice, FilledForm
from core.tickets.customer_page import PublicTicketView
from core.tickets.states import Action
from core.views import FieldValue, TicketEntryView

#: What a customer may do from the page; the state table decides the rest.
_ACTIONS = frozenset({Action.CONFIRM, Action.REOPEN, Action.NUDGE, Action.CANCEL, Action.RESUME})
FileTokens = Annotated[list[Annotated[str, Field(max_length=512)]], Field(max_length=5)]


class ConsentRequest(BaseModel):
    id: str
    text: str


class TicketPage(BaseModel):
    """consents: requests for remote assistance that wait for the customer's answer."""

    ticket: PublicTicketView
    entries: list[TicketEntryView]
    consents: list[ConsentRequest]


class ConsentBody(Body):
    agrees: bool


class CustomerReplyBody(Body):
    """files: what `…/files` answered for each."""

    text: str = Field("", max_length=4000)
    files: FileTokens = Field(default_factory=list)


class CustomerActionBody(Body):
    action: Action
    text: str = Field("", max_length=1000)


class CustomerRatingBody(Body):
    score: int = Field(ge=1, le=5)
    comment: str = Field("", max_length=1000)


class SentFile(BaseModel):
    """token: goes with the reply or the form."""

    token: str
    name: str


class NewTicketForm(BaseModel):
    customer_name: str
    categories: list[CategoryChoice]


class NewTicketBody(Body):
    text: str = Field(min_length=2, max_length=4000)
    category_id: str | None = Field(None, max_length=32)
    fields: dict[str, FieldValue] = Field(default_factory=dict, max_length=50)
    files: FileTokens = Field(default_factory=list)


class OpenedTicket(BaseModel):
    """token: opens the page of the new ticket."""

    number: str
    token: str


@endpoint("GET", "/h5/tickets/{token}", access="public", tag="h5")
async def get_customer_ticket(call: Call, tx: Tx, token: str) -> TicketPage:
    """The customer's page of a ticket."""
    return await _page(tx, *await _opened(call, tx, token))


@endpoint(
    "POST", "/h5/tickets/{token}/files", access="public", tag="h5", status=201, multipart=True
)
async def send_ticket_file(call: Call, token: str) -> SentFile:
    """A picture or file of the customer's (multipart field `file`), to go with a reply."""
    async with call.services.uow.read() as tx:
        ticket_id, _ = await _opened(call, tx, token)
    return await _keep(call, ticket_id)


@endpoint("GET", "/h5/tickets/{token}/files/{attachment_id}", access="public", tag="h5")
async def get_ticket_file(call: Call, token: str, attachment_id: str) -> web.Response:
    """A file that a public line of the ticket carries."""
    async with call.services.uow.read() as tx:
        ticket_id, who = await _opened(call, tx, token)
        await customer_page.require_public_file(tx, ticket_id, who, attachment_id)
    view = await call.services.files.describe(attachment_id)
    body = await call.services.files.read(attachment_id)
    return file_response(body, view.mime, view.name, f'"{attachment_id}"')


@endpoint("POST", "/h5/tickets/{token}/replies", access="public", tag="h5", status=201)
async def reply_to_ticket(call: Call, tx: Tx, token: str, body: CustomerReplyBody) -> TicketPage:
    """The customer adds words or files."""
    ticket_id, who = await _opened(call, tx, token)
    await slow_down(call, ticket_id)
    files = customer_form.sent_files(tx, call.services.keyring, ticket_id, body.files)
    await entries.reply(tx, ticket_id, body.text, by=who, attachment_ids=files)
    return await _page(tx, ticket_id, who)


@endpoint("POST", "/h5/tickets/{token}/actions", access="public", tag="h5")
async def act_as_customer(call: Call, tx: Tx, token: str, body: CustomerActionBody) -> TicketPage:
    """The customer confirms, reopens, nudges or withdraws."""
    if body.action not in _ACTIONS:
        raise Invalid("bad_value", field="action")
    ticket_id, who = await _opened(call, tx, token)
    await slow_down(call, ticket_id)
    await service.move(tx, ticket_id, body.action, by=who, text=body.text)
    return await _page(tx, ticket_id, who)


@endpoint("POST", "/h5/tickets/{token}/rating", access="public", tag="h5")
async def rate_ticket(call: Call, tx: Tx, token: str, body: CustomerRatingBody) -> TicketPage:
    """The customer's satisfaction, once."""
    ticket_id, who = await _opened(call, tx, token)
    await entries.rate(tx, ticket_id, body.score, by=who, comment=body.comment)
    return await _page(tx, ticket_id, who)


@endpoint("POST", "/h5/tickets/{token}/consents/{assistance_id}", access="public", tag="h5")
async def answer_consent(
    call: Call, tx: Tx, token: str, assistance_id: str, body: ConsentBody
) -> TicketPage:
    """The customer agrees to remote assistance, or does not."""
    ticket_id, who = await _opened(call, tx, token)
    await slow_down(call, ticket_id)
    if assistance_id not in {one.id for one in await remote.unanswered(tx, ticket_id)}:
        raise Conflict("consent_expired")
    await remote.answer(tx, assistance_id, agrees=body.agrees, by=who)
    return await _page(tx, ticket_id, who)


@endpoint("GET", "/h5/new-tickets/{token}", access="public", tag="h5")
async def get_ticket_form(call: Call, tx: Tx, token: str) -> NewTicketForm:
    """What the form asks: categories with their fields."""
    who = await _holder(call, tx, token)
    found = list(await customer_form.choices(tx))
    return NewTicketForm(customer_name=who.name, categories=found)


@endpoint(
    "POST", "/h5/new-tickets/{token}/files", access="public", tag="h5", status=201, multipart=True
)
async def send_form_file(call: Call, token: str) -> SentFile:
    """A picture or file (multipart field `file`), to go with the form."""
    async with call.services.uow.read() as tx:
        who = await _holder(call, tx, token)
    return await _keep(call, who.customer_id)


@endpoint("POST", "/h5/new-tickets/{token}", access="public", tag="h5", status=201)
async def open_customer_ticket(
    call: Call, tx: Tx, token: str, body: NewTicketBody
) -> OpenedTicket:
    """The customer opens a ticket."""
    who = await _holder(call, tx, token)
    await slow_down(call, who.customer_id)
    keys = call.services.keyring
    files = customer_form.sent_files(tx, keys, who.customer_id, body.files)
    form = FilledForm(body.text, body.category_id, body.fields, files)
    made = await customer_form.submit(tx, who, form)
    return OpenedTicket(number=made.number, token=await customer_page.link_token(tx, keys, made))


async def _opened(call: Call, tx: Tx, token: str) -> tuple[str, CustomerActor]:
    return await customer_page.opened_by(tx, call.services.keyring, token)


async def _page(tx: Tx, ticket_id: str, who: CustomerActor) -> TicketPage:
    return TicketPage(
        ticket=await customer_page.page(tx, ticket_id, who),
        entries=list(await customer_page.history(tx, ticket_id, who)),
        consents=[
            ConsentRequest(id=one.id, text=one.consent_text)
            for one in await remote.unanswered(tx, ticket_id)
        ],
    )


async def _holder(call: Call, tx: Tx, token: str) -> CustomerActor:
    (customer_id,) = read(call.services.keyring, customer_form.PURPOSE, token, now=tx.now)
    return await customer_form.holder(tx, await merge.current_id(tx, customer_id))


async def _keep(call: Call, holder: str) -> SentFile:
    """Checked by content, size and name like every upload, and slowed down per link."""
    await slow_down(call, holder)
    services = call.services
    sent = await read_upload(call.request, largest_upload(call))
    kept = await services.files.keep(sent.data, name=sent.name)
    async with services.uow.read() as tx:
        token = customer_form.file_token(tx, services.keyring, holder, kept.id)
    return SentFile(token=token, name=kept.name)
