"""Help beside a session: a drafted reply with sources; sessions and tickets as article drafts."""

from __future__ import annotations

from pydantic import Field

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from admin_api.routes.articles import last_question
from admin_api.routes.knowledge import answerer
from core.content import Text
from core.conversations.queries import transcript
from core.db import Tx
from core.errors import Conflict
from core.permissions import Permission
from core.sessions.queries import session_view
from core.tickets import queries as tickets
from core.views import MessageView, Party, Sender, TicketEntryView
from knowledge import service
from knowledge.content import ArticleContent
from knowledge.drafting import DraftReply, draft_reply
from knowledge.transcripts import Line, content_of_session, content_of_ticket
from knowledge.views import ArticleView

_LINES = 200


class NothingToDraft(Conflict):
    code = "nothing_to_draft"


class DraftReplyBody(Body):
    """question: instead of what the customer asked last."""

    question: str = Field("", max_length=1000)


@endpoint(
    "POST", "/sessions/{session_id}/draft-reply", access=Permission.SESSION_SERVE, tag="sessions"
)
async def help_with_reply(call: Call, session_id: str, body: DraftReplyBody) -> DraftReply:
    """A reply from the nearest articles, with sources; it is the servicer who sends it."""
    question = body.question
    if not question:
        async with call.services.uow.read() as tx:
            session = await session_view(tx, session_id)
            lines, _ = await transcript(tx, session.conversation_id, limit=20)
        question = last_question(lines)
    if not question:
        return DraftReply(text="", sources=(), how="extracted")
    return await draft_reply(answerer(call), question, writer=call.services.writer)


@endpoint(
    "POST",
    "/sessions/{session_id}/article-draft",
    access=Permission.ARTICLE_EDIT,
    tag="sessions",
    status=201,
)
async def draft_from_session(call: Call, tx: Tx, session_id: str) -> ArticleView:
    """The session as an article, personal data removed, handed to review."""
    session = await session_view(tx, session_id)
    lines, _ = await transcript(tx, session.conversation_id, limit=_LINES)
    own = [line for line in lines if line.session_id == session_id]
    names = {session.customer_name, session.servicer_name, *(line.servicer_name for line in own)}
    content = content_of_session([*map(_line, own)], names=sorted(names))
    if content is None:
        raise NothingToDraft(session_id=session_id)
    return await _handed_in(call, tx, content, source=f"session:{session_id}")


@endpoint(
    "POST",
    "/tickets/{ticket_id}/article-draft",
    access=Permission.ARTICLE_EDIT,
    tag="tickets",
    status=201,
)
async def draft_from_ticket(call: Call, tx: Tx, ticket_id: str) -> ArticleView:
    """What solved the ticket as an article, personal data removed, handed to review.

    Notes among colleagues stay out.
    """
    ticket = await tickets.get(tx, ticket_id, by=call.actor)
    page = await tickets.entries(tx, ticket_id, by=call.actor, limit=_LINES)
    public = [entry for entry in page.items if entry.is_public]
    names = {ticket.customer_name, ticket.servicer_name, *(one.author_name for one in public)}
    content = content_of_ticket(ticket.title, [*map(_entry, public)], names=sorted(names))
    if content is None:
        raise NothingToDraft(ticket_id=ticket_id)
    return await _handed_in(call, tx, content, source=f"ticket:{ticket.number}")


async def _handed_in(call: Call, tx: Tx, content: ArticleContent, *, source: str) -> ArticleView:
    content = content.model_copy(update={"source": source})
    made = await service.create(tx, content, by=call.actor)
    return await service.submit(tx, made.id, version=made.version, by=call.actor)


def _entry(view: TicketEntryView) -> Line:
    """How it was created is the customer's word, whoever wrote it down."""
    asked = view.party is Party.CUSTOMER or view.kind == "created"
    wrote = view.kind in {"reply", "moved"} and view.party is not Party.SYSTEM
    return Line("customer" if asked else "servicer" if wrote else "bot", view.text)


def _line(view: MessageView) -> Line:
    sender = {Sender.CUSTOMER: "customer", Sender.SERVICER: "servicer"}.get(view.sender, "bot")
    text = view.content.text if isinstance(view.content, Text) and not view.recalled_at else ""
    return Line(sender, text)  # type: ignore[arg-type]  # the three words of the table above
