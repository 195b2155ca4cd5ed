"""The institution tree and the national division codes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from core.db import Tx
from core.institutions import queries, regions, service
from core.institutions.queries import InstitutionDetail, InstitutionHit
from core.institutions.service import InstitutionDraft
from core.permissions import Permission

SERVE, MANAGE = Permission.SESSION_SERVE, Permission.CUSTOMER_MANAGE
Id = Annotated[str, Field(min_length=1, max_length=32)]


class TreeQuery(PageQuery):
    """parent_id absent: the roots."""

    parent_id: Id | None = None


class FindQuery(BaseModel):
    """with_closed: also those that are offered to nobody any more."""

    q: str = Field(min_length=1, max_length=64)
    limit: int = Field(10, ge=1, le=50)
    with_closed: bool = False


class RegionQuery(BaseModel):
    parent: str = Field("", pattern=r"^(\d{6})?$")


class InstitutionBody(Body):
    name: str = Field(min_length=1, max_length=128)
    parent_id: Id | None = None
    kind: str = Field("", max_length=32)
    region_code: str = Field("", pattern=r"^(\d{6})?$")
    product: str = Field("", max_length=64)
    product_version: str = Field("", max_length=32)
    contract_level: str = Field("", max_length=16)
    engineer_id: Id | None = None
    is_active: bool = True

    def draft(self) -> InstitutionDraft:
        return InstitutionDraft(**self.model_dump(exclude={"version"}))


class InstitutionChangeBody(InstitutionBody):
    version: Version


class RegionView(BaseModel):
    """code: six digits; path: names from the province down."""

    code: str
    name: str
    path: list[str]


@endpoint("GET", "/institution-tree", access=SERVE, tag="customers")
async def list_tree(call: Call, tx: Tx, query: TreeQuery) -> Listing[InstitutionDetail]:
    """One level of the institution tree, by name."""
    del call
    page = await queries.children(tx, query.parent_id, cursor=query.cursor, limit=query.limit)
    return listing(page)


@endpoint("GET", "/institution-search", access=SERVE, tag="customers")
async def search_institutions(call: Call, tx: Tx, query: FindQuery) -> Listing[InstitutionHit]:
    """Institutions by part of the name, short form, pinyin or initials; best first."""
    del call
    found = await queries.search(tx, query.q, limit=query.limit, with_closed=query.with_closed)
    return Listing(items=found)


@endpoint("GET", "/institutions/{institution_id}", access=SERVE, tag="customers")
async def get_institution(call: Call, tx: Tx, institution_id: str) -> InstitutionDetail:
    """One institution with its place in the tree."""
    del call
    return await queries.get(tx, institution_id)


@endpoint("POST", "/institutions", access=MANAGE, tag="customers", status=201)
async def create_institution(call: Call, tx: Tx, body: InstitutionBody) -> InstitutionDetail:
    """Add an institution to the tree."""
    return await queries.get(tx, await service.create(tx, body.draft(), by=call.actor))


@endpoint("PUT", "/institutions/{institution_id}", access=MANAGE, tag="customers")
async def change_institution(
    call: Call, tx: Tx, institution_id: str, body: InstitutionChangeBody
) -> InstitutionDetail:
    """Change or move an institution; what is below it moves along."""
    await service.change(tx, institution_id, body.draft(), version=body.version, by=call.actor)
    return await queries.get(tx, institution_id)


@endpoint("DELETE", "/institutions/{institution_id}", access=MANAGE, tag="customers")
async def remove_institution(call: Call, tx: Tx, institution_id: str) -> None:
    """Remove an institution that nobody belongs to."""
    await service.remove(tx, institution_id, by=call.actor)


@endpoint("GET", "/regions", access=SERVE, tag="customers")
async def list_regions(call: Call, query: RegionQuery) -> Listing[RegionView]:
    """National division codes, one level below `parent`."""
    del call
    return Listing(
        items=[
            RegionView(code=code, name=name, path=list(regions.path_of(code)))
            for code, name in regions.children_of(query.parent)
        ]
    )
