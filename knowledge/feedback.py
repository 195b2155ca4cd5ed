"""What customers say of an answer: solved, or not."""

from __future__ import annotations

from core.db import Tx
from core.errors import NotFound
from core.ids import new_id
from knowledge.decisions import count
from knowledge.records import DecisionRow, FeedbackRow


async def heard_feedback(tx: Tx, decision_id: str, *, is_helpful: bool) -> None:
    """Keep a customer's verdict; the first one counts. Raises: NotFound."""
    decision = await tx.db.get(DecisionRow, decision_id)
    if decision is None:
        raise NotFound("decision_not_found", decision_id=decision_id)
    row = {
        "id": new_id(),
        "decision_id": decision_id,
        "session_id": decision.session_id,
        "article_id": decision.article_id,
        "verdict": "solved" if is_helpful else "unsolved",
        "right_article_id": None,
        "by": "customer",
        "created_at": tx.now,
    }
    added = await tx.db.execute(
        tx.upsert(FeedbackRow)
        .values(row)
        .on_conflict_do_nothing(index_elements=["decision_id", "by"])
        .returning(FeedbackRow.id)
    )
    if added.first() is None or decision.article_id is None:
        return
    await count(tx, decision.article_id, helpful=int(is_helpful), unhelpful=int(not is_helpful))
