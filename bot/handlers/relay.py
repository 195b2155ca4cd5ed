"""People have the session: write down what the customer says, and keep still."""

from __future__ import annotations

from bot.context import Context
from bot.filters.content import Asks, MenuId, Says
from bot.filters.session import queued, with_people
from bot.leaving import LEAVE, STAY
from bot.router import Router
from channels.update import MenuChosen, MessageReceived
from core.actor import Actor
from core.content import Content, Text
from core.queues.words import queue_words
from core.sessions import service as sessions
from core.sessions.queue import queue_state
from core.views import SessionState

router = Router("relay")

#: Asking how long it takes, or whether anybody is there at all.
WAITING_WORDS = (
    r"^(排队|进度|多久)$|等多[久长]|^(还|大概|大约|得|需)*要?多[久长]|等到?(什么时候|几点)"
    r"|前面.*[几多]|第几[位个]|排到|排队.*[哪几多]|到我了?[吗没]|[轮该]到我"
    r"|有人[吗没嘛]|[人客]服?呢$|没人(吗|理|接|回)|^还?在[吗嘛]$"
)
LEAVING_WORDS = ("取消排队", "不排了", "不等了", "退出排队", "算了", "算了不等了", "不用人工了")
MESSAGE_WORDS = ("留言", "我要留言")
_CUSTOMER = Actor.system("customer_left_queue")


@router.on(MessageReceived, queued & Asks(WAITING_WORDS))
async def asked_position(update: MessageReceived, ctx: Context) -> None:
    async with ctx.write() as turn:
        await turn.hear(update.message_id, update.content, update.occurred_at)
        if turn.session is not None and turn.session.queued_at is not None:
            position, promise = await queue_state(turn.tx, turn.session)
            await turn.say(queue_words(turn.tx, position, promise))


@router.on(MessageReceived, queued & Says(LEAVING_WORDS))
async def left_queue(update: MessageReceived, ctx: Context) -> None:
    """The customer does not want to wait: the bot has them again, and says so."""
    async with ctx.write() as turn:
        await turn.hear(update.message_id, update.content, update.occurred_at)
        if turn.session is None or turn.state is not SessionState.QUEUED:
            return  # a person took it meanwhile
        await sessions.close(turn.tx, turn.session.id, reason="left_queue", by=_CUSTOMER)
        turn.session = None
        await turn.say("好的，已为您取消排队。有问题可以直接问我，需要人工时回复“转人工”。")


@router.on(MessageReceived, queued & Says(MESSAGE_WORDS))
async def wants_to_leave_message(update: MessageReceived, ctx: Context) -> None:
    await _leave_message(ctx, update.message_id, update.content)


@router.on(MenuChosen, queued & MenuId(LEAVE))
async def clicked_leave_message(update: MenuChosen, ctx: Context) -> None:
    await _leave_message(ctx, update.message_id, Text(text=update.text))


@router.on(MenuChosen, queued & MenuId(STAY))
async def goes_on_waiting(update: MenuChosen, ctx: Context) -> None:
    async with ctx.write() as turn:
        await turn.hear(update.message_id, Text(text=update.text), update.occurred_at)
        if turn.state is SessionState.QUEUED:
            await turn.say("好的，为您保留排队的位置，客服上线后按顺序接待。")


async def _leave_message(ctx: Context, message_id: str, content: Content) -> None:
    async with ctx.write() as turn:
        await turn.hear(message_id, content, ctx.update.occurred_at)
        await turn.leave_message()


@router.on(MessageReceived, with_people)
async def relay_message(update: MessageReceived, ctx: Context) -> None:
    await _relay(ctx, update.message_id, update.content)


@router.on(MenuChosen, with_people)
async def relay_click(update: MenuChosen, ctx: Context) -> None:
    await _relay(ctx, update.message_id, Text(text=update.text))


async def _relay(ctx: Context, message_id: str, content: Content) -> None:
    async with ctx.write() as turn:
        await turn.hear(message_id, content, ctx.update.occurred_at)
