"""A health red line: answered whoever has the session, and whatever form is being filled in."""

from __future__ import annotations

from bot.answering import reply, warn_people
from bot.context import Context
from bot.filters.base import When
from bot.filters.content import is_text, spoken
from bot.router import Router
from channels.update import MessageReceived

router = Router("redline")

touches_red_line = When(lambda update, ctx: ctx.tools.answers.is_red_line(spoken(update)))


@router.on(MessageReceived, is_text & touches_red_line)
async def told_of_danger(update: MessageReceived, ctx: Context) -> None:
    decision = await ctx.tools.answers.decide(spoken(update), audience=await ctx.audience())
    async with ctx.write() as turn:
        heard = await turn.hear(update.message_id, update.content, update.occurred_at)
        if turn.is_bots:
            await reply(turn, decision, [heard.id])
        else:
            await warn_people(turn, decision, [heard.id])
