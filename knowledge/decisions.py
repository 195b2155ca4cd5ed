"""What the bot decided on a question: shown to the customer, recorded with its provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, insert, select, update

from core.db import Tx
from core.errors import NotFound
from core.events import QuestionDecided
from core.ids import new_id
from core.statements import Statement
from knowledge import surges
from knowledge.chat_parts import Attachments
from knowledge.gates import Gate
from knowledge.models import ArticleRow
from knowledge.records import DecisionRow, FeedbackRow
from knowledge.retriever import Band
from knowledge.views import CandidateView, DecisionView

_TABLE = cast("Table", DecisionRow.__table__)
_INSERT = Statement(insert(_TABLE).inline(), columns=_TABLE.columns.keys())
_ARTICLES = cast("Table", ArticleRow.__table__)
_COUNT = Statement(
    update(_ARTICLES)
    .where(_ARTICLES.c.id == bindparam("an_article"))
    .values(
        hits=_ARTICLES.c.hits + bindparam("more_hits"),
        helpful=_ARTICLES.c.helpful + bindparam("more_helpful"),
        unhelpful=_ARTICLES.c.unhelpful + bindparam("more_unhelpful"),
    )
)

#: Lines of a "did you mean" menu.
MENU_SIZE = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """A live article that was considered, with what a chat shows of it.

    text: plain text of the answer. attachments: what is marked in it.
    number: the revision. score: log-odds, comparable within one decision only.
    """

    article_id: str
    external_id: str
    title: str
    text: str
    attachments: Attachments
    number: int
    score: float
    features: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FaqDecision:
    """band: answer with `answer`, offer `menu`, hand off, or follow `gate`.

    why: gate, confident, close, unsure, nothing_found or model_late.
    confidence: calibrated probability that the first offer is right. offers: best first.
    model: the encoder. audience: whose articles were asked, empty for the public.
    """

    question: str
    cleaned: str
    band: Band
    why: str
    confidence: float
    threshold: float
    gate: Gate | None
    offers: tuple[Offer, ...]
    model: str
    calibration_id: str | None
    audience: str
    elapsed_ms: float

    @property
    def answer(self) -> Offer | None:
        """The article to answer with; None unless the band is ANSWER."""
        return self.offers[0] if self.band is Band.ANSWER else None

    @property
    def menu(self) -> tuple[Offer, ...]:
        """The lines of the menu; empty unless the band is MENU."""
        return self.offers[:MENU_SIZE] if self.band is Band.MENU else ()


async def record(
    tx: Tx,
    decision: FaqDecision,
    *,
    session_id: str | None = None,
    message_ids: Sequence[str] = (),
) -> str:
    """Keep a decision with all that is needed to replay it, and count the hit. Returns its id."""
    row = _values(decision, session_id, message_ids, tx.now)
    decision_id = str(row["id"])
    article_id = decision.answer.article_id if decision.answer else None
    if session_id is not None and decision.band is not Band.GATE:
        await surges.notice(tx, session_id, decision.question, decision.cleaned, article_id)
    await tx.run(_INSERT, row)
    if article_id is not None:
        await count(tx, article_id, hits=1)
    tx.emit(
        QuestionDecided(
            decision_id=decision_id,
            session_id=session_id,
            band=decision.band,
            article_id=article_id,
            confidence=decision.confidence,
        )
    )
    return decision_id


def preview(decision: FaqDecision, *, at: datetime) -> DecisionView:
    """A decision as the log would show it, without recording it; its id is empty."""
    row = DecisionRow(**_values(decision, None, (), at))
    return decision_view(row).model_copy(update={"id": ""})


def _values(
    decision: FaqDecision, session_id: str | None, message_ids: Sequence[str], at: datetime
) -> dict[str, object]:
    answer = decision.answer
    return {
        "id": new_id(),
        "session_id": session_id,
        "message_ids": list(message_ids),
        "question": decision.question,
        "cleaned": decision.cleaned,
        "audience": decision.audience,
        "band": decision.band,
        "why": decision.why,
        "gate": decision.gate.name if decision.gate else "",
        "confidence": decision.confidence,
        "threshold": decision.threshold,
        "article_id": answer.article_id if answer else None,
        "article_number": answer.number if answer else None,
        "candidates": [_candidate(offer) for offer in decision.offers],
        "model": decision.model,
        "calibration_id": decision.calibration_id,
        "elapsed_ms": decision.elapsed_ms,
        "created_at": at,
    }


async def count(
    tx: Tx, article_id: str, *, hits: int = 0, helpful: int = 0, unhelpful: int = 0
) -> None:
    """Add to an article's counters; its version stays."""
    added = {"hits": hits, "helpful": helpful, "unhelpful": unhelpful}
    await tx.run(_COUNT, {"an_article": article_id} | {f"more_{k}": v for k, v in added.items()})


async def get_decision(tx: Tx, decision_id: str) -> DecisionView:
    """Raises: NotFound."""
    row = await tx.db.get(DecisionRow, decision_id)
    if row is None:
        raise NotFound("decision_not_found", decision_id=decision_id)
    return (await decision_views(tx, [row]))[0]


async def decisions_of_session(tx: Tx, session_id: str) -> list[DecisionView]:
    """What the bot tried in a session, in its order."""
    rows = await tx.db.scalars(
        select(DecisionRow)
        .where(DecisionRow.session_id == session_id)
        .order_by(DecisionRow.created_at, DecisionRow.id)
    )
    return await decision_views(tx, list(rows))


async def decision_views(tx: Tx, rows: Sequence[DecisionRow]) -> list[DecisionView]:
    found = await tx.db.execute(
        select(FeedbackRow.decision_id, FeedbackRow.verdict)
        .where(FeedbackRow.decision_id.in_([row.id for row in rows]))
        .order_by(FeedbackRow.created_at)
    )
    verdicts = dict(found.all())
    return [decision_view(row, verdicts.get(row.id, "")) for row in rows]


def decision_view(row: DecisionRow, verdict: str = "") -> DecisionView:
    return DecisionView(
        id=row.id,
        session_id=row.session_id,
        message_ids=tuple(row.message_ids),
        question=row.question,
        cleaned=row.cleaned,
        audience=row.audience,
        band=row.band,
        why=row.why,
        gate=row.gate,
        confidence=row.confidence,
        threshold=row.threshold,
        article_id=row.article_id,
        article_number=row.article_number,
        candidates=tuple(CandidateView.model_validate(item) for item in row.candidates),
        model=row.model,
        calibration_id=row.calibration_id,
        elapsed_ms=row.elapsed_ms,
        verdict=verdict,
        created_at=row.created_at,
    )


def _candidate(offer: Offer) -> dict[str, object]:
    return {
        "article_id": offer.article_id,
        "external_id": offer.external_id,
        "title": offer.title,
        "score": round(offer.score, 4),
        "number": offer.number,
        "features": offer.features,
    }
