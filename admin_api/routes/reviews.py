"""Quality reviews: score cards, samples, scores, objections."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from core.db import Tx
from core.permissions import Permission
from core.reviews import service
from core.reviews.service import (
    ReviewView,
    SampleView,
    ScoreCardView,
    ScoreItem,
    SubjectKind,
)

WRITE, SERVE = Permission.REVIEW_WRITE, Permission.SESSION_SERVE
Id = Annotated[str, Field(min_length=1, max_length=32)]


class ScoreCardBody(Body):
    """items: their weights are 100 together."""

    name: str = Field(min_length=1, max_length=64)
    items: list[ScoreItem] = Field(min_length=1, max_length=50)


class ReviewBody(Body):
    """scores: item key → 0…best."""

    subject_kind: SubjectKind
    subject_id: Id
    card_id: Id
    scores: dict[str, Annotated[int, Field(ge=0, le=100)]] = Field(max_length=50)
    comment: str = Field("", max_length=2000)


class ReviewQuery(PageQuery):
    servicer_id: Id | None = None


class SampleQuery(BaseModel):
    kind: SubjectKind
    since: AwareDatetime
    size: int = Field(10, ge=1, le=200)


class ObjectionBody(Body):
    text: str = Field(min_length=1, max_length=2000)


@endpoint("GET", "/score-cards", access=SERVE, tag="reviews")
async def list_score_cards(call: Call, tx: Tx) -> Listing[ScoreCardView]:
    """Score cards, active ones first."""
    del call
    return Listing(items=await service.cards(tx))


@endpoint("POST", "/score-cards", access=WRITE, tag="reviews", status=201)
async def create_score_card(call: Call, tx: Tx, body: ScoreCardBody) -> ScoreCardView:
    """Make a score card."""
    return await service.create_card(tx, body.name, body.items, by=call.actor)


@endpoint("POST", "/score-cards/{card_id}/retire", access=WRITE, tag="reviews")
async def retire_score_card(call: Call, tx: Tx, card_id: str) -> ScoreCardView:
    """Not for new reviews any more."""
    return await service.retire_card(tx, card_id, by=call.actor)


@endpoint("GET", "/review-samples", access=WRITE, tag="reviews")
async def draw_sample(call: Call, tx: Tx, query: SampleQuery) -> Listing[SampleView]:
    """A random sample of finished work without a review."""
    found = await service.sample(tx, query.kind, since=query.since, size=query.size, by=call.actor)
    return Listing(items=found)


@endpoint("GET", "/reviews", access=SERVE, tag="reviews")
async def list_reviews(call: Call, tx: Tx, query: ReviewQuery) -> Listing[ReviewView]:
    """Reviews, newest first; servicers see their own."""
    page = await service.list_reviews(
        tx,
        by=call.actor,
        servicer_id=query.servicer_id,
        cursor=query.cursor,
        limit=query.limit,
    )
    return listing(page)


@endpoint("POST", "/reviews", access=WRITE, tag="reviews", status=201)
async def give_review(call: Call, tx: Tx, body: ReviewBody) -> ReviewView:
    """Score a ticket or session; again by the same reviewer corrects it."""
    return await service.review(
        tx,
        (body.subject_kind, body.subject_id),
        body.card_id,
        body.scores,
        by=call.actor,
        comment=body.comment,
    )


@endpoint("POST", "/reviews/{review_id}/appeal", access=SERVE, tag="reviews")
async def appeal_review(call: Call, tx: Tx, review_id: str, body: ObjectionBody) -> ReviewView:
    """The scored servicer objects, once."""
    return await service.appeal(tx, review_id, body.text, by=call.actor)


@endpoint("POST", "/reviews/{review_id}/appeal-answer", access=WRITE, tag="reviews")
async def answer_appeal(call: Call, tx: Tx, review_id: str, body: ObjectionBody) -> ReviewView:
    """Answer an objection."""
    return await service.answer_appeal(tx, review_id, body.text, by=call.actor)
