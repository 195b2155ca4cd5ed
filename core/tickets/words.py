"""The words of titles and the tags, as an index: lists by them read matches and no more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, insert, literal, select, union_all

from core.db import Tx
from core.tickets.models import TicketRow, TicketWordRow
from core.words import words_of

#: Beyond so many a word is common, and its exact number does not matter.
_COUNTED: Final = 1000
#: Of a long text, so many words lead to tickets.
_MAX_WORDS: Final = 40


async def index(tx: Tx, row: TicketRow) -> None:
    """Write down the words of a title and the tags, in the transaction that sets them."""
    await tx.db.execute(
        delete(TicketWordRow)
        .where(TicketWordRow.ticket_id == row.id)
        .execution_options(synchronize_session=False)
    )
    words = words_of(row.title) | {tag_word(tag) for tag in row.tags}
    rows = [{"word": word, "ticket_id": row.id} for word in sorted(words)]
    if rows:
        await tx.db.execute(insert(TicketWordRow), rows)


def tag_word(tag: str) -> str:
    """How a tag is written down: unlike any word of a title."""
    return f"#{tag}"


def may_lead(words: Collection[str]) -> list[str]:
    """Words that are written down for every title that has them: no single Chinese characters."""
    return sorted(word for word in words if len(word) > 1 or word.isascii())


@dataclass(frozen=True, slots=True)
class Lead:
    """The word of a search that the fewest tickets have. is_common: that is still many."""

    word: str
    is_common: bool


async def lead(tx: Tx, words: Collection[str]) -> Lead | None:
    """None when no word of these is written down anywhere by itself."""
    found = await _counted(tx, words)
    return Lead(found[0][1], found[0][0] >= _COUNTED) if found else None


async def by_rarity(tx: Tx, words: Collection[str]) -> list[str]:
    """Those that may lead to a ticket, from the word that the fewest titles have."""
    return [word for _, word in await _counted(tx, words)]


async def _counted(tx: Tx, words: Collection[str]) -> list[tuple[int, str]]:
    known = may_lead(words)[:_MAX_WORDS]
    if not known:
        return []
    counts = [
        select(literal(word).label("word"), func.count().label("titles")).select_from(
            select(TicketWordRow.ticket_id)
            .where(TicketWordRow.word == word)
            .order_by(TicketWordRow.ticket_id)  # by the index, however common the word
            .limit(_COUNTED)
            .subquery()
        )
        for word in known
    ]
    rows = (await tx.db.execute(union_all(*counts))).all()
    return sorted(
        ((titles, word) for word, titles in rows), key=lambda one: (one[0], -len(one[1]), one[1])
    )


async def newest_with(tx: Tx, words: Sequence[str], *, each: int) -> set[str]:
    """Tickets whose titles have one of these words, the newest `each` for each word."""
    if not words:
        return set()
    walks = [
        select(TicketWordRow.ticket_id)
        .where(TicketWordRow.word == word)
        .order_by(TicketWordRow.ticket_id.desc())
        .limit(each)
        .subquery()
        for word in words
    ]
    return set(await tx.db.scalars(union_all(*(select(walk) for walk in walks))))
