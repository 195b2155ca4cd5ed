"""Search over everything that was ever said, newest first; the same on both databases.

The word index names candidates; each is then looked at, so that a hit holds every word as it was
typed. A page stops after so many candidates, with a cursor, instead of keeping anybody waiting.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import aliased

from core.accounts.models import AccountRow
from core.conversations.models import ConversationRow, MessageRow
from core.conversations.queries import message_view
from core.customers.models import CustomerRow, InstitutionRow
from core.db import Tx
from core.history.models import MessageWordRow
from core.history.postings import BLOCK, common, numbers
from core.history.snippet import Range, snippet
from core.institutions.queries import subtree_ids
from core.paging import Page, decode_cursor, encode_cursor
from core.servicers.models import ServicerRow
from core.sessions.models import SessionRow
from core.views import MessageView, View
from core.words import fold, words_of

#: Candidates that one page looks at; what is older comes with the next.
MAX_EXAMINED: Final = 2000
_AT_ONCE: Final = 200
_BLOCKS_AT_ONCE: Final = 32
_NEWEST: Final = 2**62
#: Messages that commit together may be numbered in another order than their moments.
_SLACK: Final = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """words: each must be there. servicer_id: who served the session.

    institution_id: with everything below it.
    """

    words: Sequence[str]
    since: datetime | None = None
    until: datetime | None = None
    servicer_id: str | None = None
    institution_id: str | None = None
    account_id: str | None = None
    customer_id: str | None = None


class FoundLineView(View):
    """text: the part around the first hit; ranges: the hits in it, in characters.

    session_id: where to read it; of a line outside any session, the conversation's newest.
    """

    message: MessageView
    session_id: str | None
    customer_name: str
    institution_name: str
    account_name: str
    text: str
    ranges: tuple[Range, ...]


async def search(
    tx: Tx, wanted: Wanted, *, cursor: str | None = None, limit: int = 50
) -> Page[FoundLineView]:
    """A page may be short, or even empty, and yet not be the last."""
    before = decode_cursor(cursor, int)[0] if cursor else _NEWEST
    low, high = await _span(tx, wanted)
    words = [fold(word) for word in wanted.words]
    conditions = await _conditions(tx, wanted)
    found: list[FoundLineView] = []
    examined = 0
    async for some in _candidates(tx, words, low=low, high=min(high, int(str(before)))):
        for row in await _rows(tx, some, conditions):
            line = fold(row[0].text)
            if all(word in line for word in words):
                found.append(_view(row, words))
            if len(found) == limit:
                return Page(tuple(found), encode_cursor(row[0].seq))
        examined += len(some)
        if examined >= MAX_EXAMINED:
            return Page(tuple(found), encode_cursor(some[-1]))
    return Page(tuple(found))


async def _candidates(
    tx: Tx, words: Sequence[str], *, low: int, high: int
) -> AsyncIterator[list[int]]:
    """Numbers of messages with low ≤ seq < high that may hold all words, newest first."""
    terms = sorted({term for word in words for term in words_of(word) if _is_indexed(term)})
    if not terms:
        async for some in _all(tx, low=low, high=high):
            yield some
        return
    has_all = (
        select(MessageWordRow.block)
        .where(
            MessageWordRow.word.in_(terms),
            MessageWordRow.block.between(low // BLOCK, high // BLOCK),
        )
        .group_by(MessageWordRow.block)
        .having(func.count() == len(terms))
        .order_by(MessageWordRow.block.desc())
    )
    blocks = list(await tx.db.scalars(has_all))
    for some in [blocks[:1], *batched(blocks[1:], _BLOCKS_AT_ONCE)]:  # the newest often suffices
        rows = await tx.db.execute(
            select(MessageWordRow.block, MessageWordRow.offsets).where(
                MessageWordRow.word.in_(terms), MessageWordRow.block.in_(some)
            )
        )
        lists: dict[int, list[bytes]] = {}
        for block, offsets in rows:
            lists.setdefault(block, []).append(offsets)
        for block in some:
            inside = [seq for seq in numbers(block, common(lists[block])) if low <= seq < high]
            for part in batched(inside, _AT_ONCE):
                yield part


def batched(items: Sequence[int], size: int) -> list[list[int]]:
    return [list(items[at : at + size]) for at in range(0, len(items), size)]


def _is_indexed(term: str) -> bool:
    """A lone Chinese character is a word only where it stands alone."""
    return term.isascii() or len(term) > 1


async def _all(tx: Tx, *, low: int, high: int) -> AsyncIterator[list[int]]:
    """Nothing in the search is indexed: every message is a candidate."""
    while True:
        query = select(MessageRow.seq).where(MessageRow.seq >= low, MessageRow.seq < high)
        some = (await tx.db.scalars(query.order_by(MessageRow.seq.desc()).limit(_AT_ONCE))).all()
        if not some:
            return
        yield list(some)
        high = some[-1]


async def _span(tx: Tx, wanted: Wanted) -> tuple[int, int]:
    """Between which numbers the moments lie, generously; the rows are checked again."""
    low, high = 0, _NEWEST
    by_moment = select(MessageRow.seq).order_by(MessageRow.created_at).limit(1)
    if wanted.since is not None:
        first = await tx.db.scalar(by_moment.where(MessageRow.created_at >= wanted.since))
        low = _NEWEST if first is None else max(0, first - _SLACK)
    if wanted.until is not None:
        after = await tx.db.scalar(by_moment.where(MessageRow.created_at >= wanted.until))
        high = _NEWEST if after is None else after + _SLACK
    return low, high


async def _conditions(tx: Tx, wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [MessageRow.recalled_at.is_(None)]
    if wanted.since is not None:
        found.append(MessageRow.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(MessageRow.created_at < wanted.until)
    if wanted.servicer_id is not None:
        found.append(SessionRow.servicer_id == wanted.servicer_id)
    if wanted.account_id is not None:
        found.append(MessageRow.account_id == wanted.account_id)
    if wanted.customer_id is not None:
        found.append(ConversationRow.customer_id == wanted.customer_id)
    if wanted.institution_id is not None:
        below = await subtree_ids(tx, wanted.institution_id)
        found.append(CustomerRow.institution_id.in_(below))
    return found


_Found = Row[*tuple[Any, ...]]


async def _rows(
    tx: Tx, seqs: Sequence[int], conditions: Sequence[ColumnElement[bool]]
) -> Sequence[_Found]:
    newest = aliased(SessionRow)
    of_conversation = (
        select(func.max(newest.id))
        .where(newest.conversation_id == MessageRow.conversation_id)
        .scalar_subquery()
    )
    names = (CustomerRow.name, InstitutionRow.name, AccountRow.name, ServicerRow.name)
    query: Select[*tuple[Any, ...]] = (
        select(MessageRow, *names, func.coalesce(MessageRow.session_id, of_conversation))
        .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
        .join(CustomerRow, CustomerRow.id == ConversationRow.customer_id)
        .join(AccountRow, AccountRow.id == MessageRow.account_id)
        .outerjoin(InstitutionRow, InstitutionRow.id == CustomerRow.institution_id)
        .outerjoin(SessionRow, SessionRow.id == MessageRow.session_id)
        .outerjoin(ServicerRow, ServicerRow.id == MessageRow.servicer_id)
        .where(MessageRow.seq.in_(seqs), *conditions)
        .order_by(MessageRow.seq.desc())
    )
    return (await tx.db.execute(query)).all()


def _view(row: _Found, words: Sequence[str]) -> FoundLineView:
    message, customer, institution, account, servicer, session_id = row
    text, ranges = snippet(message.text, words)
    return FoundLineView(
        message=message_view(message, servicer or ""),
        session_id=session_id,
        customer_name=customer,
        institution_name=institution or "",
        account_name=account,
        text=text,
        ranges=ranges,
    )
