"""What all forms in chat have in common: a word ends them, and what was left says how to go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.context import Context
from bot.filters.base import Filter
from bot.filters.content import MenuId, Says, spoken
from bot.filters.session import in_form
from bot.handlers.rating import FORM as RATING
from bot.handlers.registration import FORM as REGISTRATION
from bot.handlers.ticket_form import QUIT_ITEM
from bot.leaving import FORM as LEAVING
from bot.router import Router
from channels.update import MenuChosen, MessageReceived
from core.content import Text

router = Router("forms")

_QUIT: Final = ("退出", "取消", "不填了", "算了")
_GOODBYES: Final[Mapping[str, str]] = {
    REGISTRATION: "已退出登记，填过的内容已保存；随时发送“登记”可以接着填。",
    RATING: "好的，感谢您的评价。",
    LEAVING: "好的，留言已保存。您可以继续向我提问。",
}
_quits: Filter = in_form & (Says(_QUIT) | MenuId(QUIT_ITEM.id))


@router.on(MessageReceived, _quits)
async def left(update: MessageReceived, ctx: Context) -> None:
    await _leave(ctx, update.message_id)


@router.on(MenuChosen, _quits)
async def clicked_leave(update: MenuChosen, ctx: Context) -> None:
    await _leave(ctx, update.message_id)


async def _leave(ctx: Context, message_id: str) -> None:
    async with ctx.write() as turn:
        await turn.hear(message_id, Text(text=spoken(ctx.update)), ctx.update.occurred_at)
        state, _ = turn.form
        turn.leave_form()
        await turn.say(_GOODBYES.get(state, "已取消。有问题随时告诉我。"))
