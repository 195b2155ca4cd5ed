"""What the platforms did not take."""

from __future__ import annotations

from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from core.conversations import dead_letters
from core.conversations.dead_letters import DeadLetterView
from core.db import Tx
from core.permissions import Permission


@endpoint("GET", "/dead-letters", access=Permission.SESSION_SUPERVISE, tag="system")
async def list_dead_letters(call: Call, tx: Tx, query: PageQuery) -> Listing[DeadLetterView]:
    """Messages and commands that were given up, newest first."""
    del call
    page = await dead_letters.list_dead_letters(tx, cursor=query.cursor, limit=query.limit)
    return listing(page)


@endpoint(
    "POST",
    "/dead-letters/{item_id}/retry",
    access=Permission.SESSION_SUPERVISE,
    tag="system",
    status=204,
)
async def retry_dead_letter(call: Call, tx: Tx, item_id: str) -> None:
    """Try it once more."""
    await dead_letters.retry(tx, item_id, by=call.actor)
