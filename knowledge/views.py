"""What leaves the knowledge base: frozen views for the API, the bot and the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from core.views import View
from knowledge.content import ArticleContent, ArticleState

RevisionState = Literal["draft", "review", "published", "rejected"]


class RevisionView(View):
    """One state of an article's content, and who made and judged it."""

    number: int
    state: RevisionState
    content: ArticleContent
    author_id: str
    author_name: str = ""
    reviewer_id: str | None = None
    reviewer_name: str = ""
    note: str = ""
    created_at: datetime
    updated_at: datetime
    decided_at: datetime | None = None


class ArticleView(View):
    """An article as customers see it, or its first draft.

    is_live: retrieval answers with it now. open: the revision that is being worked on.
    """

    id: str
    external_id: str
    question: str
    answer: str
    answer_html: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    similar: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    source: str = ""
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    state: ArticleState
    is_live: bool = False
    owner_id: str | None = None
    live_number: int | None = None
    open: RevisionView | None = None
    open_number: int | None = None
    hits: int = 0
    helpful: int = 0
    unhelpful: int = 0
    absorbed: int = 0
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None = None
    version: int


class CandidateView(View):
    """An article that was considered. score: log-odds, comparable within one decision only."""

    article_id: str
    external_id: str = ""
    title: str
    score: float
    number: int | None = None
    features: dict[str, float] = Field(default_factory=dict)


class DecisionView(View):
    """What the bot decided on a question, and why."""

    id: str
    session_id: str | None
    message_ids: tuple[str, ...] = ()
    question: str
    cleaned: str = ""
    audience: str = ""
    band: str
    why: str
    gate: str = ""
    confidence: float
    threshold: float
    article_id: str | None
    article_number: int | None = None
    candidates: tuple[CandidateView, ...] = ()
    model: str = ""
    calibration_id: str | None = None
    elapsed_ms: float = 0.0
    verdict: str = ""
    created_at: datetime


class FoundArticle(View):
    """A search result. score: 0…1, comparable within one result list only."""

    article: ArticleView
    score: float
