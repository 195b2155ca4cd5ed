"""Customers and their institutions."""

from __future__ import annotations

from pydantic import Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from core.customers import queries, service
from core.customers.queries import InstitutionView
from core.customers.search import search
from core.db import Tx
from core.permissions import Permission
from core.sessions.queries import Filters, list_sessions
from core.views import CustomerView, SessionView


class CustomerQuery(PageQuery):
    """q: part of a name or an institution, or a whole phone, e-mail or identity number."""

    q: str = Field("", max_length=64)


class InstitutionQuery(PageQuery):
    """parent_id: only directly below that one; empty for the roots."""

    q: str = Field("", max_length=64)
    parent_id: str | None = Field(None, max_length=32)


class CustomerChangeBody(Body):
    """institution_id "": none."""

    name: str | None = Field(None, min_length=1, max_length=128)
    note: str | None = Field(None, max_length=4000)
    tags: list[str] | None = Field(None, max_length=50)
    institution_id: str | None = Field(None, max_length=32)
    version: Version


@endpoint("GET", "/customers", access=Permission.SESSION_SERVE, tag="customers")
async def list_customers(call: Call, tx: Tx, query: CustomerQuery) -> Listing[CustomerView]:
    """Customers, newest first."""
    if query.q.strip():
        keys = call.services.keyring
        page = await search(tx, keys, query.q, cursor=query.cursor, limit=query.limit)
        return listing(page)
    return listing(await queries.list_customers(tx, cursor=query.cursor, limit=query.limit))


@endpoint("GET", "/customers/{customer_id}", access=Permission.SESSION_SERVE, tag="customers")
async def get_customer(call: Call, tx: Tx, customer_id: str) -> CustomerView:
    """One customer's file."""
    del call
    return await queries.customer_view(tx, customer_id)


@endpoint("PATCH", "/customers/{customer_id}", access=Permission.CUSTOMER_EDIT, tag="customers")
async def change_customer(
    call: Call, tx: Tx, customer_id: str, body: CustomerChangeBody
) -> CustomerView:
    """Complete or correct a customer's file."""
    return await service.change(
        tx,
        customer_id,
        version=body.version,
        by=call.actor,
        name=body.name,
        note=body.note,
        tags=body.tags,
        institution_id=body.institution_id,
    )


@endpoint(
    "GET", "/customers/{customer_id}/sessions", access=Permission.SESSION_SERVE, tag="customers"
)
async def list_customer_sessions(
    call: Call, tx: Tx, customer_id: str, query: PageQuery
) -> Listing[SessionView]:
    """This customer's sessions, newest first."""
    await queries.customer_view(tx, customer_id)
    page = await list_sessions(
        tx,
        by=call.actor,
        filters=Filters(customer_id=customer_id),
        cursor=query.cursor,
        limit=query.limit,
    )
    return listing(page)


@endpoint("GET", "/institutions", access=Permission.SESSION_SERVE, tag="customers")
async def list_institutions(
    call: Call, tx: Tx, query: InstitutionQuery
) -> Listing[InstitutionView]:
    """Institutions by name."""
    del call
    found = await queries.list_institutions(
        tx, q=query.q, parent_id=query.parent_id, limit=query.limit
    )
    return Listing(items=found)
