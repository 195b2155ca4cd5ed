"""Questions whose right answer people know: written down by editors, or learnt from feedback."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

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

MOST_LINES: Final = 5000
_LONGEST: Final = 500


class KnownQuestionView(View):
    """article_id None: no article answers it, and the bot must not try."""

    id: str
    question: str
    article_id: str | None
    article_title: str = ""
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
    if not squeeze(question) or len(question) > _LONGEST:
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
    tx: Tx, *, q: str = "", article_id: str = "", cursor: str | None = None, limit: int = 50
) -> Page[KnownQuestionView]:
    """What editors wrote down, newest first. q: a part of the question."""
    query = select(KnownQuestionRow)
    if article_id:
        query = query.where(KnownQuestionRow.article_id == article_id)
    if q.strip():
        query = query.where(KnownQuestionRow.question.icontains(q.strip(), autoescape=True))
    if cursor:
        before = decode_cursor(cursor, datetime, str)
        query = query.where(
            tuple_(KnownQuestionRow.created_at, KnownQuestionRow.id) < tuple_(*before)
        )
    query = query.order_by(KnownQuestionRow.created_at.desc(), KnownQuestionRow.id.desc())
    rows = list(await tx.db.scalars(query.limit(limit + 1)))
    titles = await _titles(tx, {row.article_id for row in rows if row.article_id})
    views = [_view(row, titles.get(row.article_id or "", "")) for row in rows]
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


class KnownImport(View):
    """kept: questions written down. errors: (line, why) of those that were not."""

    kept: int
    errors: tuple[tuple[int, str], ...]


async def import_lines(tx: Tx, text: str, *, by: Actor) -> KnownImport:
    """Lines `question <tab> article`, as a spreadsheet copies them.

    The article is named by its imported id, its id or its standard question; without one no
    article answers the question. Raises: Forbidden; Invalid `too_many_lines`.
    """
    by.require(Permission.ARTICLE_EDIT)
    lines = [line.split("\t") for line in text.splitlines()]
    if len(lines) > MOST_LINES:
        raise Invalid("too_many_lines", most=MOST_LINES)
    ids = await _named(tx, {line[1].strip() for line in lines if len(line) > 1})
    kept, errors = 0, []
    for number, (question, *rest) in enumerate(lines, start=1):
        name = rest[0].strip() if rest else ""
        if not question.strip() and not name:
            continue
        if not squeeze(question) or len(question.strip()) > _LONGEST:
            errors.append((number, "bad_question"))
        elif name and name not in ids:
            errors.append((number, "article_not_found"))
        else:
            await put_known(tx, question, ids[name] if name else None, by=by, origin="import")
            kept += 1
    return KnownImport(kept=kept, errors=tuple(errors))


async def _named(tx: Tx, names: AbstractSet[str]) -> dict[str, str]:
    """Article ids by whatever people call the articles; exact ids win."""
    found: dict[str, str] = {}
    for column in (ArticleRow.question, ArticleRow.id, ArticleRow.external_id):
        rows = await tx.db.execute(select(column, ArticleRow.id).where(column.in_(names)))
        found |= dict(rows.all())
    return found


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


def _view(row: KnownQuestionRow, title: str = "") -> KnownQuestionView:
    view = KnownQuestionView.model_validate(row, from_attributes=True)
    return view.model_copy(update={"article_title": title})


async def _titles(tx: Tx, ids: AbstractSet[str]) -> dict[str, str]:
    query = select(ArticleRow.id, ArticleRow.question).where(ArticleRow.id.in_(ids))
    return dict((await tx.db.execute(query)).all())
