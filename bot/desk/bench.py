"""A servicer at work in the app: one update is one transaction, a refusal is explained."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.context import Context
from bot.desk.words import refusal
from core import inbox, outbox
from core.actor import Actor
from core.content import Address, Text
from core.db import Tx
from core.desk.service import Desk, actor_of_member
from core.errors import DomainError
from core.ids import new_id
from core.ports import OutboundMessage
from core.sessions.queries import session_view
from core.views import ServicerView, SessionView

#: The channel of the servicers' app.
APP_CHANNEL = "wecom_app"
STRANGER = (
    "您好！您的企业微信帐号还没有登记为接待人员，暂时不能在这里接待客户。"
    "请把帐号「{userid}」告诉系统管理员，由管理员在「人员」中填写后即可使用。"
)
APOLOGY = "抱歉，刚才的操作没有成功。请再试一次，或到控制台处理。"


@dataclass(slots=True)
class Bench:
    """What a command works with, within its transaction."""

    tx: Tx
    actor: Actor
    desk: Desk

    async def session(self, number: int | None = None) -> tuple[int, SessionView]:
        """The numbered session, or the focused one. Raises: NotFound, Invalid."""
        found, session_id = await self.desk.aim(number)
        return found, await session_view(self.tx, session_id)


Work = Callable[[Bench], Awaitable[None]]


async def serve(ctx: Context, work: Work) -> None:
    """Do `work` and end the update in one transaction; when it is refused, say why instead."""
    try:
        await _within(ctx, work)
    except DomainError as error:
        if error.code == "update_already_done":
            raise
        text = refusal(error)
        await _within(ctx, lambda bench: bench.desk.answer(text))


async def refuse(ctx: Context, error: DomainError) -> None:
    """Answer an update with a refusal that was known before the transaction."""
    text = refusal(error)
    await serve(ctx, lambda bench: bench.desk.answer(text))


async def _within(ctx: Context, work: Work) -> None:
    address = ctx.update.address
    async with ctx.tools.uow.write() as tx:
        await inbox.mark_done(tx, ctx.inbox_id)
        found = await actor_of_member(tx, address.user)
        if found is None:
            await tell_stranger(tx, address)
            return
        actor, servicer = found
        await work(
            Bench(tx, actor, await Desk.open(tx, servicer, desk_address(address, servicer)))
        )


def desk_address(address: Address, servicer: ServicerView) -> Address:
    """Where a servicer is reached: WeCom writes user ids in any case, we in one."""
    return Address(address.channel, address.account, servicer.wecom_userid or address.user)


async def tell_stranger(tx: Tx, address: Address) -> None:
    text = Text(text=STRANGER.format(userid=address.user))
    message = OutboundMessage(address, new_id(), text)
    await outbox.enqueue(tx, message.message_id, message)


async def apologise_to_servicer(tx: Tx, address: Address) -> None:
    """An update could not be handled: the servicer is told, never left in silence."""
    message = OutboundMessage(address, new_id(), Text(text=APOLOGY))
    await outbox.enqueue(tx, message.message_id, message)
