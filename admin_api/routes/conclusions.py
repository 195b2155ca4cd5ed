"""What sessions were about: summary, reason category and tags."""

from __future__ import annotations

from pydantic import Field

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing
from core.db import Tx
from core.permissions import Permission
from core.sessions import conclusion
from core.sessions.conclusion import (
    MAX_SUMMARY,
    MAX_TAGS,
    Cited,
    Conclusion,
    ProposalView,
    SessionTagView,
)
from core.views import SessionView
from knowledge.queries import articles_by_id

SERVE = Permission.SESSION_SERVE


class ConclusionBody(Body):
    """Absent: leave as it is. An empty category_id takes the category away."""

    summary: str | None = Field(None, max_length=MAX_SUMMARY)
    category_id: str | None = Field(None, max_length=32)

    def conclusion(self) -> Conclusion:
        return Conclusion(self.summary, self.category_id)


class TagsBody(Body):
    add: list[str] = Field(default_factory=list, max_length=MAX_TAGS)
    remove: list[str] = Field(default_factory=list, max_length=MAX_TAGS)


@endpoint("GET", "/sessions/{session_id}/conclusion", access=SERVE, tag="sessions")
async def propose_conclusion(call: Call, tx: Tx, session_id: str) -> ProposalView:
    """A proposal from the conversation and the article cited last; what is written stays."""
    del call
    article_id = await conclusion.last_cited(tx, session_id)
    found = await articles_by_id(tx, [article_id]) if article_id else {}
    article = found.get(article_id or "")
    cited = Cited(article.question, article.category) if article else None
    return await conclusion.propose(tx, session_id, cited)


@endpoint("PUT", "/sessions/{session_id}/conclusion", access=SERVE, tag="sessions")
async def write_conclusion(
    call: Call, tx: Tx, session_id: str, body: ConclusionBody
) -> SessionView:
    """Write or change it, also after the session has ended."""
    return await conclusion.conclude(tx, session_id, body.conclusion(), by=call.actor)


@endpoint("POST", "/sessions/{session_id}/tags", access=SERVE, tag="sessions")
async def change_session_tags(call: Call, tx: Tx, session_id: str, body: TagsBody) -> SessionView:
    """Put tags on and take tags off."""
    return await conclusion.change_tags(
        tx, session_id, add=body.add, remove=body.remove, by=call.actor
    )


@endpoint("GET", "/session-tags", access=SERVE, tag="sessions")
async def list_session_tags(call: Call, tx: Tx) -> Listing[SessionTagView]:
    """Tags in use, most used first."""
    del call
    return Listing(items=await conclusion.list_tags(tx))
