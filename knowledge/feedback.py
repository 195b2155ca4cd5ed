"""What people say of the bot's answers: a verdict per decision and person; the last counts."""

from __future__ import annotations

from typing import Final, Literal

from sqlalchemy import select

from core.actor import Actor
from core.db import Tx
from core.errors import NotFound
from core.ids import new_id
from core.permissions import Permission
from knowledge.decisions import count
from knowledge.models import ArticleRow
from knowledge.records import DecisionRow, FeedbackRow

Verdict = Literal["solved", "unsolved", "corrected", "cited"]
CUSTOMER: Final = "customer"

#: What a verdict adds to the counters of the article that was shown.
_COUNTS: Final[dict[str, dict[str, int]]] = {
    "solved": {"helpful": 1},
    "unsolved": {"unhelpful": 1},
}


async def heard_feedback(tx: Tx, decision_id: str, *, is_helpful: bool) -> None:
    """The customer pressed 已解决 or 没解决. Repeating changes nothing; changing one's mind does.

    Raises: NotFound.
    """
    decision = await _decision(tx, decision_id)
    verdict: Verdict = "solved" if is_helpful else "unsolved"
    await _keep(tx, decision, verdict, by=CUSTOMER, right_article_id=None)


async def correct(tx: Tx, decision_id: str, right_article_id: str | None, *, by: Actor) -> None:
    """A person says which article would have been right; None: none of them.

    Raises: NotFound, Forbidden.
    """
    by.require(Permission.SESSION_SERVE)
    decision = await _decision(tx, decision_id)
    if right_article_id and await tx.db.get(ArticleRow, right_article_id) is None:
        raise NotFound("article_not_found", article_id=right_article_id)
    await _keep(tx, decision, "corrected", by=by.key, right_article_id=right_article_id)


async def cited(tx: Tx, session_id: str, article_id: str, *, by: str) -> None:
    """A servicer sent an article: it belongs to the last question that the bot left open."""
    decision = await tx.db.scalar(
        select(DecisionRow)
        .where(DecisionRow.session_id == session_id, DecisionRow.band.in_(("menu", "handoff")))
        .order_by(DecisionRow.created_at.desc(), DecisionRow.id.desc())
        .limit(1)
    )
    if await tx.db.get(ArticleRow, article_id) is None:
        return  # deleted meanwhile
    await count(tx, article_id, hits=1)
    if decision is not None:
        await _keep(tx, decision, "cited", by=by, right_article_id=article_id)


async def _decision(tx: Tx, decision_id: str) -> DecisionRow:
    decision = await tx.db.get(DecisionRow, decision_id)
    if decision is None:
        raise NotFound("decision_not_found", decision_id=decision_id)
    return decision


async def _keep(
    tx: Tx, decision: DecisionRow, verdict: Verdict, *, by: str, right_article_id: str | None
) -> None:
    row = await tx.db.scalar(
        select(FeedbackRow)
        .where(FeedbackRow.decision_id == decision.id, FeedbackRow.by == by)
        .with_for_update()
    )
    before = row.verdict if row is not None else ""
    if row is None:
        row = FeedbackRow(
            id=new_id(),
            decision_id=decision.id,
            session_id=decision.session_id,
            article_id=decision.article_id,
            by=by,
        )
        tx.db.add(row)
    row.verdict, row.right_article_id, row.created_at = verdict, right_article_id, tx.now
    if before != verdict and decision.article_id is not None:
        changed = {name: -n for name, n in _COUNTS.get(before, {}).items()}
        for name, n in _COUNTS.get(verdict, {}).items():
            changed[name] = changed.get(name, 0) + n
        if changed:
            await count(tx, decision.article_id, **changed)
    await tx.db.flush()
