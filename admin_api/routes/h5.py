"""The registration page: no login, a signed link instead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel, Field

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from core.customers import merge
from core.db import Tx
from core.errors import TooMany
from core.institutions import queries as institutions
from core.institutions.queries import InstitutionHit
from core.links import read
from core.registration import service as registration
from core.registration.service import PURPOSE, Prompt, RegistrationOption, RegistrationStep
from core.registration.sms import deliver

_WRITES_PER_MINUTE = 20


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
        await slow_down(call, customer_id)
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


async def _customer(call: Call, tx: Tx, token: str) -> str:
    (customer_id,) = read(call.services.keyring, PURPOSE, token, now=tx.now)
    return await merge.current_id(tx, customer_id)


async def slow_down(call: Call, key: str) -> None:
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
