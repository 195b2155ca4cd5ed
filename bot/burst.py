"""Several short lines are one question: they are joined, durably, before the bot answers.

A line that is a whole question is answered at once. Fragments wait in the conversation's
`pending_lines` until the customer has been quiet for a moment; a timer row ends the burst, so a
crash in between loses nothing.
"""

from __future__ import annotations

import re
from datetime import timedelta

from bot.answering import reply
from bot.context import Tools, audience_of
from bot.pictures.question import question_in
from bot.turn import Turn
from core.content import Content, Image, plain_text
from core.conversations.queries import contents_of
from core.customers.queries import institution_kind
from core.timers import service as timers
from core.timers.service import Timer

BURST_TIMER = "bot.burst"
#: Shorter lines than this are fragments, unless they are plainly questions.
WHOLE_FROM_CHARS = 9
_QUESTION = re.compile(
    r"[?？]|怎么|如何|为什么|为啥|咋|哪里|哪儿|什么|多少|能不能|可不可以|是不是|有没有|[吗呢]$"
)
_OPENING = re.compile(r"^(你好|您好|在吗|在么|hi|hello|请问|有人吗|老师|麻烦)")


def is_whole_question(line: str) -> bool:
    """Would a person begin to answer now, or wait for the next line?"""
    line = line.strip()
    if len(line) >= 2 * WHOLE_FROM_CHARS:
        return True
    long_enough = len(line) >= WHOLE_FROM_CHARS
    return long_enough and bool(_QUESTION.search(line)) and not _OPENING.fullmatch(line)


async def wait_for_more(turn: Turn, message_id: str) -> None:
    """Add a line to the running burst and (re)start the wait for its end."""
    conversation = turn.thread.conversation
    is_first = not conversation.pending_lines
    conversation.pending_lines = [*conversation.pending_lines, message_id]
    words, now = turn.words, turn.tx.now
    if is_first:
        conversation.pending_since = now
    began = conversation.pending_since or now
    latest = began + timedelta(seconds=words.burst_max_s)
    due = min(now + timedelta(seconds=words.burst_quiet_s), latest)
    await timers.set_timer(turn.tx, BURST_TIMER, conversation.id, due)


async def end_burst(tools: Tools, timer: Timer) -> None:
    """The customer has been quiet: answer all lines together, once."""
    async with tools.uow.read() as tx:
        turn = await Turn.of_conversation(tx, timer.key)
        lines = list(turn.thread.conversation.pending_lines)
        text = "\n".join(_words_of(one) for one in await contents_of(tx, lines))
        is_wanted = turn.is_bots and bool(text.strip())
        audience = audience_of(await institution_kind(tx, turn.thread.address))
    decision = await tools.answers.decide(text, audience=audience) if is_wanted else None
    async with tools.uow.write() as tx:
        turn = await Turn.of_conversation(tx, timer.key)  # before the timer, as whoever sets it
        await timers.finish(tx, timer)
        turn.forget_pending()
        if decision is not None:
            await reply(turn, decision, lines)


def _words_of(content: Content) -> str:
    return question_in(content.reading) if isinstance(content, Image) else plain_text(content)
