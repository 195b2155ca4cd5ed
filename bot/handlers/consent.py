"""The customer answers whether we may help remotely: a click on the menu that asked."""

from __future__ import annotations

from typing import Final

from bot.context import Context
from bot.filters.content import MenuId
from bot.router import Outcome, Router
from channels.update import MenuChosen
from core.content import Text
from core.errors import Conflict, NotFound
from core.remote_assistance import service
from core.remote_assistance.consent import PREFIX, answer_in
from core.remote_assistance.states import RemoteState
from core.tickets.access import CustomerActor

router = Router("consent")

_SAID: Final = {
    RemoteState.AGREED: "已记录您的同意，客服将与您联系并开始远程协助。您可随时终止。",
    RemoteState.REFUSED: "已记录：您不同意远程协助，我们会用其他方式继续处理。",
}
_TOO_LATE: Final = "这次远程协助申请已失效，如仍需要，请联系客服重新发起。"


@router.on(MenuChosen, MenuId(PREFIX))
async def answered(update: MenuChosen, ctx: Context) -> Outcome | None:
    found = answer_in(update.menu_id)
    if found is None:
        return Outcome.UNHANDLED
    assistance_id, agrees = found
    async with ctx.write() as turn:
        heard = Text(text=update.text)
        await turn.hear(update.message_id, heard, update.occurred_at, opens=False)
        customer = CustomerActor(turn.thread.customer.id, turn.thread.customer.name)
        try:
            view = await service.answer(turn.tx, assistance_id, agrees=agrees, by=customer)
        except (Conflict, NotFound):
            await turn.say(_TOO_LATE)
            return None
        await turn.say(_SAID.get(view.state, _TOO_LATE))
    return None
