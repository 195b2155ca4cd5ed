"""Canned replies (快捷回复)."""

from __future__ import annotations

from pydantic import Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing
from core.db import Tx
from core.permissions import Permission
from core.replies import queries, service
from core.replies.queries import ReplyView, Scope
from core.replies.service import ReplyDraft


class ReplyBody(Body):
    shortcut: str = Field("", max_length=32)
    title: str = Field(min_length=1, max_length=64)
    text: str = Field(min_length=1, max_length=4000)
    scope: Scope = "personal"
    team_id: str | None = Field(None, max_length=32)

    def draft(self) -> ReplyDraft:
        return ReplyDraft(**self.model_dump())


class ReplyChangeBody(Body):
    """Absent fields stay as they are."""

    shortcut: str | None = Field(None, max_length=32)
    title: str | None = Field(None, min_length=1, max_length=64)
    text: str | None = Field(None, min_length=1, max_length=4000)
    scope: Scope | None = None
    team_id: str | None = Field(None, max_length=32)
    version: Version


@endpoint("GET", "/replies", access=Permission.SESSION_SERVE, tag="replies")
async def list_replies(call: Call, tx: Tx) -> Listing[ReplyView]:
    """Everyone's replies, those of my teams, and my own."""
    return Listing(items=await queries.list_replies(tx, by=call.actor))


@endpoint("POST", "/replies", access=Permission.SESSION_SERVE, tag="replies", status=201)
async def create_reply(call: Call, tx: Tx, body: ReplyBody) -> ReplyView:
    """Write a reply; for a team as its leader, for everyone as a supervisor."""
    return await service.create(tx, body.draft(), by=call.actor)


@endpoint("PATCH", "/replies/{reply_id}", access=Permission.SESSION_SERVE, tag="replies")
async def change_reply(call: Call, tx: Tx, reply_id: str, body: ReplyChangeBody) -> ReplyView:
    """Change a reply."""
    wanted = body.model_dump(exclude={"version"}, exclude_none=True)
    return await service.change(tx, reply_id, wanted, version=body.version, by=call.actor)


@endpoint("DELETE", "/replies/{reply_id}", access=Permission.SESSION_SERVE, tag="replies")
async def remove_reply(call: Call, tx: Tx, reply_id: str) -> None:
    """Remove a reply."""
    await service.remove(tx, reply_id, by=call.actor)
