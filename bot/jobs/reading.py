"""Screenshots that customers send: read, kept with the message, answered like a question."""

from __future__ import annotations

from dataclasses import dataclass

from bot.answering import ask_for_words, reply
from bot.burst import wait_for_more
from bot.context import Tools, audience_of
from bot.pictures.question import question_in, reading_of
from bot.turn import Turn
from core.content import Image
from core.conversations.media import keep_media
from core.conversations.queries import get_message, message_view, since_last_words
from core.customers.queries import institution_kind
from core.errors import Invalid, NotFound
from core.ports import Files
from core.settings.sections import Bot
from core.timers import service as timers
from core.timers.service import Timer
from core.views import MessageView, Sender
from knowledge.decisions import FaqDecision
from knowledge.gates import GateKind


@dataclass(frozen=True, slots=True)
class _Picture:
    """A customer's picture that is to be read. audience: for whom an answer would be."""

    message: MessageView
    content: Image
    attachment_id: str
    audience: str


async def read_picture(tools: Tools, files: Files, timer: Timer) -> None:
    """Read the picture of message `timer.key`; answer it while the bot has the session."""
    picture = await _picture(tools, timer.key)
    if picture is None or tools.pictures is None:
        async with tools.uow.write() as tx:
            await timers.finish(tx, timer)
        return
    reading = await _reading(tools, files, picture.attachment_id)
    question = question_in(reading)
    has_bot = tools.settings.get(Bot).is_enabled
    decision = (
        await tools.answers.decide(question, audience=picture.audience)
        if question and has_bot
        else None
    )
    async with tools.uow.write() as tx:
        await timers.finish(tx, timer)
        if reading:
            content = picture.content.model_copy(update={"reading": reading})
            await keep_media(tx, timer.key, content)
        turn = await Turn.of_conversation(tx, picture.message.conversation_id)
        await _answer(turn, picture.message, decision)


async def _picture(tools: Tools, message_id: str) -> _Picture | None:
    """None when the message is not a customer's stored picture, or was recalled."""
    async with tools.uow.read() as tx:
        message = message_view(await get_message(tx, message_id))
        content = message.content
        if (
            not isinstance(content, Image)
            or content.media.attachment_id is None
            or message.sender is not Sender.CUSTOMER
            or message.recalled_at is not None
        ):
            return None
        turn = await Turn.of_conversation(tx, message.conversation_id)
        audience = audience_of(await institution_kind(tx, turn.thread.address))
    return _Picture(message, content, content.media.attachment_id, audience)


async def _reading(tools: Tools, files: Files, attachment_id: str) -> str:
    assert tools.pictures is not None  # noqa: S101 - the caller looked
    try:
        data = await files.read(attachment_id)
    except (NotFound, Invalid):
        return ""  # deleted meanwhile
    return reading_of(await tools.pictures.read(data))


async def _answer(turn: Turn, message: MessageView, decision: FaqDecision | None) -> None:
    """Words that the customer wrote meanwhile are the better question: they are answered."""
    state, _ = turn.form
    if not turn.is_bots or state:
        return
    if turn.thread.conversation.pending_lines:
        if decision is not None:
            await wait_for_more(turn, message.id)
        return
    since = await since_last_words(turn.tx, message.conversation_id)
    if message.id not in [one.id for one in since]:
        return
    if decision is None or _is_only_printed(decision):
        await ask_for_words(turn)
    else:
        await reply(turn, decision, [message.id])


def _is_only_printed(decision: FaqDecision) -> bool:
    """“转人工” or “您好” in a screenshot is a caption, and no wish of the customer's."""
    return decision.gate is not None and decision.gate.kind is not GateKind.REDLINE
