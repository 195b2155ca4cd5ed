"""Ratings: asked once per session, answered once, clicked through a menu or said in words."""

from __future__ import annotations

from sqlalchemy import select, update

from core.db import Tx
from core.errors import NotFound
from core.events import RatingGiven, RatingRequested
from core.ids import new_id
from core.ratings.models import RatingRow
from core.views import RatingView

LOWEST, HIGHEST = 1, 5


def rating_view(row: RatingRow) -> RatingView:
    return RatingView(
        id=row.id,
        session_id=row.session_id,
        customer_id=row.customer_id,
        servicer_id=row.servicer_id,
        score=row.score,
        reasons=tuple(row.reasons),
        comment=row.comment,
        requested_at=row.requested_at,
        rated_at=row.rated_at,
    )


async def request(
    tx: Tx, *, session_id: str, customer_id: str, servicer_id: str | None
) -> RatingView | None:
    """Note that a session's rating is asked for; None when it was asked before."""
    asked = await tx.db.scalar(select(RatingRow.id).where(RatingRow.session_id == session_id))
    if asked is not None:
        return None
    row = RatingRow(
        id=new_id(),
        session_id=session_id,
        customer_id=customer_id,
        servicer_id=servicer_id,
        requested_at=tx.now,
        comment="",
    )
    row.reasons = []
    tx.db.add(row)
    await tx.db.flush()
    view = rating_view(row)
    tx.emit(RatingRequested(rating=view))
    return view


async def give(tx: Tx, rating_id: str, score: int) -> tuple[RatingView, bool]:
    """The customer rates. Returns the rating and whether this score was the first.

    Raises: NotFound for an unknown rating or a score outside 1…5.
    """
    if not LOWEST <= score <= HIGHEST:
        raise NotFound("rating_not_found")
    changed = await tx.db.execute(
        update(RatingRow)
        .where(RatingRow.id == rating_id, RatingRow.score.is_(None))
        .values(score=score, rated_at=tx.now)
        .returning(RatingRow.id)
        .execution_options(synchronize_session=False)
    )
    is_first = changed.first() is not None
    row = await tx.db.get(RatingRow, rating_id, populate_existing=True)
    if row is None:
        raise NotFound("rating_not_found")
    view = rating_view(row)
    if is_first:
        tx.emit(RatingGiven(rating=view))
    return view, is_first
