"""Ratings: asked once per session, answered once, clicked through a menu or said in words."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from core.db import Tx
from core.errors import Conflict, NotFound
from core.events import RatingExplained, RatingGiven, RatingRequested
from core.ids import new_id
from core.ratings.models import RatingRow
from core.settings.reception import Rating
from core.views import RatingView

LOWEST, HIGHEST = 1, 5
MAX_COMMENT = 1000


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

    Raises: NotFound for an unknown rating or a score outside 1…5; Conflict `rating_expired`.
    """
    if not LOWEST <= score <= HIGHEST:
        raise NotFound("rating_not_found")
    asked = await tx.db.get(RatingRow, rating_id)
    if asked is not None and asked.score is None and not _is_open(tx, asked):
        raise Conflict("rating_expired")
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


async def explain(
    tx: Tx, rating_id: str, *, customer_id: str, reason: str = "", comment: str = ""
) -> bool:
    """Why the customer rated so. Returns whether this reason, or comment, is new.

    Raises: NotFound for a rating that is not this customer's, or was not given.
    """
    row = await tx.db.get(RatingRow, rating_id, with_for_update=True, populate_existing=True)
    if row is None or row.customer_id != customer_id or row.score is None:
        raise NotFound("rating_not_found")
    is_known = reason in row.reasons if reason else bool(row.comment)
    if is_known or not _is_open(tx, row):
        return False
    if reason:
        row.reasons = [*row.reasons, reason]
    else:
        row.comment = comment[:MAX_COMMENT]
    await tx.db.flush()
    tx.emit(RatingExplained(rating=rating_view(row)))
    return True


async def of_session(tx: Tx, session_id: str) -> RatingView:
    """Raises: NotFound while no rating was asked for."""
    row = await tx.db.scalar(select(RatingRow).where(RatingRow.session_id == session_id))
    if row is None:
        raise NotFound("rating_not_found")
    return rating_view(row)


def _is_open(tx: Tx, row: RatingRow) -> bool:
    return tx.now < row.requested_at + timedelta(seconds=tx.settings.get(Rating).valid_s)
