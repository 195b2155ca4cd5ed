"""The words of titles, as an index: a list by words reads matches instead of every ticket."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, func, insert, select

from core.db import Tx
from core.tickets.models import TicketRow, TicketWordRow
from core.words import words_of

#: Beyond so many a word is common, and its exact number does not matter.
_COUNTED: Final = 1000


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
    found: tuple[int, str] | None = None
    for word in sorted(words_of(text), key=len, reverse=True):
        if len(word) == 1 and not word.isascii():
            continue
        some = select(TicketWordRow.ticket_id).where(TicketWordRow.word == word).limit(_COUNTED)
        count = await tx.db.scalar(select(func.count()).select_from(some.subquery())) or 0
        if found is None or count < found[0]:
            found = (count, word)
        if not count:
            break
    return found[1] if found else None
