"""The customer asks for a person: at once, and never back to the bot against their will."""

from __future__ import annotations

from bot.answering import PEOPLE
from bot.context import Context
from bot.filters.content import MenuId, asks_for_people, spoken
from bot.router import Router
from channels.update import MenuChosen, MessageReceived
from core.content import Text

router = Router("handoff")


@router.on(MessageReceived, asks_for_people)
async def asked(update: MessageReceived, ctx: Context) -> None:
    async with ctx.write() as turn:
        await turn.hear(update.message_id, update.content, update.occurred_at)
        await turn.hand_off("asked")


@router.on(MenuChosen, MenuId(PEOPLE) | asks_for_people)
async def clicked(update: MenuChosen, ctx: Context) -> None:
    async with ctx.write() as turn:
        content = Text(text=spoken(update))
        await turn.hear(update.message_id, content, update.occurred_at)
        await turn.hand_off("asked")
