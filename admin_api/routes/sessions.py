"""Service sessions: lists, transcript, answering, and moving them between people."""

from __future__ import annotations

from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from admin_api.routes.conclusions import ConclusionBody
from core.attachments import queries as attachments
from core.attachments.content import clean_name
from core.content import Content, Media, Text, media_of, with_media
from core.conversations import queries as conversations
from core.db import Tx
from core.errors import Invalid
from core.permissions import Permission
from core.ratings import service as ratings
from core.reads import service as reads
from core.reads.service import ReadMarkView
from core.sessions import queries, service, talk
from core.sessions.conclusion import MAX_TAG
from core.sessions.queries import Filters, ListName
from core.sessions.queue import QueueBoard, queue_board
from core.sessions.talk import Posting
from core.statistics.waits import RecentWaits, recent_waits
from core.views import MessageView, NoteView, RatingView, SessionState, SessionView
from knowledge.chat_parts import chat_parts
from knowledge.feedback import cited
from knowledge.queries import live_articles
from knowledge.richtext import derived

SERVE = Permission.SESSION_SERVE


class SessionQuery(PageQuery):
    """view: queue in queue order, others newest first. mine: those that I am serving.

    since, until: when a person was first given the session.
    """

    view: ListName = "all"
    state: SessionState | None = None
    servicer_id: str | None = Field(None, max_length=32)
    account_id: str | None = Field(None, max_length=32)
    customer_id: str | None = Field(None, max_length=32)
    category_id: str | None = Field(None, max_length=32)
    team_id: str | None = Field(None, max_length=32)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    tag: str = Field("", max_length=MAX_TAG)
    q: str = Field("", max_length=64)

    def filters(self) -> Filters:
        return Filters(**self.model_dump(exclude={"view", "cursor", "limit"}))


class TranscriptQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    before_seq: int | None = Field(None, ge=0, le=2**63 - 1)
    limit: int = Field(50, ge=1, le=200)


class TranscriptView(BaseModel):
    """items ascend by seq and include earlier sessions. has_more: older ones exist."""

    model_config = ConfigDict(frozen=True)

    items: list[MessageView]
    has_more: bool


class SourceBody(Body):
    article_id: str = Field(max_length=32)


class MessageBody(Body):
    """client_id: the client's own id; posting it again returns the first result."""

    content: Content
    client_id: str = Field(min_length=1, max_length=64)
    source: SourceBody | None = None
    hold_if_closed: bool = False


class RecallBody(Body):
    message_id: str = Field(max_length=32)


class NoteBody(Body):
    text: str = Field(min_length=1, max_length=4000)


class TransferBody(Body):
    """To a servicer, or (neither given) back to the queue; team_id: that team's."""

    servicer_id: str | None = Field(None, max_length=32)
    team_id: str | None = Field(None, max_length=32)
    note: str = Field("", max_length=1000)

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.servicer_id is not None and self.team_id is not None:
            raise ValueError("either a servicer or a team")
        return self


class CloseBody(ConclusionBody):
    reason: str = Field("resolved", min_length=1, max_length=32, pattern=r"^[a-z_]+$")


class ReadBody(Body):
    seq: int = Field(ge=0, le=2**63 - 1)


@endpoint("GET", "/sessions", access=SERVE, tag="sessions")
async def list_sessions(call: Call, tx: Tx, query: SessionQuery) -> Listing[SessionView]:
    """Sessions: the queue, mine, all open ones, or all."""
    page = await queries.list_sessions(
        tx,
        by=call.actor,
        view=query.view,
        filters=query.filters(),
        cursor=query.cursor,
        limit=query.limit,
    )
    return listing(page)


@endpoint("GET", "/queue", access=SERVE, tag="sessions")
async def get_queue(call: Call, tx: Tx) -> QueueBoard:
    """The queue with positions and expected waiting times."""
    del call
    return await queue_board(tx)


@endpoint("GET", "/queue/waits", access=SERVE, tag="sessions")
async def get_waits(call: Call, tx: Tx) -> RecentWaits:
    """What those who waited were told, against how long it took: today and in seven days."""
    del call
    return await recent_waits(tx)


@endpoint("GET", "/sessions/{session_id}", access=SERVE, tag="sessions")
async def get_session(call: Call, tx: Tx, session_id: str) -> SessionView:
    """One session."""
    del call
    return await queries.session_view(tx, session_id)


@endpoint("GET", "/sessions/{session_id}/messages", access=SERVE, tag="sessions")
async def list_messages(
    call: Call, tx: Tx, session_id: str, query: TranscriptQuery
) -> TranscriptView:
    """The transcript of the whole conversation, backwards page by page."""
    del call
    session = await queries.session_view(tx, session_id)
    items, has_more = await conversations.transcript(
        tx, session.conversation_id, before_seq=query.before_seq, limit=query.limit
    )
    return TranscriptView(items=items, has_more=has_more)


@endpoint("POST", "/sessions/{session_id}/messages", access=SERVE, tag="sessions", status=201)
async def post_message(
    call: Call, tx: Tx, session_id: str, body: MessageBody
) -> list[MessageView]:
    """Answer the customer; a long text becomes several messages.

    An article's answer as it stands is sent with the article's pictures in their places.
    """
    posting = Posting(
        contents=await _with_attachments(tx, await _checked(tx, body.content), body.source),
        client_id=body.client_id,
        source={"article_id": body.source.article_id} if body.source else {},
        hold_if_closed=body.hold_if_closed,
    )
    posted = await talk.post(tx, session_id, posting, by=call.actor)
    if body.source:
        await cited(tx, session_id, body.source.article_id, by=call.actor.key)
    return posted


@endpoint("POST", "/sessions/{session_id}/recall", access=SERVE, tag="sessions")
async def recall_message(call: Call, tx: Tx, session_id: str, body: RecallBody) -> MessageView:
    """Withdraw one of my messages."""
    session = await queries.session_view(tx, session_id)
    message = await conversations.get_message(tx, body.message_id)
    if message.conversation_id != session.conversation_id:
        raise Invalid("message_not_here", field="message_id")
    return await talk.recall(tx, body.message_id, by=call.actor)


@endpoint("GET", "/sessions/{session_id}/notes", access=SERVE, tag="sessions")
async def list_notes(call: Call, tx: Tx, session_id: str) -> Listing[NoteView]:
    """Internal notes of the conversation."""
    del call
    session = await queries.session_view(tx, session_id)
    return Listing(items=await conversations.notes(tx, session.conversation_id))


@endpoint("GET", "/sessions/{session_id}/rating", access=SERVE, tag="sessions")
async def get_session_rating(call: Call, tx: Tx, session_id: str) -> RatingView:
    """The customer's rating with its reasons and comment; 404 until one is asked for."""
    del call
    return await ratings.of_session(tx, session_id)


@endpoint("POST", "/sessions/{session_id}/notes", access=SERVE, tag="sessions", status=201)
async def add_note(call: Call, tx: Tx, session_id: str, body: NoteBody) -> NoteView:
    """Leave a note among colleagues; customers never see it."""
    return await talk.write_note(tx, session_id, body.text, by=call.actor)


@endpoint("POST", "/sessions/{session_id}/claim", access=SERVE, tag="sessions")
async def claim_session(call: Call, tx: Tx, session_id: str) -> SessionView:
    """Take a session out of the queue."""
    return await service.claim(tx, session_id, by=call.actor)


@endpoint("POST", "/sessions/{session_id}/transfer", access=SERVE, tag="sessions")
async def transfer_session(call: Call, tx: Tx, session_id: str, body: TransferBody) -> SessionView:
    """Hand it to a colleague, to a team, or back to the queue."""
    return await service.transfer(
        tx,
        session_id,
        by=call.actor,
        to_servicer=body.servicer_id,
        to_team=body.team_id,
        note=body.note,
    )


@endpoint("POST", "/sessions/{session_id}/close", access=SERVE, tag="sessions")
async def close_session(call: Call, tx: Tx, session_id: str, body: CloseBody) -> SessionView:
    """End it, with what it was about; the customer is asked for a rating."""
    return await service.close(
        tx, session_id, reason=body.reason, by=call.actor, conclusion=body.conclusion()
    )


@endpoint(
    "POST",
    "/sessions/{session_id}/takeover",
    access=Permission.SESSION_SUPERVISE,
    tag="sessions",
)
async def take_over_session(call: Call, tx: Tx, session_id: str) -> SessionView:
    """Step in for a colleague, or for the bot."""
    return await service.take_over(tx, session_id, by=call.actor)


@endpoint("POST", "/sessions/{session_id}/read", access=SERVE, tag="sessions")
async def mark_read(call: Call, tx: Tx, session_id: str, body: ReadBody) -> ReadMarkView:
    """Say how far I have read; the same on all my devices."""
    session = await queries.session_view(tx, session_id)
    return await reads.mark(
        tx,
        user_id=call.actor.person,
        conversation_id=session.conversation_id,
        seq=body.seq,
    )


@endpoint("GET", "/read-marks", access=SERVE, tag="sessions")
async def list_read_marks(call: Call, tx: Tx) -> Listing[ReadMarkView]:
    """How far I have read each conversation."""
    return Listing(items=await reads.marks(tx, user_id=call.actor.person))


_MAX_TEXT = 20_000


async def _with_attachments(tx: Tx, content: Content, source: SourceBody | None) -> list[Content]:
    if source is None or not isinstance(content, Text):
        return [content]
    for article in await live_articles(tx, [source.article_id]):
        if content.text == article.answer:
            return [*chat_parts(article.answer, derived(article.answer_html).attachments)]
    return [content]


async def _checked(tx: Tx, content: Content) -> Content:
    """What the desk may send: text, or a stored file as the store describes it."""
    if isinstance(content, Text):
        if not content.text.strip() or len(content.text) > _MAX_TEXT:
            raise Invalid("invalid_text", field="content.text", most=_MAX_TEXT)
        return content
    media = media_of(content)
    if media is None or media.attachment_id is None:
        raise Invalid("unsendable_content", field="content")
    file = await attachments.get(tx, media.attachment_id)
    if content.type not in (file.kind, "file"):
        raise Invalid("unsendable_content", field="content.type", kind=file.kind)
    name = clean_name(media.name or file.name)
    return with_media(
        content, Media(attachment_id=file.id, name=name, mime=file.mime, size=file.size)
    )
