"""Search over everything that was ever said."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from core.db import Tx
from core.history.search import FoundLineView, Wanted, search
from core.permissions import Permission
from knowledge.text import words


class HistoryQuery(PageQuery):
    """q: words; each must be in the line. servicer_id: who served the session.

    institution_id: with everything below it.
    """

    q: str = Field(min_length=1, max_length=64, pattern=r"\S")
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    servicer_id: str | None = Field(None, max_length=32)
    institution_id: str | None = Field(None, max_length=32)
    account_id: str | None = Field(None, max_length=32)
    customer_id: str | None = Field(None, max_length=32)

    def wanted(self) -> Wanted:
        return Wanted(words=segments(self.q), **self.model_dump(exclude={"q", "cursor", "limit"}))


def segments(q: str) -> tuple[str, ...]:
    """The words of a search; lone characters such as 的 count only where there is nothing else."""
    found = tuple(dict.fromkeys(words(q)))
    longer = tuple(word for word in found if len(word) > 1 or word.isascii())
    return longer or found or (q.strip(),)


@endpoint("GET", "/messages", access=Permission.SESSION_SERVE, tag="sessions")
async def search_messages(call: Call, tx: Tx, query: HistoryQuery) -> Listing[FoundLineView]:
    """What was said in all conversations, newest first; a page may be short and not the last."""
    del call
    return listing(await search(tx, query.wanted(), cursor=query.cursor, limit=query.limit))
