"""The knowledge base: articles, searching them, and what the bot tried."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import AwareDatetime, Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from core.content import Text
from core.conversations.queries import transcript
from core.db import Tx
from core.errors import Conflict, DomainError
from core.permissions import Permission
from core.sessions.queries import session_view
from core.settings.sections import Knowledge
from core.views import MessageView, Sender
from knowledge import decisions, feedback, queries, service
from knowledge.content import ArticleContent, ArticleState
from knowledge.gates import GateKind, Gates
from knowledge.queries import ArticleFilter
from knowledge.views import ArticleView, DecisionView, FoundArticle, RevisionView

SERVE = Permission.SESSION_SERVE
EDIT = Permission.ARTICLE_EDIT
_SUGGESTIONS = 5
_BURST = 5


class KnowledgeOff(DomainError):
    code = "knowledge_off"


class ArticleQuery(PageQuery):
    """category: with everything below it. in_review: only those that wait for a reviewer."""

    q: str = Field("", max_length=200)
    category: str = Field("", max_length=200)
    state: ArticleState | None = None
    in_review: bool = False


class ArticleFields(Body):
    """answer_html: rich text; then `answer` is derived from it. category: path with `/`."""

    question: str | None = Field(None, min_length=1, max_length=500)
    answer: str | None = Field(None, max_length=50_000)
    answer_html: str | None = Field(None, max_length=200_000)
    category: str | None = Field(None, max_length=200)
    tags: list[str] | None = Field(None, max_length=50)
    similar: list[str] | None = Field(None, max_length=500)
    audience: list[str] | None = Field(None, max_length=20)
    source: str | None = Field(None, max_length=500)
    effective_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None

    def content(self) -> dict[str, object]:
        """The content fields that were given; null counts for the dates only."""
        given = self.model_dump(include=set(ArticleContent.model_fields), exclude_unset=True)
        dates = ("effective_at", "expires_at")
        return {key: value for key, value in given.items() if value is not None or key in dates}


class ArticleCreateBody(ArticleFields):
    question: str = Field(min_length=1, max_length=500)
    external_id: str | None = Field(None, min_length=1, max_length=64)
    state: Literal["draft", "published"] = "draft"


class ArticleChangeBody(ArticleFields):
    """state: published publishes the draft, archived withdraws, draft restores."""

    state: ArticleState | None = None
    version: Version


class StepBody(Body):
    """note: why, for those who read the history."""

    note: str = Field("", max_length=1000)
    version: Version


class RollBackBody(Body):
    number: int = Field(ge=1, le=2**31 - 1)
    version: Version


class SearchBody(Body):
    text: str = Field(min_length=1, max_length=1000)
    limit: int = Field(5, ge=1, le=50)


class CorrectionBody(Body):
    """article_id null: none of the articles would have been right."""

    article_id: str | None = Field(None, max_length=32)


@endpoint("GET", "/articles", access=SERVE, tag="articles")
async def list_articles(call: Call, tx: Tx, query: ArticleQuery) -> Listing[ArticleView]:
    """Articles, the latest change first."""
    del call
    wanted = ArticleFilter(
        state=query.state, category=query.category, text=query.q, in_review=query.in_review
    )
    page = await queries.list_articles(tx, wanted, cursor=query.cursor, limit=query.limit)
    return listing(page)


@endpoint("POST", "/articles", access=EDIT, tag="articles", status=201)
async def create_article(call: Call, tx: Tx, body: ArticleCreateBody) -> ArticleView:
    """Write an article; published at once only with the permission to publish."""
    content = service.checked_content(body.content())
    made = await service.create(tx, content, by=call.actor, external_id=body.external_id)
    if body.state == "draft":
        return made
    return await service.publish(
        tx, made.id, version=made.version, by=call.actor, second_person=_second_person(call)
    )


@endpoint("GET", "/articles/{article_id}", access=SERVE, tag="articles")
async def get_article(call: Call, tx: Tx, article_id: str) -> ArticleView:
    """One article, with the revision that is being worked on."""
    del call
    return await queries.get_article(tx, article_id)


@endpoint("PATCH", "/articles/{article_id}", access=EDIT, tag="articles")
async def change_article(
    call: Call, tx: Tx, article_id: str, body: ArticleChangeBody
) -> ArticleView:
    """Change the draft, the state, or both."""
    view = await queries.get_article(tx, article_id)
    if view.version != body.version:
        raise Conflict(version=view.version)
    if content := body.content():
        view = await service.edit(tx, article_id, content, version=view.version, by=call.actor)
    if body.state is None:
        return view
    if body.state == ArticleState.ARCHIVED:
        return await service.archive(tx, article_id, version=view.version, by=call.actor)
    if view.state == ArticleState.ARCHIVED:
        view = await service.restore(tx, article_id, version=view.version, by=call.actor)
    if body.state == ArticleState.PUBLISHED and (view.open or view.live_number is None):
        view = await service.publish(
            tx,
            article_id,
            version=view.version,
            by=call.actor,
            second_person=_second_person(call),
        )
    return view


@endpoint("DELETE", "/articles/{article_id}", access=EDIT, tag="articles")
async def delete_article(call: Call, tx: Tx, article_id: str) -> None:
    """Remove a draft for good; what was ever published is archived."""
    await service.delete(tx, article_id, by=call.actor)


@endpoint("GET", "/articles/{article_id}/revisions", access=SERVE, tag="articles")
async def list_revisions(call: Call, tx: Tx, article_id: str) -> Listing[RevisionView]:
    """The article's history, newest first."""
    del call
    await queries.get_article(tx, article_id)
    return Listing(items=await queries.revisions(tx, article_id))


@endpoint("POST", "/articles/{article_id}/submit", access=EDIT, tag="articles")
async def submit_article(call: Call, tx: Tx, article_id: str, body: StepBody) -> ArticleView:
    """Hand the draft to review."""
    return await service.submit(tx, article_id, version=body.version, by=call.actor)


@endpoint(
    "POST", "/articles/{article_id}/approve", access=Permission.ARTICLE_PUBLISH, tag="articles"
)
async def approve_article(call: Call, tx: Tx, article_id: str, body: StepBody) -> ArticleView:
    """Publish what another person submitted."""
    return await service.publish(
        tx,
        article_id,
        version=body.version,
        by=call.actor,
        note=body.note,
        second_person=_second_person(call),
    )


@endpoint(
    "POST", "/articles/{article_id}/reject", access=Permission.ARTICLE_PUBLISH, tag="articles"
)
async def reject_article(call: Call, tx: Tx, article_id: str, body: StepBody) -> ArticleView:
    """Give the draft back to its author, with a reason."""
    return await service.reject(
        tx, article_id, note=body.note, version=body.version, by=call.actor
    )


@endpoint("POST", "/articles/{article_id}/discard", access=EDIT, tag="articles")
async def discard_draft(call: Call, tx: Tx, article_id: str, body: StepBody) -> ArticleView:
    """Drop the draft of a published article."""
    return await service.discard(tx, article_id, version=body.version, by=call.actor)


@endpoint(
    "POST", "/articles/{article_id}/roll-back", access=Permission.ARTICLE_PUBLISH, tag="articles"
)
async def roll_back_article(
    call: Call, tx: Tx, article_id: str, body: RollBackBody
) -> ArticleView:
    """Publish an earlier revision again."""
    return await service.roll_back(
        tx, article_id, body.number, version=body.version, by=call.actor
    )


@endpoint("POST", "/articles/search", access=SERVE, tag="articles")
async def search_articles(call: Call, body: SearchBody) -> Listing[FoundArticle]:
    """Search by meaning, as the bot does."""
    return Listing(items=await _search(call, body.text, body.limit))


@endpoint("GET", "/sessions/{session_id}/suggestions", access=SERVE, tag="sessions")
async def suggest_articles(call: Call, session_id: str) -> Listing[FoundArticle]:
    """Articles for what the customer asked last."""
    async with call.services.uow.read() as tx:
        session = await session_view(tx, session_id)
        lines, _ = await transcript(tx, session.conversation_id, limit=20)
    question = last_question(lines)
    return Listing(items=await _search(call, question, _SUGGESTIONS) if question else [])


@endpoint("GET", "/sessions/{session_id}/decisions", access=SERVE, tag="sessions")
async def list_decisions(call: Call, tx: Tx, session_id: str) -> Listing[DecisionView]:
    """What the bot tried in this session, and why."""
    del call
    await session_view(tx, session_id)
    return Listing(items=await decisions.decisions_of_session(tx, session_id))


@endpoint("POST", "/decisions/{decision_id}/correction", access=SERVE, tag="articles")
async def correct_decision(
    call: Call, tx: Tx, decision_id: str, body: CorrectionBody
) -> DecisionView:
    """Say which article the bot should have answered with."""
    await feedback.correct(tx, decision_id, body.article_id, by=call.actor)
    return await decisions.get_decision(tx, decision_id)


def _second_person(call: Call) -> bool:
    return call.services.settings.get(Knowledge).second_person


async def _search(call: Call, text: str, limit: int) -> list[FoundArticle]:
    if call.services.knowledge is None:
        raise KnowledgeOff
    return await call.services.knowledge.search(text, limit)


def last_question(lines: list[MessageView]) -> str:
    """The customer's latest question; short lines in a row belong together.

    Asking for a person is no question: what was asked before it counts.
    """
    words: list[str] = []
    for line in reversed(lines):
        if line.sender is Sender.CUSTOMER and isinstance(line.content, Text):
            if not _asks_for_people(line.content.text):
                words.append(line.content.text)
        elif words:
            break
        if len(words) == _BURST:
            break
    return "\n".join(reversed(words))


def _asks_for_people(line: str) -> bool:
    gate = _gates().check(line)
    return gate is not None and gate.kind is GateKind.HUMAN


@cache
def _gates() -> Gates:
    return Gates.shipped()
