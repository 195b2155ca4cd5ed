"""Tickets that speak of the same thing: shared pairs of characters, among the recent ones."""

from __future__ import annotations

from sqlalchemy import or_, select

from core.db import Tx
from core.tickets.models import TicketRow
from core.tickets.record import view
from core.views import TicketView, View
from core.words import likeness, words_of

_CANDIDATES = 300
_MIN_SCORE = 0.2


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
    """Best first. Looked for among the newest of the category, of the customer, and of all."""
    wanted = words_of(text)
    if not wanted:
        return ()
    found: dict[str, TicketRow] = {}
    near = [TicketRow.category_id == category_id] if category_id else []
    near += [TicketRow.customer_id == customer_id] if customer_id else []
    for where in ([or_(*near)] if near else [], []):
        query = select(TicketRow).where(*where).order_by(TicketRow.id.desc()).limit(_CANDIDATES)
        found |= {row.id: row for row in await tx.db.scalars(query)}
    found.pop(except_id, None)
    scores = {key: likeness(wanted, words_of(row.title)) for key, row in found.items()}
    best = sorted((k for k in found if scores[k] >= _MIN_SCORE), key=lambda k: (-scores[k], k))
    return tuple(
        [
            SimilarTicketView(ticket=await view(tx, found[key]), score=round(scores[key], 3))
            for key in best[:limit]
        ]
    )
