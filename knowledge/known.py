"""Questions whose right answer people know: written down by editors, or learnt from feedback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, tuple_

from core.actor import Actor
from core.db import Tx
from core.errors import Invalid, NotFound
from core.ids import new_id
from core.paging import Page, decode_cursor, page_of
from core.permissions import Permission
from core.views import View
from knowledge.models import ArticleRow, DecisionRow, FeedbackRow, KnownQuestionRow
from knowledge.text import squeeze


class KnownQuestionView(View):
    """article_id None: no article answers it, and the bot must not try."""

    id: str
    question: str
    article_id: str | None
    origin: str
    by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """article_id: the right one; None with `wrong_article_id` None: none is right.

    wrong_article_id: the customer said that this one did not help; the right one is unknown.
    """

    question: str
    article_id: str | None
    wrong_article_id: str | None = None


async def put_known(
    tx: Tx, question: str, article_id: str | None, *, by: Actor, origin: str = "editor"
) -> KnownQuestionView:
    """Write down the right answer of a question; the last word counts.

    Raises: Forbidden; Invalid; NotFound for an unknown article.
    """
    by.require(Permission.ARTICLE_EDIT)
    question = question.strip()
    if not squeeze(question) or len(question) > 500:
        raise Invalid("bad_question", field="question")
    if article_id is not None and await tx.db.get(ArticleRow, article_id) is None:
        raise NotFound("article_not_found", article_id=article_id)
    row = await tx.db.scalar(select(KnownQuestionRow).where(KnownQuestionRow.question == question))
    if row is None:
        row = KnownQuestionRow(id=new_id(), question=question, created_at=tx.now)
        tx.db.add(row)
    row.article_id, row.origin, row.by = article_id, origin, by.key
    await tx.db.flush()
    return _view(row)


async def delete_known(tx: Tx, known_id: str, *, by: Actor) -> None:
    """Raises: Forbidden; NotFound."""
    by.require(Permission.ARTICLE_EDIT)
    gone = await tx.db.scalar(
        delete(KnownQuestionRow)
        .where(KnownQuestionRow.id == known_id)
        .returning(KnownQuestionRow.id)
    )
    if gone is None:
        raise NotFound("question_not_found", known_id=known_id)


async def list_known(
    tx: Tx, *, article_id: str = "", cursor: str | None = None, limit: int = 50
) -> Page[KnownQuestionView]:
    """What editors wrote down, newest first."""
    query = select(KnownQuestionRow)
    if article_id:
        query = query.where(KnownQuestionRow.article_id == article_id)
    if cursor:
        before = decode_cursor(cursor, datetime, str)
        query = query.where(
            tuple_(KnownQuestionRow.created_at, KnownQuestionRow.id) < tuple_(*before)
        )
    query = query.order_by(KnownQuestionRow.created_at.desc(), KnownQuestionRow.id.desc())
    views = [_view(row) for row in await tx.db.scalars(query.limit(limit + 1))]
    return page_of(views, limit, lambda view: (view.created_at, view.id))


async def everything_known(tx: Tx, *, limit: int = 3000) -> list[Known]:
    """What editors wrote down, then what feedback taught; each question once, latest first."""
    written = await tx.db.execute(
        select(KnownQuestionRow.question, KnownQuestionRow.article_id)
        .order_by(KnownQuestionRow.created_at.desc())
        .limit(limit)
    )
    judged = await tx.db.execute(
        select(
            DecisionRow.question,
            DecisionRow.article_id,
            FeedbackRow.verdict,
            FeedbackRow.right_article_id,
        )
        .join(DecisionRow, DecisionRow.id == FeedbackRow.decision_id)
        # a servicer's word outweighs the customer's
        .order_by((FeedbackRow.by == "customer").asc(), FeedbackRow.created_at.desc())
        .limit(limit)
    )
    found = [Known(question, article_id) for question, article_id in written.all()]
    found += [_learnt(*row) for row in judged.all()]
    unique: dict[str, Known] = {}
    for known in found:
        unique.setdefault(squeeze(known.question), known)
    return list(unique.values())[:limit]


def _learnt(question: str, shown: str | None, verdict: str, right: str | None) -> Known:
    if verdict == "solved":
        return Known(question, shown)
    if verdict == "unsolved":
        return Known(question, None, wrong_article_id=shown)
    return Known(question, right)


async def import_known(
    tx: Tx, questions: Sequence[tuple[str, Sequence[str]]], *, by: Actor
) -> int:
    """Write down (question, imported ids of acceptable articles). Returns how many were kept.

    Questions that name no known article are skipped, those with no id are out of scope.
    """
    wanted = {external_id for _, gold in questions for external_id in gold}
    rows = await tx.db.execute(
        select(ArticleRow.external_id, ArticleRow.id).where(ArticleRow.external_id.in_(wanted))
    )
    ids = dict(rows.all())
    kept = 0
    for question, gold in questions:
        right = next((ids[external_id] for external_id in gold if external_id in ids), None)
        if right is None and gold:
            continue
        await put_known(tx, question, right, by=by, origin="import")
        kept += 1
    return kept


def _view(row: KnownQuestionRow) -> KnownQuestionView:
    return KnownQuestionView.model_validate(row, from_attributes=True)
