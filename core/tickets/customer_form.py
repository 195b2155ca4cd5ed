"""A customer opens a ticket on a page: a signed link instead of a login."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from core.customers.models import CustomerRow
from core.db import Tx
from core.errors import NotFound
from core.fields import FieldSpec
from core.links import read, sign
from core.sealing import KeyRing
from core.settings.queries import get as setting
from core.settings.sections import Tickets
from core.tickets import categories, service
from core.tickets.access import CustomerActor
from core.tickets.service import TicketDraft
from core.views import FieldValue, TicketView, View

PURPOSE: Final = "new_ticket"
_FILE: Final = "ticket_file"
_FILE_LASTS: Final = timedelta(hours=6)
_TITLE: Final = 60


class CategoryChoice(View):
    """hint: what is useful to write; fields: asked of the customer."""

    id: str
    name: str
    hint: str
    fields: tuple[FieldSpec, ...]


@dataclass(frozen=True, slots=True)
class FilledForm:
    text: str
    category_id: str | None = None
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    attachment_ids: Sequence[str] = ()


async def form_token(tx: Tx, keys: KeyRing, customer_id: str) -> str:
    """What the link ends with: `/h5/#/new/<token>`."""
    lasts = timedelta(seconds=(await setting(tx, Tickets)).customer_link_s)
    return sign(keys, PURPOSE, (customer_id,), expires_at=tx.now + lasts)


async def choices(tx: Tx) -> tuple[CategoryChoice, ...]:
    """The categories at the top, as a customer chooses among them."""
    found = await categories.list_categories(tx, only_active=True)
    return tuple(
        CategoryChoice(
            id=one.id,
            name=one.name,
            hint=one.templates[0].description if one.templates else "",
            fields=tuple(spec for spec in one.fields if spec.is_public),
        )
        for one in found
        if one.parent_id is None
    )


async def holder(tx: Tx, customer_id: str) -> CustomerActor:
    """Who holds the link. Raises: NotFound."""
    customer = await tx.db.get(CustomerRow, customer_id)
    if customer is None:
        raise NotFound(noun="customer", id=customer_id)
    return CustomerActor(customer.id, customer.name)


async def submit(tx: Tx, who: CustomerActor, form: FilledForm) -> TicketView:
    """Raises: NotFound for an unknown category; Invalid."""
    draft = TicketDraft(
        title=form.text.strip().partition("\n")[0][:_TITLE],
        description=form.text,
        customer_id=who.customer_id,
        category_id=form.category_id,
        source="h5",
        fields=form.fields,
        attachment_ids=form.attachment_ids,
    )
    return await service.create(tx, draft, by=who)


def file_token(tx: Tx, keys: KeyRing, whose: str, attachment_id: str) -> str:
    """Says that the holder of a link (whose: its ticket, or customer) sent this file.

    Nobody attaches what they only know the id of.
    """
    return sign(keys, _FILE, (whose, attachment_id), expires_at=tx.now + _FILE_LASTS)


def sent_files(tx: Tx, keys: KeyRing, whose: str, tokens: Sequence[str]) -> tuple[str, ...]:
    """Attachment ids. Raises: LinkRefused, also for files that somebody else sent."""
    found = [read(keys, _FILE, token, now=tx.now) for token in tokens]
    if any(one != whose for one, _ in found):
        raise NotFound(noun="attachment", id="")
    return tuple(attachment_id for _, attachment_id in found)
