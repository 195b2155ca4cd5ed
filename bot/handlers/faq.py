"""The bot answers: whole questions at once, fragments together, files with a plain word."""

from __future__ import annotations

from bot.answering import ASK, PEOPLE_ITEM, SOLVED, UNSOLVED, ask_for_words, reply
from bot.burst import is_whole_question, wait_for_more
from bot.context import Context
from bot.filters.content import MenuId, is_text, spoken
from bot.router import Router
from bot.turn import Turn
from channels.update import MenuChosen, MessageReceived
from core.content import Image, Menu, Text
from core.errors import NotFound
from core.settings.sections import Bot
from knowledge.feedback import heard_feedback

router = Router("faq")


@router.on(MessageReceived, is_text)
async def asked(update: MessageReceived, ctx: Context) -> None:
    text = spoken(update)
    if not ctx.tools.settings.get(Bot).is_enabled:
        await _straight_to_people(update, ctx)
        return
    in_burst = ctx.situation is not None and bool(ctx.situation.pending)
    if (in_burst or not is_whole_question(text)) and not ctx.tools.answers.is_urgent(text):
        async with ctx.write() as turn:
            heard = await turn.hear(update.message_id, update.content, update.occurred_at)
            if turn.is_bots:
                await wait_for_more(turn, heard.id)
        return
    decision = await ctx.tools.answers.decide(text, audience=await ctx.audience())
    async with ctx.write() as turn:
        heard = await turn.hear(update.message_id, update.content, update.occurred_at)
        await reply(turn, decision, [heard.id])


async def _straight_to_people(update: MessageReceived, ctx: Context) -> None:
    async with ctx.write() as turn:
        await turn.hear(update.message_id, update.content, update.occurred_at)
        await turn.hand_off("bot_disabled")


@router.on(MenuChosen, MenuId(SOLVED))
async def solved(update: MenuChosen, ctx: Context) -> None:
    async with ctx.write() as turn:
        await _hear_click(turn, update)
        await _note_feedback(turn, update.menu_id.removeprefix(SOLVED), is_helpful=True)
        await turn.say("很高兴能帮到您。有其他问题随时告诉我。")


@router.on(MenuChosen, MenuId(UNSOLVED))
async def unsolved(update: MenuChosen, ctx: Context) -> None:
    async with ctx.write() as turn:
        await _hear_click(turn, update)
        await _note_feedback(turn, update.menu_id.removeprefix(UNSOLVED), is_helpful=False)
        head = "抱歉没能解决您的问题。您可以换个说法再问我一次，或者转人工由同事处理。"
        await turn.say(Menu(head=head, items=(PEOPLE_ITEM,)))


@router.on(MenuChosen, MenuId(ASK))
async def chose_question(update: MenuChosen, ctx: Context) -> None:
    """A line of a menu names its article; one that is gone meanwhile is asked like any other."""
    answers, audience = ctx.tools.answers, await ctx.audience()
    picked = update.menu_id.removeprefix(ASK)
    decision = await answers.choose(picked, update.text, audience=audience)
    decision = decision or await answers.decide(update.text, audience=audience)
    async with ctx.write() as turn:
        heard = await _hear_click(turn, update)
        await reply(turn, decision, [heard])


@router.on(MenuChosen)
async def clicked_something(update: MenuChosen, ctx: Context) -> None:
    """A menu that we do not know any more: its text is what the customer means."""
    decision = await ctx.tools.answers.decide(update.text, audience=await ctx.audience())
    async with ctx.write() as turn:
        heard = await _hear_click(turn, update)
        await reply(turn, decision, [heard])


@router.on(MessageReceived)
async def sent_a_file(update: MessageReceived, ctx: Context) -> None:
    """Voices and the rest: we say honestly that we need words, or people.

    Pictures are read first where that is possible; the job then answers.
    """
    will_be_read = isinstance(update.content, Image) and ctx.tools.pictures is not None
    async with ctx.write() as turn:
        await turn.hear(update.message_id, update.content, update.occurred_at)
        if not will_be_read:
            await ask_for_words(turn, update.content.type)


async def _hear_click(turn: Turn, update: MenuChosen) -> str:
    heard = await turn.hear(update.message_id, Text(text=update.text), update.occurred_at)
    return heard.id


async def _note_feedback(turn: Turn, decision_id: str, *, is_helpful: bool) -> None:
    try:
        await heard_feedback(turn.tx, decision_id, is_helpful=is_helpful)
    except NotFound:
        return
