"""A flood from one customer is written down, and not answered line by line."""

from __future__ import annotations

import logging

from bot.context import Context
from bot.middlewares.base import Next
from channels.update import MessageReceived, Update

log = logging.getLogger(__name__)

#: More lines than a person types; beyond it the bot keeps still until the minute is over.
LINES_PER_MINUTE = 60


async def throttle(update: Update, ctx: Context, inner: Next) -> None:
    is_speech = isinstance(update, MessageReceived) and update.sender == "customer"
    if not is_speech or ctx.is_with_people or await _is_allowed(update, ctx):
        await inner(update, ctx)
        return
    log.warning("A customer is flooding.", extra={"action": "bot.flood", **ctx.log})
    async with ctx.write() as turn:
        assert isinstance(update, MessageReceived)  # noqa: S101 - is_speech says so
        await turn.hear(update.message_id, update.content, update.occurred_at)


async def _is_allowed(update: Update, ctx: Context) -> bool:
    key = f"bot.flood|{update.address.key}"
    return await ctx.tools.limiter.allow(key, limit=LINES_PER_MINUTE, window_s=60)
