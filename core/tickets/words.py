"""The words of titles, as an index: a list by words reads matches instead of every ticket."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    """Write down the words of a title, in the transaction that sets it."""
    await tx.db.execute(
        delete(TicketWordRow)
        .where(TicketWordRow.ticket_id == row.id)
        .execution_options(synchronize_session=False)
    )
    rows = [{"word": word, "ticket_id": row.id} for word in sorted(words_of(row.title))]
    if rows:
        await tx.db.execute(insert(TicketWordRow), rows)


async def rarest(tx: Tx, text: str) -> str | None:
    """The word of a search that the fewest titles have; None when nothing in it is indexed.

    Single Chinese characters are not: whoever searches for one reads through the titles.
    """
    found = await by_rarity(tx, words_of(text))
    return found[0] if found else None


async def by_rarity(tx: Tx, words: Collection[str]) -> list[str]:
    """Those that may lead to a ticket, from the word that the fewest titles have."""
    known = sorted(word for word in words if len(word) > 1 or word.isascii())[:_MAX_WORDS]
    if not known:
        return []
    counts = [
        select(literal(word).label("word"), func.count().label("titles")).select_from(
            select(TicketWordRow.ticket_id)
            .where(TicketWordRow.word == word)
            .limit(_COUNTED)
            .subquery()
        )
        for word in known
    ]
    rows = (await tx.db.execute(union_all(*counts))).all()
    return [word for _, _, word in sorted((titles, -len(word), word) for word, titles in rows)]


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
