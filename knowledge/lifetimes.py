"""Effective and expiry dates: when an article begins to answer, warns its owner, falls silent."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.db import Tx
from core.events import AlarmRaised, ArticleChanged
from core.timers.service import Timer, cancel, set_timer
from knowledge.content import ArticleState
from knowledge.models import ArticleRow

BEGINS: Final = "article.begins"
EXPIRES_SOON: Final = "article.expires_soon"
EXPIRES: Final = "article.expires"
KINDS: Final = (BEGINS, EXPIRES_SOON, EXPIRES)

#: How long before its end the owner of an article is told.
NOTICE: Final = timedelta(days=14)


async def plan(tx: Tx, row: ArticleRow) -> None:
    """Set the timers that the dates of a published article ask for; drop the others."""
    expires = row.expires_at
    due = {
        BEGINS: row.effective_at,
        EXPIRES_SOON: max(expires - NOTICE, tx.now) if expires is not None else None,
        EXPIRES: expires,
    }
    for kind, moment in due.items():
        coming = kind == EXPIRES_SOON or (moment is not None and moment > tx.now)
        if row.state == ArticleState.PUBLISHED and moment is not None and coming:
            await set_timer(tx, kind, row.id, moment)
        elif row.effective_at is not None or expires is not None or row.version > 1:
            await cancel(tx, kind, row.id)


async def ring(tx: Tx, timer: Timer) -> None:
    """A timer of `KINDS` is due. Ending the timer is the runner's work; repeating does no harm."""
    row = await tx.db.get(ArticleRow, timer.key)
    if row is None or row.state != ArticleState.PUBLISHED:
        return
    if timer.kind == EXPIRES_SOON and row.expires_at is not None:
        facts = {
            "article_id": row.id,
            "title": row.question[:80],
            "owner_id": row.owner_id or "",
            "expires_at": row.expires_at.isoformat(),
        }
        tx.emit(AlarmRaised(code="article_expires_soon", facts=facts))
        return
    is_live = (row.effective_at is None or row.effective_at <= tx.now) and (
        row.expires_at is None or tx.now < row.expires_at
    )
    tx.emit(ArticleChanged(article_id=row.id, is_live=is_live))
