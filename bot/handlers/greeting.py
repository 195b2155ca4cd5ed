"""A customer entered through a link: greet with the welcome code, inside its 20 seconds."""

from __future__ import annotations

from bot.answering import ASK, PEOPLE
from bot.context import Context
from bot.router import Router
from channels.update import SessionEntered
from core.content import Menu, MenuItem
from core.settings.sections import Bot, GreetingItem

router = Router("greeting")


@router.on(SessionEntered)
async def entered(update: SessionEntered, ctx: Context) -> None:
    """Remember where they came from; greet when the platform gives a code for it."""
    async with ctx.write() as turn:
        conversation = turn.thread.conversation
        if update.scene:
            conversation.scene = update.scene[:64]
            conversation.scene_param = update.scene_param[:256]
        if update.welcome_code:
            await turn.say(
                greeting(turn.words),
                event_code=update.welcome_code,
                code_expires_at=update.code_expires_at,
            )


def greeting(words: Bot) -> Menu:
    items = tuple(_item(index, item) for index, item in enumerate(words.greeting_menu))
    return Menu(head=words.greeting, items=items)


def _item(index: int, item: GreetingItem) -> MenuItem:
    if item.kind == "link":
        return MenuItem(kind="view", label=item.label, url=item.value)
    return MenuItem(
        id=PEOPLE if item.kind == "handoff" else f"{ASK}greeting_{index}", label=item.label
    )
