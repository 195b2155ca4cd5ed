"""Who did what."""

from __future__ import annotations

from pydantic import Field

from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from core.audit import queries
from core.audit.queries import AuditView
from core.db import Tx
from core.permissions import Permission


class AuditQuery(PageQuery):
    """actor: user id or user name. action: exact, or a prefix that ends in a dot."""

    actor: str | None = Field(None, max_length=64)
    action: str | None = Field(None, max_length=64)


@endpoint("GET", "/audit", access=Permission.AUDIT_READ, tag="audit")
async def list_audit(call: Call, tx: Tx, query: AuditQuery) -> Listing[AuditView]:
    """The audit log, newest first."""
    del call
    page = await queries.list_audit(
        tx, actor=query.actor, action=query.action, cursor=query.cursor, limit=query.limit
    )
    return listing(page)
