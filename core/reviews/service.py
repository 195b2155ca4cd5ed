"""Quality reviews: score cards, scoring tickets and sessions, objections, samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field
from sqlalchemy import func, select

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.ids import new_id
from core.paging import Page, decode_cursor, page_of
from core.permissions import Permission
from core.reviews.models import ReviewRow, ScoreCardRow
from core.sessions.models import SessionRow
from core.tickets.models import TicketRow
from core.views import View

SubjectKind = Literal["ticket", "session"]
MAX_SAMPLE = 200


class ScoreItem(View):
    """weight: share of the total, all together 100. is_critical: zero there fails the whole."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    title: str = Field(min_length=1, max_length=64)
    weight: int = Field(ge=1, le=100)
    best: int = Field(5, ge=1, le=100)
    is_critical: bool = False


class ScoreCardView(View):
    id: str
    name: str
    items: tuple[ScoreItem, ...]
    is_active: bool
    version: int


class ReviewView(View):
    """total: 0…100; 0 when a critical item failed."""

    id: str
    subject_kind: SubjectKind
    subject_id: str
    servicer_id: str
    card_id: str
    scores: dict[str, int]
    total: float
    is_failed: bool
    comment: str
    reviewer_id: str
    reviewer_name: str
    reviewed_at: datetime
    appeal: str
    appeal_answer: str
    version: int


class SampleView(View):
    """Something that is finished and was not reviewed yet."""

    subject_kind: SubjectKind
    subject_id: str
    servicer_id: str
    title: str
    finished_at: datetime


def total_of(items: Sequence[ScoreItem], scores: Mapping[str, int]) -> tuple[float, bool]:
    """(total 0…100, failed). Raises: Invalid when a score is missing, unknown or out of range."""
    keys = {item.key for item in items}
    errors = [(f"scores.{key}", "unknown") for key in scores if key not in keys]
    errors += [(f"scores.{item.key}", "required") for item in items if item.key not in scores]
    errors += [
        (f"scores.{item.key}", "out_of_range")
        for item in items
        if not 0 <= scores.get(item.key, 0) <= item.best
    ]
    if errors:
        raise Invalid("invalid_scores", errors=errors)
    if any(item.is_critical and scores[item.key] == 0 for item in items):
        return 0.0, True
    return round(sum(item.weight * scores[item.key] / item.best for item in items), 2), False


async def create_card(
    tx: Tx, name: str, items: Sequence[ScoreItem], *, by: Actor
) -> ScoreCardView:
    """Raises: Forbidden; Invalid when the weights are not 100 together."""
    by.require(Permission.REVIEW_WRITE)
    if not name.strip():
        raise Invalid("required", field="name")
    if sum(item.weight for item in items) != 100:
        raise Invalid("weights_not_100", field="items")
    if len({item.key for item in items}) != len(items):
        raise Invalid("duplicate", field="items")
    stored = [item.model_dump(mode="json") for item in items]
    row = ScoreCardRow(
        id=new_id(), name=name.strip(), items=stored, is_active=True, created_at=tx.now, version=1
    )
    tx.db.add(row)
    await audit.append(tx, by=by, action="score_card.created", target=row.id)
    return _card_view(row)


async def retire_card(tx: Tx, card_id: str, *, by: Actor) -> ScoreCardView:
    """Not for new reviews any more."""
    by.require(Permission.REVIEW_WRITE)
    row = await _card(tx, card_id)
    row.is_active = False
    row.version += 1
    await audit.append(tx, by=by, action="score_card.retired", target=row.id)
    return _card_view(row)


async def cards(tx: Tx) -> tuple[ScoreCardView, ...]:
    """Active ones first, by name."""
    order = (ScoreCardRow.is_active.desc(), ScoreCardRow.name)
    return tuple(
        _card_view(row) for row in await tx.db.scalars(select(ScoreCardRow).order_by(*order))
    )


async def review(
    tx: Tx,
    subject: tuple[SubjectKind, str],
    card_id: str,
    scores: Mapping[str, int],
    *,
    by: Actor,
    comment: str = "",
) -> ReviewView:
    """Score a ticket or session; a second time by the same reviewer corrects the first.

    Raises: Forbidden, also for one's own work; NotFound; Invalid; Conflict for a retired card.
    """
    by.require(Permission.REVIEW_WRITE)
    card = await _card(tx, card_id)
    servicer_id = await _servicer_of(tx, subject)
    if servicer_id == by.servicer_id:
        raise Forbidden("own_work")
    items = _card_view(card).items
    total, is_failed = total_of(items, scores)
    row = await _existing(tx, subject)
    if row is None:
        if not card.is_active:
            raise Conflict("card_retired")
        row = ReviewRow(id=new_id(), subject_kind=subject[0], subject_id=subject[1], version=0)
        row.appeal = row.appeal_answer = ""
        tx.db.add(row)
    elif row.reviewer_id != by.key:
        raise Conflict("already_reviewed", reviewer=row.reviewer_name)
    row.servicer_id, row.card_id, row.scores = servicer_id, card_id, dict(scores)
    row.total, row.is_failed, row.comment = total, is_failed, comment.strip()
    row.reviewer_id, row.reviewer_name, row.reviewed_at = by.key, by.name, tx.now
    row.version += 1
    await tx.db.flush()
    facts = {"subject": subject[1], "total": total}
    await audit.append(tx, by=by, action="review.given", target=row.id, facts=facts)
    return _view(row)


async def appeal(tx: Tx, review_id: str, text: str, *, by: Actor) -> ReviewView:
    """The scored servicer objects, once. Raises: Forbidden for others; Conflict; Invalid."""
    row = await _review(tx, review_id)
    if row.servicer_id != by.servicer_id:
        raise Forbidden(reason="not_yours")
    if row.appeal:
        raise Conflict("already_appealed")
    if not text.strip():
        raise Invalid("required", field="text")
    row.appeal = text.strip()
    row.version += 1
    return _view(row)


async def answer_appeal(tx: Tx, review_id: str, text: str, *, by: Actor) -> ReviewView:
    """Raises: Forbidden; Conflict when there is no objection, or it was answered."""
    by.require(Permission.REVIEW_WRITE)
    row = await _review(tx, review_id)
    if not row.appeal or row.appeal_answer:
        raise Conflict("no_open_appeal")
    row.appeal_answer = text.strip() or "—"
    row.version += 1
    return _view(row)


async def list_reviews(
    tx: Tx,
    *,
    by: Actor,
    servicer_id: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[ReviewView]:
    """Newest first. Without the permission to review, only what was said about oneself."""
    if not by.may(Permission.REVIEW_WRITE):
        servicer_id = by.servicer_id or ""
    query = select(ReviewRow)
    if servicer_id is not None:
        query = query.where(ReviewRow.servicer_id == servicer_id)
    if cursor:
        query = query.where(ReviewRow.id < decode_cursor(cursor, str)[0])
    rows = (await tx.db.scalars(query.order_by(ReviewRow.id.desc()).limit(limit + 1))).all()
    return page_of([_view(row) for row in rows], limit, lambda view: (view.id,))


async def sample(
    tx: Tx, kind: SubjectKind, *, since: datetime, size: int, by: Actor
) -> tuple[SampleView, ...]:
    """A random sample of finished work without a review."""
    by.require(Permission.REVIEW_WRITE)
    size = max(1, min(size, MAX_SAMPLE))
    done = select(ReviewRow.subject_id).where(ReviewRow.subject_kind == kind)
    if kind == "ticket":
        query = select(
            TicketRow.id, TicketRow.servicer_id, TicketRow.title, TicketRow.resolved_at
        ).where(
            TicketRow.resolved_at >= since,
            TicketRow.servicer_id.is_not(None),
            TicketRow.id.not_in(done),
        )
    else:
        query = select(
            SessionRow.id, SessionRow.servicer_id, SessionRow.topic, SessionRow.closed_at
        ).where(
            SessionRow.closed_at >= since,
            SessionRow.servicer_id.is_not(None),
            SessionRow.id.not_in(done),
        )
    found = await tx.db.execute(query.order_by(func.random()).limit(size))
    return tuple(
        SampleView(subject_kind=kind, subject_id=key, servicer_id=who, title=title, finished_at=at)
        for key, who, title, at in found
    )


async def _servicer_of(tx: Tx, subject: tuple[SubjectKind, str]) -> str:
    kind, key = subject
    row: TicketRow | SessionRow | None
    if kind == "ticket":
        row = await tx.db.get(TicketRow, key)
    else:
        row = await tx.db.get(SessionRow, key)
    if row is None:
        raise NotFound(noun=kind, id=key)
    servicer_id = row.servicer_id
    if servicer_id is None:
        raise Conflict("nobody_to_review")
    return servicer_id


async def _existing(tx: Tx, subject: tuple[SubjectKind, str]) -> ReviewRow | None:
    query = select(ReviewRow).where(
        ReviewRow.subject_kind == subject[0], ReviewRow.subject_id == subject[1]
    )
    return (await tx.db.scalars(query.with_for_update())).first()


async def _review(tx: Tx, review_id: str) -> ReviewRow:
    row = await tx.db.get(ReviewRow, review_id, with_for_update=True)
    if row is None:
        raise NotFound(noun="review", id=review_id)
    return row


async def _card(tx: Tx, card_id: str) -> ScoreCardRow:
    row = await tx.db.get(ScoreCardRow, card_id)
    if row is None:
        raise NotFound(noun="score_card", id=card_id)
    return row


def _card_view(row: ScoreCardRow) -> ScoreCardView:
    return ScoreCardView.model_validate(
        {name: getattr(row, name) for name in ScoreCardView.model_fields}
    )


def _view(row: ReviewRow) -> ReviewView:
    return ReviewView.model_validate(
        {name: getattr(row, name) for name in ReviewView.model_fields}
    )
