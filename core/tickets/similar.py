"""Tickets that speak of the same thing: shared pairs of characters in their titles."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from core.db import Tx
from core.tickets.models import TicketRow
from core.tickets.record import view
from core.tickets.words import by_rarity, newest_with
from core.views import TicketView, View
from core.words import likeness, words_of

#: The rarest words of a text lead to others; so many words, so many tickets for each.
_LEADING = 6
_EACH = 100
_NEAR = 50
_MIN_SCORE = 0.2
_READ_CHARS = 200


class SimilarTicketView(View):
    """score: share of pairs of neighbouring characters that both texts have, 0…1."""

    ticket: TicketView
    score: float


async def similar(
    tx: Tx,
    text: str,
    *,
    category_id: str | None = None,
    customer_id: str | None = None,
    except_id: str = "",
    limit: int = 5,
) -> tuple[SimilarTicketView, ...]:
    """Best first: those that share the rarest words, and the newest of customer and category."""
    wanted = words_of(text[:_READ_CHARS])
    if not wanted:
        return ()
    leading = (await by_rarity(tx, wanted))[:_LEADING]
    ids = await newest_with(tx, leading, each=_EACH)
    for where in _near(category_id, customer_id):
        newest = select(TicketRow.id).where(where).order_by(TicketRow.id.desc()).limit(_NEAR)
        ids |= set(await tx.db.scalars(newest))
    ids.discard(except_id)
    titles = await tx.db.execute(
        select(TicketRow.id, TicketRow.title).where(TicketRow.id.in_(ids))
    )
    scores = {key: likeness(wanted, words_of(title)) for key, title in titles}
    best = sorted((k for k in scores if scores[k] >= _MIN_SCORE), key=lambda k: (-scores[k], k))
    return tuple(
        [
            SimilarTicketView(
                ticket=await view(tx, await tx.db.get_one(TicketRow, key)),
                score=round(scores[key], 3),
            )
            for key in best[:limit]
        ]
    )


def _near(category_id: str | None, customer_id: str | None) -> list[ColumnElement[bool]]:
    near = [TicketRow.category_id == category_id] if category_id else []
    return near + ([TicketRow.customer_id == customer_id] if customer_id else [])
