"""Many customers ask the same within minutes: something is broken, and people must know."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, Integer, bindparam, select

from core.db import Tx
from core.events import AlarmRaised
from core.settings.sections import Knowledge
from core.statements import Statement
from knowledge.records import DecisionRow


def _sessions_with(same: ColumnElement[bool]) -> Statement:
    """Sessions that asked the same lately; a few are enough to know."""
    return Statement(
        select(DecisionRow.session_id)
        .distinct()
        .where(
            same,
            DecisionRow.created_at > bindparam("since"),
            DecisionRow.session_id.is_not(None),
        )
        .limit(bindparam("most", type_=Integer))
    )


_BY_ARTICLE: Final = _sessions_with(DecisionRow.article_id == bindparam("same"))
_BY_WORDS: Final = _sessions_with(DecisionRow.cleaned == bindparam("same"))


async def notice(
    tx: Tx, session_id: str, question: str, cleaned: str, article_id: str | None
) -> None:
    """Raise the alarm when this session makes the number full; once for each time it does.

    Called before the decision is kept.
    """
    settings = tx.settings.get(Knowledge)
    wanted = settings.surge_sessions
    if not wanted:
        return
    statement, same = (_BY_WORDS, cleaned) if article_id is None else (_BY_ARTICLE, article_id)
    since = tx.now - timedelta(seconds=settings.surge_window_s)
    rows = await tx.fetch(statement, {"same": same, "since": since, "most": wanted})
    sessions = {row.session_id for row in rows}
    if session_id in sessions or len(sessions) != wanted - 1:
        return  # counted already, too few yet, or told already
    facts = {
        "question": question[:80],
        "sessions": str(wanted),
        "window_s": str(settings.surge_window_s),
        "article_id": article_id or "",
    }
    tx.emit(AlarmRaised(code="question_surge", session_id=session_id, facts=facts))
