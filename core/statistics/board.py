"""The few figures of the start page: what is open now, and today so far."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select

from core.clock import midnight
from core.conversations.models import MessageRow
from core.db import Tx
from core.ratings.models import RatingRow
from core.servicers.models import ServicerRow
from core.sessions.models import SessionRow
from core.views import Presence, Sender, SessionState, View

#: A rating that was asked for longer ago cannot be given any more (setting rating.valid_s).
_RATED_WITHIN: Final = timedelta(days=8)


class TodayView(View):
    """bot_answered: the bot answered from an article and nobody was needed.

    satisfaction_mean: of 5, over the ratings given today; null without any.
    """

    sessions: int
    bot_answered: int
    handed_off: int
    rated: int
    satisfaction_mean: float | None


class DashboardView(View):
    """waiting: served sessions in which the customer spoke last."""

    open: int
    queued: int
    waiting: int
    servicers_online: int
    today: TodayView


async def dashboard(tx: Tx) -> DashboardView:
    """Today begins at midnight in Shanghai."""
    return DashboardView(
        open=await _count(tx, SessionRow.state != SessionState.CLOSED),
        queued=await _count(tx, SessionRow.state == SessionState.QUEUED),
        waiting=await _count(
            tx,
            SessionRow.state == SessionState.SERVING,
            SessionRow.waiting_since.is_not(None),
        ),
        servicers_online=await _online(tx),
        today=await _today(tx, midnight(tx.now)),
    )


async def _today(tx: Tx, since: datetime) -> TodayView:
    opened = SessionRow.opened_at >= since
    by_article = (
        select(MessageRow.id)
        .where(
            MessageRow.session_id == SessionRow.id,
            MessageRow.sender == Sender.BOT.value,
            MessageRow.source["article_id"].as_string().is_not(None),
        )
        .exists()
    )
    ratings = select(func.count(), func.avg(RatingRow.score)).where(
        RatingRow.rated_at >= since,
        RatingRow.requested_at >= since - _RATED_WITHIN,  # the indexed column
    )
    rated, mean = (await tx.db.execute(ratings)).one()
    return TodayView(
        sessions=await _count(tx, opened),
        bot_answered=await _count(tx, opened, SessionRow.handed_off_at.is_(None), by_article),
        handed_off=await _count(tx, opened, SessionRow.handed_off_at.is_not(None)),
        rated=rated,
        satisfaction_mean=None if mean is None else round(float(mean), 2),
    )


async def _count(tx: Tx, *conditions: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(SessionRow).where(*conditions)
    return await tx.db.scalar(query) or 0


async def _online(tx: Tx) -> int:
    query = (
        select(func.count())
        .select_from(ServicerRow)
        .where(ServicerRow.presence != Presence.OFFLINE.value)
    )
    return await tx.db.scalar(query) or 0
