"""What customers' pages ask: no login, a signed link instead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel, Field

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from core.customers import merge
from core.db import Tx
from core.errors import Invalid, TooMany
from core.institutions import queries as institutions
from core.institutions.queries import InstitutionHit
from core.links import read
from core.registration import service as registration
from core.registration.service import PURPOSE, Prompt, RegistrationOption, RegistrationStep
from core.registration.sms import deliver
from core.tickets import customer_page, entries, service
from core.tickets.customer_page import PublicTicketView
from core.tickets.states import Action
from core.views import TicketEntryView

#: What a customer may do from the page; the state table decides the rest.
_ACTIONS = frozenset({Action.CONFIRM, Action.REOPEN, Action.NUDGE, Action.CANCEL, Action.RESUME})
_WRITES_PER_MINUTE = 20


class TicketPage(BaseModel):
    ticket: PublicTicketView
    entries: list[TicketEntryView]


class CustomerReplyBody(Body):
    text: str = Field(min_length=1, max_length=4000)


class CustomerActionBody(Body):
    action: Action
    text: str = Field("", max_length=1000)


class CustomerRatingBody(Body):
    score: int = Field(ge=1, le=5)
    comment: str = Field("", max_length=1000)


class RegistrationPrompt(BaseModel):
    """step: what to ask next; problem: why the last answer did not do."""

    step: RegistrationStep
    problem: str = ""
    options: list[RegistrationOption] = []
    facts: dict[str, Any] = {}


class AnswerBody(Body):
    text: str = Field(min_length=1, max_length=200)


class PlaceQuery(BaseModel):
    q: str = Field(min_length=1, max_length=64)


class PlaceHits(BaseModel):
    items: list[InstitutionHit]


@endpoint("GET", "/h5/tickets/{token}", access="public", tag="h5")
async def get_customer_ticket(call: Call, tx: Tx, token: str) -> TicketPage:
    """The customer's page of a ticket."""
    return await _page(call, tx, token)


@endpoint("POST", "/h5/tickets/{token}/replies", access="public", tag="h5", status=201)
async def reply_to_ticket(call: Call, tx: Tx, token: str, body: CustomerReplyBody) -> TicketPage:
    """The customer adds something."""
    ticket_id, who = await customer_page.opened_by(tx, call.services.keyring, token)
    await _slow_down(call, ticket_id)
    await entries.reply(tx, ticket_id, body.text, by=who)
    return await _page(call, tx, token)


@endpoint("POST", "/h5/tickets/{token}/actions", access="public", tag="h5")
async def act_as_customer(call: Call, tx: Tx, token: str, body: CustomerActionBody) -> TicketPage:
    """The customer confirms, reopens, nudges or withdraws."""
    if body.action not in _ACTIONS:
        raise Invalid("bad_value", field="action")
    ticket_id, who = await customer_page.opened_by(tx, call.services.keyring, token)
    await _slow_down(call, ticket_id)
    await service.move(tx, ticket_id, body.action, by=who, text=body.text)
    return await _page(call, tx, token)


@endpoint("POST", "/h5/tickets/{token}/rating", access="public", tag="h5")
async def rate_ticket(call: Call, tx: Tx, token: str, body: CustomerRatingBody) -> TicketPage:
    """The customer's satisfaction, once."""
    ticket_id, who = await customer_page.opened_by(tx, call.services.keyring, token)
    await entries.rate(tx, ticket_id, body.score, by=who, comment=body.comment)
    return await _page(call, tx, token)


@endpoint("POST", "/h5/registrations/{token}", access="public", tag="h5")
async def open_registration(call: Call, tx: Tx, token: str) -> RegistrationPrompt:
    """Begin the registration form, or go on with it."""
    return _shown(await registration.begin(tx, await _customer(call, tx, token)))


@endpoint("POST", "/h5/registrations/{token}/answers", access="public", tag="h5")
async def answer_registration(call: Call, token: str, body: AnswerBody) -> RegistrationPrompt:
    """One answer of the form; a code is sent by SMS when its turn comes."""
    services = call.services
    async with services.uow.write() as tx:
        customer_id = await _customer(call, tx, token)
        await _slow_down(call, customer_id)
        prompt = await registration.answer(tx, services.keyring, customer_id, body.text)
    if prompt.order is not None:
        prompt = replace(prompt, problem=await deliver(services.sms, prompt.order))
    return _shown(prompt)


@endpoint("POST", "/h5/registrations/{token}/back", access="public", tag="h5")
async def step_back(call: Call, tx: Tx, token: str) -> RegistrationPrompt:
    """One step back in the form."""
    return _shown(await registration.back(tx, await _customer(call, tx, token)))


@endpoint("GET", "/h5/registrations/{token}/institutions", access="public", tag="h5")
async def find_institution(call: Call, tx: Tx, token: str, query: PlaceQuery) -> PlaceHits:
    """Institutions that the customer may mean, while typing."""
    await _customer(call, tx, token)
    return PlaceHits(items=list(await institutions.search(tx, query.q, limit=8)))


async def _page(call: Call, tx: Tx, token: str) -> TicketPage:
    ticket_id, who = await customer_page.opened_by(tx, call.services.keyring, token)
    return TicketPage(
        ticket=await customer_page.page(tx, ticket_id, who),
        entries=list(await customer_page.history(tx, ticket_id, who)),
    )


async def _customer(call: Call, tx: Tx, token: str) -> str:
    (customer_id,) = read(call.services.keyring, PURPOSE, token, now=tx.now)
    return await merge.current_id(tx, customer_id)


async def _slow_down(call: Call, key: str) -> None:
    """A leaked link must not become a flood. Raises: TooMany."""
    limiter = call.services.limiter
    if not await limiter.allow(f"h5:{key}", limit=_WRITES_PER_MINUTE, window_s=60):
        raise TooMany(retry_after_s=60)


def _shown(prompt: Prompt) -> RegistrationPrompt:
    return RegistrationPrompt(
        step=prompt.step,
        problem=prompt.problem,
        options=list(prompt.options),
        facts=dict(prompt.facts),
    )
