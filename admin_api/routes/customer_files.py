"""The customer's file: sealed fields, timeline, duplicates and merging, tags, import, export."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from core.customers import duplicates, exporter, merge, profiles, tags
from core.customers.duplicates import DuplicateGroupView, DuplicateView
from core.customers.merge import Belongings, MergeView
from core.customers.profiles import CustomerSecret, ProfileView
from core.customers.queries import customer_view
from core.customers.tags import TagView
from core.db import Tx
from core.errors import Invalid
from core.fields import FieldSpec
from core.permissions import Permission
from core.settings.queries import get as setting
from core.settings.sections import Customers
from core.tables import write_csv, write_xlsx
from core.timeline import queries as timeline
from core.timeline.queries import TimelineItem, TimelineKind
from core.views import CustomerView, FieldValue

SERVE, EDIT, MANAGE = (
    Permission.SESSION_SERVE,
    Permission.CUSTOMER_EDIT,
    Permission.CUSTOMER_MANAGE,
)
Id = Annotated[str, Field(min_length=1, max_length=32)]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SecretBody(Body):
    """value "": forget it."""

    value: str = Field(max_length=254)


class SecretView(BaseModel):
    value: str


class CustomBody(Body):
    custom: dict[str, FieldValue] = Field(max_length=50)
    version: Version


class TimelineQuery(PageQuery):
    """kind: only these, joined by commas."""

    kind: str = Field("", max_length=64)


class MergeCustomersBody(Body):
    """gone_id: the customer whose everything moves to the other.

    take: fields whose value theirs replaces (name, avatar, institution, phone, email, id_number,
    `custom.<key>`); null: whoever has registered gives the name. What is empty is completed.
    """

    gone_id: Id
    take: list[Annotated[str, Field(max_length=64)]] | None = Field(None, max_length=60)


class CustomerTagsBody(Body):
    customer_ids: list[Id] = Field(min_length=1, max_length=500)
    add: list[Annotated[str, Field(max_length=32)]] = Field(default_factory=list, max_length=20)
    remove: list[Annotated[str, Field(max_length=64)]] = Field(default_factory=list, max_length=20)


class TagsChanged(BaseModel):
    changed: int


class FindBody(Body):
    """An exact value; in a body, so that it never rests in a log of addresses."""

    kind: CustomerSecret
    value: str = Field(min_length=1, max_length=254)


class ExportQuery(BaseModel):
    """full: unmasked numbers, for those who may; audited."""

    format: Literal["csv", "xlsx"] = "xlsx"
    full: bool = False


@endpoint("GET", "/customers/{customer_id}/profile", access=SERVE, tag="customers")
async def get_profile(call: Call, tx: Tx, customer_id: str) -> ProfileView:
    """Custom fields, and sealed ones masked."""
    del call
    return await profiles.profile(tx, customer_id)


@endpoint("GET", "/customer-fields", access=SERVE, tag="customers")
async def list_customer_fields(call: Call, tx: Tx) -> Listing[FieldSpec]:
    """The custom fields of customers, in their order; the settings define them."""
    del call
    return Listing(items=(await setting(tx, Customers)).fields)


@endpoint("PUT", "/customers/{customer_id}/custom", access=EDIT, tag="customers")
async def set_custom(call: Call, tx: Tx, customer_id: str, body: CustomBody) -> ProfileView:
    """Replace the custom fields."""
    await profiles.set_custom(tx, customer_id, body.custom, version=body.version, by=call.actor)
    return await profiles.profile(tx, customer_id)


@endpoint("PUT", "/customers/{customer_id}/secrets/{kind}", access=EDIT, tag="customers")
async def set_secret(
    call: Call, tx: Tx, customer_id: str, kind: str, body: SecretBody
) -> ProfileView:
    """Keep a phone number, e-mail address or identity number, sealed."""
    keys = call.services.keyring
    await profiles.set_secret(tx, keys, customer_id, _secret(kind), body.value, by=call.actor)
    return await profiles.profile(tx, customer_id)


@endpoint(
    "POST",
    "/customers/{customer_id}/secrets/{kind}/reveal",
    access=Permission.CUSTOMER_REVEAL,
    tag="customers",
)
async def reveal_secret(call: Call, tx: Tx, customer_id: str, kind: str) -> SecretView:
    """The full value; the look is audited."""
    keys = call.services.keyring
    value = await profiles.reveal(tx, keys, customer_id, _secret(kind), by=call.actor)
    return SecretView(value=value)


@endpoint("POST", "/customer-finds", access=SERVE, tag="customers")
async def find_customers(call: Call, tx: Tx, body: FindBody) -> Listing[CustomerView]:
    """Customers with exactly this phone number, e-mail address or identity number."""
    ids = await profiles.find(tx, call.services.keyring, body.kind, body.value)
    return Listing(items=[await customer_view(tx, one) for one in ids])


@endpoint("GET", "/customers/{customer_id}/timeline", access=SERVE, tag="customers")
async def get_timeline(
    call: Call, tx: Tx, customer_id: str, query: TimelineQuery
) -> Listing[TimelineItem]:
    """Sessions, tickets, ratings and files on one line, newest first."""
    del call
    wanted = [one for one in query.kind.split(",") if one]
    if any(one not in set(TimelineKind) for one in wanted):
        raise Invalid("bad_value", field="kind")
    kinds = tuple(TimelineKind(one) for one in wanted) or tuple(TimelineKind)
    page = await timeline.of_customer(
        tx, customer_id, kinds=kinds, cursor=query.cursor, limit=query.limit
    )
    return listing(page)


@endpoint("GET", "/customers/{customer_id}/duplicates", access=SERVE, tag="customers")
async def list_duplicates(call: Call, tx: Tx, customer_id: str) -> Listing[DuplicateView]:
    """Who else may be this person, and why."""
    del call
    return Listing(items=await duplicates.of_customer(tx, customer_id))


@endpoint("GET", "/customer-duplicates", access=MANAGE, tag="customers")
async def list_duplicate_groups(call: Call, tx: Tx) -> Listing[DuplicateGroupView]:
    """Groups of probable duplicates."""
    del call
    return Listing(items=await duplicates.groups(tx))


@endpoint("POST", "/customers/{customer_id}/merge", access=MANAGE, tag="customers")
async def merge_customers(
    call: Call, tx: Tx, customer_id: str, body: MergeCustomersBody
) -> MergeView:
    """Move everything of another customer to this one."""
    return await merge.merge(tx, customer_id, body.gone_id, by=call.actor, take=body.take)


@endpoint("GET", "/customers/{customer_id}/belongings", access=SERVE, tag="customers")
async def count_belongings(call: Call, tx: Tx, customer_id: str) -> Belongings:
    """How many sessions, tickets and ratings this customer has."""
    del call
    return await merge.belongings(tx, customer_id)


@endpoint("GET", "/customers/{customer_id}/merges", access=SERVE, tag="customers")
async def list_merges(call: Call, tx: Tx, customer_id: str) -> Listing[MergeView]:
    """What was merged into this customer."""
    del call
    return Listing(items=await merge.merges_of(tx, customer_id))


@endpoint("POST", "/customer-merges/{merge_id}/undo", access=MANAGE, tag="customers")
async def undo_merge(call: Call, tx: Tx, merge_id: str) -> CustomerView:
    """Bring the other customer back with what was theirs."""
    return await merge.undo(tx, merge_id, by=call.actor)


@endpoint("GET", "/customer-tags", access=SERVE, tag="customers")
async def list_tags(call: Call, tx: Tx) -> Listing[TagView]:
    """Tags in use, most used first."""
    del call
    return Listing(items=await tags.list_tags(tx))


@endpoint("POST", "/customer-tags", access=EDIT, tag="customers")
async def change_tags(call: Call, tx: Tx, body: CustomerTagsBody) -> TagsChanged:
    """Put tags on many customers, or take them off."""
    changed = await tags.change_many(
        tx, body.customer_ids, add=body.add, remove=body.remove, by=call.actor
    )
    return TagsChanged(changed=changed)


@endpoint("GET", "/customer-export", access=MANAGE, tag="customers")
async def export_customers(call: Call, query: ExportQuery) -> web.Response:
    """All customers as a spreadsheet that the import understands."""
    uow = call.services.uow
    async with uow.write() as tx:
        await exporter.record(tx, by=call.actor, is_full=query.full)
    keys = call.services.keyring if query.full else None
    async with uow.read() as tx:
        rows: list[Sequence[object]] = [await exporter.headings(tx)]
        after: str | None = ""
        while after is not None:
            chunk, after = await exporter.rows(tx, keys=keys, after=after)
            rows += chunk
    write = write_xlsx if query.format == "xlsx" else write_csv
    data = await asyncio.to_thread(write, rows)
    kind = _XLSX if query.format == "xlsx" else "text/csv"
    disposition = f'attachment; filename="customers.{query.format}"'
    return web.Response(body=data, content_type=kind, headers={"Content-Disposition": disposition})


def _secret(kind: str) -> CustomerSecret:
    if kind not in set(CustomerSecret):
        raise Invalid("bad_value", field="kind")
    return CustomerSecret(kind)
