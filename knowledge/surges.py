"""Many customers ask the same within minutes: something is broken, and people must know."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, func, select

from core.db import Tx
from core.events import AlarmRaised
from core.settings.sections import Knowledge
from knowledge.records import DecisionRow
from knowledge.retriever import Band


async def notice(tx: Tx, row: DecisionRow) -> None:
    """Raise the alarm when this session makes the number full; once for each time it does."""
    settings = tx.settings.get(Knowledge)
    if not settings.surge_sessions or row.session_id is None or row.band == Band.GATE:
        return
    recent = (
        _same_question(row),
        DecisionRow.id != row.id,
        DecisionRow.created_at > tx.now - timedelta(seconds=settings.surge_window_s),
    )
    mine = DecisionRow.session_id == row.session_id
    if await tx.db.scalar(select(DecisionRow.id).where(*recent, mine).limit(1)):
        return  # this customer is counted already
    others = await tx.db.scalar(
        select(func.count(func.distinct(DecisionRow.session_id))).where(*recent)
    )
    if others == settings.surge_sessions - 1:
        facts = {
            "question": row.question[:80],
            "sessions": str(settings.surge_sessions),
            "window_s": str(settings.surge_window_s),
            "article_id": row.article_id or "",
        }
        tx.emit(AlarmRaised(code="question_surge", session_id=row.session_id, facts=facts))


def _same_question(row: DecisionRow) -> ColumnElement[bool]:
    if row.article_id is not None:
        return DecisionRow.article_id == row.article_id
    return DecisionRow.cleaned == row.cleaned
