"""Everything that comes from the servicers' app; nobody there is ever treated as a customer."""

from __future__ import annotations

from bot.context import Context
from bot.desk import cards, talking
from bot.desk.bench import APP_CHANNEL, Bench, serve
from bot.desk.commands import COMMANDS, aimed, command_in
from bot.desk.menu import word_of
from bot.desk.sessions import switch
from bot.desk.words import HELP
from bot.filters.base import Filter, When
from bot.filters.content import is_text, spoken
from bot.router import Router
from channels.update import AppMenuPressed, CardPressed, MessageReceived, UnknownEvent
from core import inbox
from core.content import Text

router = Router("desk")
in_app: Filter = When(lambda update, _: update.address.channel == APP_CHANNEL)


@router.on(MessageReceived, in_app, is_text)
async def typed(update: MessageReceived, ctx: Context) -> None:
    line = spoken(update)
    target, command = aimed(line), command_in(line)
    if target is not None and target[1]:
        await talking.say(ctx, Text(text=target[1]), target[0])
    elif target is not None:
        await switch(ctx, str(target[0]))
    elif command is not None:
        await command[0].handle(ctx, command[1])
    else:
        await talking.say(ctx, Text(text=line))


@router.on(MessageReceived, in_app)
async def sent_a_file(update: MessageReceived, ctx: Context) -> None:
    await talking.send_file(ctx, update.content)


@router.on(CardPressed, in_app)
async def pressed(update: CardPressed, ctx: Context) -> None:
    await cards.pressed(update, ctx)


@router.on(AppMenuPressed, in_app)
async def pressed_menu(update: AppMenuPressed, ctx: Context) -> None:
    """Opening the app says nothing, except the first time."""
    word = word_of(update.key)
    if word is not None:
        await COMMANDS[word].handle(ctx, "")
    else:
        await serve(ctx, _welcome)


async def _welcome(bench: Bench) -> None:
    if bench.desk.is_new:
        await bench.desk.answer(HELP)


@router.on(UnknownEvent, in_app)
async def unknown(update: UnknownEvent, ctx: Context) -> None:
    """Subscriptions, positions and the like: nothing to do."""
    del update
    async with ctx.tools.uow.write() as tx:
        await inbox.mark_done(tx, ctx.inbox_id)
