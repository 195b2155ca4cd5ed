"""The answer log, and how well the bot does: hit rate, measured precision, saved work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from core.db import Tx
from core.paging import Page, decode_cursor, page_of
from core.views import View
from knowledge.calibration import wilson
from knowledge.decisions import decision_views
from knowledge.models import ArticleRow
from knowledge.records import DecisionRow, FeedbackRow
from knowledge.retriever import Band
from knowledge.views import DecisionView


@dataclass(frozen=True, slots=True)
class LogFilter:
    """verdict: of people; `none` for decisions that nobody judged. Empty: all."""

    band: str = ""
    article_id: str = ""
    verdict: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


class ShareView(View):
    """right of given, with the bounds of the 95 % interval (0…1). low, high: 0, 1 for none."""

    right: int
    given: int
    value: float
    low: float
    high: float


class CategoryShare(View):
    category: str
    answers: int
    precision: ShareView


class BotFigures(View):
    """What the bot did in a span of time.

    questions: decisions on real questions; gates and picks from a menu do not count.
    hit_rate: answered ÷ questions.
    precision: judged right ÷ judged answers, by customers' and servicers' verdicts.
    saved: answers that nobody called wrong. saved_s: saved × the seconds a person takes.
    """

    questions: int
    answered: int
    offered: int
    handed_off: int
    gated: dict[str, int]
    hit_rate: ShareView
    handoff_rate: ShareView
    precision: ShareView
    by_category: tuple[CategoryShare, ...]
    saved: int
    saved_s: int


async def list_decisions(
    tx: Tx, wanted: LogFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[DecisionView]:
    """The answer log, newest first."""
    query = select(DecisionRow).where(*_conditions(wanted))
    if cursor:
        before = decode_cursor(cursor, datetime, str)
        query = query.where(tuple_(DecisionRow.created_at, DecisionRow.id) < tuple_(*before))
    query = query.order_by(DecisionRow.created_at.desc(), DecisionRow.id.desc()).limit(limit + 1)
    views = await decision_views(tx, list(await tx.db.scalars(query)))
    return page_of(views, limit, lambda view: (view.created_at, view.id))


async def bot_figures(
    tx: Tx, since: datetime, until: datetime, *, handling_s: int = 300
) -> BotFigures:
    """Figures over [since, until). handling_s: seconds that a person takes for one question."""
    span = (
        DecisionRow.created_at >= since,
        DecisionRow.created_at < until,
        DecisionRow.why != "chosen",  # the customer picked it: no decision of the bot
    )
    bands = dict((await tx.db.execute(_count_by(DecisionRow.band, *span))).all())
    is_gate = DecisionRow.band == Band.GATE
    gates = dict((await tx.db.execute(_count_by(DecisionRow.gate, *span, is_gate))).all())
    judged = await _judged(tx, *span)
    answered = bands.get(Band.ANSWER, 0)
    questions = sum(count for band, count in bands.items() if band != Band.GATE)
    handed = bands.get(Band.HANDOFF, 0)
    right, given = sum(r for _, _, r, _ in judged), sum(g for _, _, _, g in judged)
    return BotFigures(
        questions=questions,
        answered=answered,
        offered=bands.get(Band.MENU, 0),
        handed_off=handed,
        gated=gates,
        hit_rate=_share(answered, questions),
        handoff_rate=_share(handed, questions),
        precision=_share(right, given),
        by_category=tuple(
            CategoryShare(category=name, answers=count, precision=_share(r, g))
            for name, count, r, g in judged
        ),
        saved=answered - (given - right),
        saved_s=(answered - (given - right)) * handling_s,
    )


async def _judged(tx: Tx, *span: ColumnElement[bool]) -> list[tuple[str, int, int, int]]:
    """(category, answers, right, judged) for each category, most answers first."""
    right = or_(
        FeedbackRow.verdict == "solved",
        and_(
            FeedbackRow.verdict == "corrected",
            FeedbackRow.right_article_id == DecisionRow.article_id,
        ),
    )
    worst = (
        select(FeedbackRow.decision_id, func.min(case((right, 1), else_=0)).label("right"))
        .join(DecisionRow, DecisionRow.id == FeedbackRow.decision_id)
        .where(FeedbackRow.verdict.in_(("solved", "unsolved", "corrected")), *span)
        .group_by(FeedbackRow.decision_id)
        .subquery()
    )
    query = (
        select(
            ArticleRow.category,
            func.count(),
            func.coalesce(func.sum(worst.c.right), 0),
            func.count(worst.c.right),
        )
        .select_from(DecisionRow)
        .outerjoin(ArticleRow, ArticleRow.id == DecisionRow.article_id)
        .outerjoin(worst, worst.c.decision_id == DecisionRow.id)
        .where(DecisionRow.band == Band.ANSWER, *span)
        .group_by(ArticleRow.category)
    )
    rows = [(name or "", n, int(r), g) for name, n, r, g in await tx.db.execute(query)]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def _conditions(wanted: LogFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.band:
        conditions.append(DecisionRow.band == wanted.band)
    if wanted.article_id:
        conditions.append(DecisionRow.article_id == wanted.article_id)
    if wanted.text:
        conditions.append(DecisionRow.question.icontains(wanted.text, autoescape=True))
    if wanted.since:
        conditions.append(DecisionRow.created_at >= wanted.since)
    if wanted.until:
        conditions.append(DecisionRow.created_at < wanted.until)
    judged = select(FeedbackRow.decision_id)
    if wanted.verdict == "none":
        conditions.append(DecisionRow.id.not_in(judged))
    elif wanted.verdict:
        conditions.append(DecisionRow.id.in_(judged.where(FeedbackRow.verdict == wanted.verdict)))
    return conditions


def _count_by(column: InstrumentedAttribute[str], *where: ColumnElement[bool]) -> Select[str, int]:
    return select(column, func.count()).where(*where).group_by(column)


def _share(right: int, given: int) -> ShareView:
    interval = wilson(right, given)
    return ShareView(
        right=right, given=given, value=interval.value, low=interval.low, high=interval.high
    )
