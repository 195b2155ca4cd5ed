"""Daily: questions without a good answer become gaps; articles written for gaps are measured."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
from sqlalchemy import and_, func, insert, or_, select, update

from core.db import Tx, UnitOfWork
from core.ids import new_id
from knowledge.clusters import Matrix, grouped, most_typical, similarities
from knowledge.embedder import Embedder
from knowledge.encoders import Role
from knowledge.models import ArticleRow, DecisionRow, FeedbackRow, GapQuestionRow, GapRow
from knowledge.queries import live_conditions
from knowledge.redaction import redacted
from knowledge.retriever import Band
from knowledge.tables import read_records
from knowledge.text import clean_query, grams, squeeze

log = logging.getLogger(__name__)

#: Session id → what people answered in it, one text. Lent by who may read conversations.
HumanAnswers = Callable[[Tx, Sequence[str]], Awaitable[Mapping[str, str]]]

_WITHIN: Final = timedelta(days=30)
_AT_ONCE: Final = 1000
_FEWEST_CHARACTERS: Final = 4
_ANCHORS: Final = 5
_BACKGROUND: Final = 200
#: A menu whose line was answered this soon was no gap.
_SOON: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Miss:
    decision_id: str
    question: str
    session_id: str | None
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class MiningReport:
    """questions: newly looked at. left_out: too short, or answered after all."""

    questions: int
    left_out: int
    gaps: int


async def mine(uow: UnitOfWork, embedder: Embedder, answers: HumanAnswers) -> MiningReport:
    """Sort new misses into gaps and measure what articles absorbed. Repeatable at any time."""
    async with uow.read() as tx:
        misses, left_out = await _new_misses(tx)
        gaps = await _anchors(tx)
        background = await _background(tx)
        last = {m.session_id: m.decision_id for m in misses if m.session_id}
        heard = await answers(tx, sorted(last))
    said = {last[session_id]: (session_id, text) for session_id, text in heard.items()}
    anchors, texts = _positions(gaps, misses)
    alike = await _alike(embedder, texts, background)
    groups = grouped(alike, anchors) if texts else []
    first = len(texts) - len(misses)
    async with uow.write() as tx:
        await _keep(tx, [(miss, None) for miss in left_out])
        made = 0
        for number, group in enumerate(groups):
            fresh = [misses[at - first] for at in group if at >= first]
            if not fresh:
                continue
            gap_id = list(gaps)[number] if number < len(gaps) else new_id()
            made += number >= len(gaps)
            title = texts[most_typical(alike, group)]
            await _join(tx, gap_id, title, fresh, said, is_new=number >= len(gaps))
        await measure(tx)
    report = MiningReport(len(misses), len(left_out), made)
    log.info("Gaps were mined.", extra={"action": "gaps.mined", "gaps": made})
    return report


async def measure(tx: Tx) -> None:
    """Count what the articles written for gaps have answered since; close gaps that are live."""
    rows = await tx.db.execute(
        select(GapRow, ArticleRow.published_at)
        .join(ArticleRow, ArticleRow.id == GapRow.article_id)
        .where(*live_conditions(tx.now))
    )
    for gap, published_at in rows.all():
        answered = await tx.db.scalar(
            select(func.count())
            .select_from(DecisionRow)
            .where(
                DecisionRow.article_id == gap.article_id,
                DecisionRow.created_at >= (published_at or gap.created_at),
            )
        )
        gap.absorbed = max(gap.absorbed, answered or 0)
        gap.state = "closed" if gap.state == "drafted" else gap.state
        await tx.db.execute(
            update(ArticleRow)
            .where(ArticleRow.id == gap.article_id)
            .values(absorbed=gap.absorbed)
            .execution_options(synchronize_session=False)
        )


async def _new_misses(tx: Tx) -> tuple[list[Miss], list[Miss]]:
    """Questions not yet looked at that found no good answer; and those that are no gaps."""
    judged_bad = select(FeedbackRow.decision_id).where(
        or_(
            FeedbackRow.verdict == "unsolved",
            and_(FeedbackRow.verdict == "corrected", FeedbackRow.right_article_id.is_(None)),
        )
    )
    rows = await tx.db.scalars(
        select(DecisionRow)
        .outerjoin(GapQuestionRow, GapQuestionRow.decision_id == DecisionRow.id)
        .where(
            GapQuestionRow.decision_id.is_(None),
            DecisionRow.created_at >= tx.now - _WITHIN,
            or_(
                DecisionRow.band.in_((Band.MENU, Band.HANDOFF)),
                and_(DecisionRow.band == Band.ANSWER, DecisionRow.id.in_(judged_bad)),
            ),
        )
        .order_by(DecisionRow.created_at, DecisionRow.id)
        .limit(_AT_ONCE)
    )
    misses: list[Miss] = []
    left_out: list[Miss] = []
    for row in rows.all():
        miss = Miss(row.id, redacted(row.question)[:500], row.session_id, row.created_at)
        is_gap = await _is_gap(tx, row)
        (misses if is_gap else left_out).append(miss)
    return misses, left_out


async def _is_gap(tx: Tx, row: DecisionRow) -> bool:
    if len(squeeze(clean_query(row.question))) < _FEWEST_CHARACTERS or row.why == "model_late":
        return False
    knows = select(FeedbackRow.id).where(
        FeedbackRow.decision_id == row.id, FeedbackRow.right_article_id.is_not(None)
    )
    if await tx.db.scalar(knows.limit(1)):
        return False  # an article exists; its similar questions want work, not a new article
    if row.band != Band.MENU or row.session_id is None:
        return True
    offered = {str(candidate["article_id"]) for candidate in row.candidates}
    later = await tx.db.scalars(
        select(DecisionRow.article_id).where(
            DecisionRow.session_id == row.session_id,
            DecisionRow.created_at > row.created_at,
            DecisionRow.created_at <= row.created_at + _SOON,
            DecisionRow.band == Band.ANSWER,
        )
    )
    return not any(article_id in offered for article_id in later)


async def _anchors(tx: Tx) -> dict[str, list[str]]:
    """The latest questions of every gap that is not closed."""
    rows = await tx.db.execute(
        select(GapQuestionRow.gap_id, GapQuestionRow.question)
        .join(GapRow, GapRow.id == GapQuestionRow.gap_id)
        .where(GapRow.state != "closed")
        .order_by(GapQuestionRow.asked_at.desc())
    )
    anchors: dict[str, list[str]] = {}
    for gap_id, question in rows.all():
        known = anchors.setdefault(str(gap_id), [])
        if len(known) < _ANCHORS and question not in known:
            known.append(question)
    return anchors


async def _background(tx: Tx) -> list[str]:
    """Other questions of the base; a small base borrows those of the demo."""
    query = select(ArticleRow.question).order_by(ArticleRow.id).limit(_BACKGROUND)
    own = list(await tx.db.scalars(query))
    return own if len(own) >= _BACKGROUND // 4 else own + _borrowed()


@cache
def _borrowed() -> list[str]:
    data = (resources.files("knowledge") / "data" / "demo_faq.jsonl").read_bytes()
    return [str(record.values["question"]) for record in read_records(data, "jsonl")]


def _positions(
    gaps: Mapping[str, Sequence[str]], misses: Sequence[Miss]
) -> tuple[list[list[int]], list[str]]:
    """All texts in one row, the gaps' before the new ones, and where each gap's stand."""
    anchors: list[list[int]] = []
    texts: list[str] = []
    for questions in gaps.values():
        anchors.append(list(range(len(texts), len(texts) + len(questions))))
        texts += questions
    return anchors, texts + [miss.question for miss in misses]


async def _alike(embedder: Embedder, texts: Sequence[str], background: Sequence[str]) -> Matrix:
    if not texts:
        return np.zeros((0, 0))
    vectors = await embedder.embed([clean_query(text) for text in texts], Role.QUERY)
    others = await embedder.embed(background, Role.QUERY)
    return similarities(texts, vectors, others.reshape(-1, vectors.shape[1]))


async def _join(
    tx: Tx,
    gap_id: str,
    title: str,
    fresh: Sequence[Miss],
    said: Mapping[str, tuple[str, str]],
    *,
    is_new: bool,
) -> None:
    """said: by decision, of each session's last: (session, what people answered there)."""
    moments = [miss.asked_at for miss in fresh]
    if is_new:
        gap = GapRow(
            id=gap_id,
            title=title,
            state="open",
            size=0,
            best_answer="",
            first_asked_at=min(moments),
            created_at=tx.now,
        )
        tx.db.add(gap)
    else:
        gap = await tx.db.get_one(GapRow, gap_id)
        gap.title = title if gap.state == "open" else gap.title
    gap.size += len(fresh)
    gap.last_asked_at = max(moments)
    sessions = dict(said[m.decision_id] for m in fresh if m.decision_id in said)
    best = best_answer(sessions)
    if best is not None and len(sessions[best]) > len(gap.best_answer):
        gap.best_answer, gap.best_session_id = redacted(sessions[best]), best
    await tx.db.flush()
    await _keep(tx, [(miss, gap_id) for miss in fresh])


def best_answer(sessions: Mapping[str, str]) -> str | None:
    """The session whose human answer agrees most with the others; the longer among equals."""
    bags = {key: set(grams(text)) for key, text in sessions.items() if text.strip()}

    def agreement(key: str) -> tuple[float, int]:
        own = bags[key]
        others = [bag for other, bag in bags.items() if other != key]
        return sum(len(own & bag) / max(len(own | bag), 1) for bag in others), len(own)

    return max(bags, key=agreement, default=None)


async def _keep(tx: Tx, looked_at: Sequence[tuple[Miss, str | None]]) -> None:
    rows = [
        {
            "decision_id": miss.decision_id,
            "gap_id": gap_id,
            "question": miss.question,
            "session_id": miss.session_id,
            "asked_at": miss.asked_at,
        }
        for miss, gap_id in looked_at
    ]
    if rows:
        await tx.db.execute(insert(GapQuestionRow), rows)
