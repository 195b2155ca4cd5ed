"""Registration in steps: name → institution → phone → code. It can be left and resumed anywhere.

`answer` takes one line of the customer and says what to ask next; chat and H5 word it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from core.actor import Actor
from core.audit import service as audit
from core.customers import names, profiles
from core.customers.models import CustomerRow, InstitutionRow
from core.customers.profiles import CustomerSecret
from core.customers.queries import customer_view
from core.db import Tx
from core.errors import DomainError, Invalid, NotFound
from core.events import CustomerChanged
from core.institutions import queries as institutions
from core.links import sign
from core.registration import sms
from core.registration.models import RegistrationRow
from core.registration.sms import SmsOrder
from core.sealing import KeyRing, mask_phone
from core.views import View

_ACTOR: Final = Actor.system("registration")
#: What a number is sealed for while its owner is asked for the code.
SEALED_FOR: Final = "registration.phone"
#: Of signed links to the form: `/h5/#/register/<token>`.
PURPOSE: Final = "registration"
_LINK_LASTS: Final = timedelta(days=7)
_MAX_OPTIONS: Final = 5
#: Above this score a single hit is taken without asking back.
_SURE: Final = 0.95


class RegistrationStep(StrEnum):
    NAME = "name"
    INSTITUTION = "institution"
    CHOICE = "choice"  # which of these institutions?
    PHONE = "phone"
    CODE = "code"
    DONE = "done"


class RegistrationOption(View):
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to ask next. problem: why the last answer did not do. order: an SMS to send now."""

    step: RegistrationStep
    problem: str = ""
    options: tuple[RegistrationOption, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    order: SmsOrder | None = None


@dataclass(slots=True)
class _Form:
    """One answer being worked on."""

    tx: Tx
    keys: KeyRing
    row: RegistrationRow

    def put(self, **data: object) -> None:
        self.row.data = {**self.row.data, **data}


async def begin(tx: Tx, customer_id: str) -> Prompt:
    """Start, or go on where the customer left. An institution known from a link is not asked.

    Raises: NotFound.
    """
    customer = await _customer(tx, customer_id)
    row = await tx.db.get(RegistrationRow, customer_id)
    if row is None:
        row = RegistrationRow(
            customer_id=customer_id,
            step=RegistrationStep.NAME,
            data={"institution_id": customer.institution_id or ""},
            phone_sealed="",
            started_at=tx.now,
            updated_at=tx.now,
        )
        tx.db.add(row)
        await tx.db.flush()
    return await _prompt(tx, row)


def link_token(keys: KeyRing, customer_id: str, now: datetime) -> str:
    """What the customer's link to the form ends with; sent in chat."""
    return sign(keys, PURPOSE, (customer_id,), expires_at=now + _LINK_LASTS)


async def current(tx: Tx, customer_id: str) -> Prompt | None:
    """Where the customer is; None when no registration was begun."""
    row = await tx.db.get(RegistrationRow, customer_id)
    return await _prompt(tx, row) if row is not None else None


async def answer(tx: Tx, keys: KeyRing, customer_id: str, text: str) -> Prompt:
    """Take one answer. A bad one leaves the step and names the problem; nothing is raised for it.

    Raises: NotFound when registration was not begun.
    """
    row = await tx.db.get(RegistrationRow, customer_id, with_for_update=True)
    if row is None:
        raise NotFound(noun="registration", id=customer_id)
    step = RegistrationStep(row.step)
    if step is RegistrationStep.DONE:
        return Prompt(RegistrationStep.DONE)
    row.updated_at = tx.now
    try:
        return await _STEPS[step](_Form(tx, keys, row), text.strip())
    except DomainError as error:
        again = await _prompt(tx, row)
        facts = {key: str(value) for key, value in error.facts.items()}
        return Prompt(again.step, error.code, again.options, facts)


async def back(tx: Tx, customer_id: str) -> Prompt:
    """One step back, for a mistyped phone or institution."""
    row = await tx.db.get(RegistrationRow, customer_id, with_for_update=True)
    if row is None:
        raise NotFound(noun="registration", id=customer_id)
    row.step = _BACK.get(RegistrationStep(row.step), RegistrationStep.NAME)
    return await _prompt(tx, row)


async def _take_name(form: _Form, text: str) -> Prompt:
    if not 1 <= len(text) <= 32 or text.isdigit():
        raise Invalid("bad_name", field="name")
    form.put(name=text)
    known = form.row.data.get("institution_id")
    form.row.step = RegistrationStep.PHONE if known else RegistrationStep.INSTITUTION
    return await _prompt(form.tx, form.row)


async def _find_institution(form: _Form, text: str) -> Prompt:
    hits = await institutions.search(form.tx, text, limit=_MAX_OPTIONS)
    if not hits:
        raise Invalid("institution_unknown", field="institution")
    if hits[0].score >= _SURE and (len(hits) == 1 or hits[1].score < _SURE):
        return await _place(form, hits[0].id)
    form.put(options=[hit.id for hit in hits])
    form.row.step = RegistrationStep.CHOICE
    return await _prompt(form.tx, form.row)


async def _choose_institution(form: _Form, text: str) -> Prompt:
    """A number, or an id from a menu; any other text searches again."""
    offered: list[str] = form.row.data.get("options", [])
    if text in offered:
        return await _place(form, text)
    if text.isdigit() and 1 <= int(text) <= len(offered):
        return await _place(form, offered[int(text) - 1])
    return await _find_institution(form, text)


async def _place(form: _Form, institution_id: str) -> Prompt:
    form.put(institution_id=institution_id, options=[])
    form.row.step = RegistrationStep.PHONE
    return await _prompt(form.tx, form.row)


async def _take_phone(form: _Form, text: str) -> Prompt:
    phone = profiles.checked(CustomerSecret.PHONE, text)
    order = await sms.order_code(form.tx, form.keys, phone, asker=form.row.customer_id)
    form.row.phone_sealed = form.keys.seal(phone, context=SEALED_FOR)
    form.put(phone_masked=mask_phone(phone))
    form.row.step = RegistrationStep.CODE
    return Prompt(RegistrationStep.CODE, facts={"phone": mask_phone(phone)}, order=order)


async def _take_code(form: _Form, text: str) -> Prompt:
    """The code; 重发 sends another one within the limits."""
    phone = form.keys.open(form.row.phone_sealed, context=SEALED_FOR)
    if text in ("重发", "重新发送"):
        order = await sms.order_code(form.tx, form.keys, phone, asker=form.row.customer_id)
        return Prompt(RegistrationStep.CODE, facts={"phone": mask_phone(phone)}, order=order)
    if not await sms.check_code(form.tx, form.keys, phone, text):
        raise Invalid("wrong_code", field="code")
    await _complete(form, phone)
    return Prompt(RegistrationStep.DONE)


async def _complete(form: _Form, phone: str) -> None:
    tx, row = form.tx, form.row
    customer = await _customer(tx, row.customer_id)
    customer.is_temporary = False
    await names.rename(tx, customer, row.data["name"])
    customer.institution_id = customer.institution_id or row.data["institution_id"] or None
    await profiles.store_secret(tx, form.keys, customer.id, CustomerSecret.PHONE, phone)
    row.step, row.phone_sealed, row.completed_at = RegistrationStep.DONE, "", tx.now
    await audit.append(tx, by=_ACTOR, action="customer.registered", target=customer.id)
    tx.emit(CustomerChanged(customer=await customer_view(tx, customer.id)))


async def _prompt(tx: Tx, row: RegistrationRow) -> Prompt:
    step = RegistrationStep(row.step)
    options = []
    for key in row.data.get("options", []) if step is RegistrationStep.CHOICE else []:
        place = await tx.db.get(InstitutionRow, key)
        if place is not None:
            options.append(RegistrationOption(id=key, label=place.name))
    masked = row.data.get("phone_masked", "")
    return Prompt(step, options=tuple(options), facts={"phone": masked} if masked else {})


async def _customer(tx: Tx, customer_id: str) -> CustomerRow:
    row = await tx.db.get(CustomerRow, customer_id, with_for_update=True)
    if row is None:
        raise NotFound("customer_not_found", noun="customer", id=customer_id)
    return row


_STEPS: Final[Mapping[RegistrationStep, Callable[[_Form, str], Awaitable[Prompt]]]] = {
    RegistrationStep.NAME: _take_name,
    RegistrationStep.INSTITUTION: _find_institution,
    RegistrationStep.CHOICE: _choose_institution,
    RegistrationStep.PHONE: _take_phone,
    RegistrationStep.CODE: _take_code,
}
_BACK: Final = {
    RegistrationStep.CHOICE: RegistrationStep.INSTITUTION,
    RegistrationStep.PHONE: RegistrationStep.INSTITUTION,
    RegistrationStep.CODE: RegistrationStep.PHONE,
}
