"""The customer rates: a click on the rating menu, which does not begin a new session."""

from __future__ import annotations

from bot.context import Context
from bot.filters.content import MenuId
from bot.router import Outcome, Router
from channels.update import MenuChosen
from core.content import Text
from core.errors import NotFound
from core.ratings.service import give
from core.sessions.farewell import RATING_PREFIX
from core.settings.reception import Rating

router = Router("rating")


@router.on(MenuChosen, MenuId(RATING_PREFIX))
async def rated(update: MenuChosen, ctx: Context) -> Outcome | None:
    rating_id, _, score = update.menu_id.removeprefix(RATING_PREFIX).rpartition("_")
    if not score.isascii() or not score.isdigit():
        return Outcome.UNHANDLED
    async with ctx.write() as turn:
        heard = Text(text=update.text)
        await turn.hear(update.message_id, heard, update.occurred_at, opens=False)
        try:
            _, is_first = await give(turn.tx, rating_id, int(score))
        except NotFound:
            return None
        thanks = turn.tx.settings.get(Rating).thanks
        if not turn.is_bots:
            return None  # they are already talking to someone again: do not interrupt
        await turn.say(thanks if is_first else "您已经评价过了，感谢您的反馈。")
    return None
