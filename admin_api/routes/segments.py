"""Segments: nested rules over customers, with live counts."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from core.db import Tx
from core.permissions import Permission
from core.segments import service
from core.segments.service import SegmentDraft, SegmentView, parse_rule
from core.views import CustomerView

SERVE, EDIT = Permission.SESSION_SERVE, Permission.CUSTOMER_EDIT


class RuleBody(Body):
    """rule: `kind` is all, any, not, attribute, tag, temporary, within, created, contacted, …."""

    rule: dict[str, Any]


class SegmentBody(RuleBody):
    name: str = Field(min_length=1, max_length=64)
    is_shared: bool = True

    def draft(self) -> SegmentDraft:
        return SegmentDraft(self.name, parse_rule(self.rule), self.is_shared)


class SegmentChangeBody(SegmentBody):
    version: Version


class SegmentPreview(BaseModel):
    """sample: the newest of them."""

    count: int
    sample: list[CustomerView]


@endpoint("GET", "/segments", access=SERVE, tag="segments")
async def list_segments(call: Call, tx: Tx) -> Listing[SegmentView]:
    """Shared segments and one's own."""
    return Listing(items=await service.list_segments(tx, by=call.actor))


@endpoint("POST", "/segments", access=EDIT, tag="segments", status=201)
async def create_segment(call: Call, tx: Tx, body: SegmentBody) -> SegmentView:
    """Save a rule under a name."""
    return await service.create(tx, body.draft(), by=call.actor)


@endpoint("POST", "/segment-previews", access=SERVE, tag="segments")
async def preview_segment(call: Call, body: RuleBody) -> SegmentPreview:
    """How many customers a rule describes now, and some of them."""
    rule = parse_rule(body.rule)
    async with call.services.uow.read() as tx:
        page = await service.members(tx, rule, limit=5)
        return SegmentPreview(count=await service.count(tx, rule), sample=list(page.items))


@endpoint("GET", "/segments/{segment_id}", access=SERVE, tag="segments")
async def get_segment(call: Call, tx: Tx, segment_id: str) -> SegmentView:
    """One segment."""
    del call
    return await service.get(tx, segment_id)


@endpoint("PUT", "/segments/{segment_id}", access=EDIT, tag="segments")
async def change_segment(
    call: Call, tx: Tx, segment_id: str, body: SegmentChangeBody
) -> SegmentView:
    """Replace a segment."""
    return await service.change(tx, segment_id, body.draft(), version=body.version, by=call.actor)


@endpoint("DELETE", "/segments/{segment_id}", access=EDIT, tag="segments")
async def remove_segment(call: Call, tx: Tx, segment_id: str) -> None:
    """Remove a segment; its customers stay."""
    await service.remove(tx, segment_id, by=call.actor)


@endpoint("GET", "/segments/{segment_id}/customers", access=SERVE, tag="segments")
async def list_segment_customers(
    call: Call, tx: Tx, segment_id: str, query: PageQuery
) -> Listing[CustomerView]:
    """Who is in it now, newest first."""
    del call
    rule = (await service.get(tx, segment_id)).rule
    return listing(await service.members(tx, rule, cursor=query.cursor, limit=query.limit))
