"""The customer rates: clicks on menus and a line of their own, which begin no new session.

A low score is asked about once: a menu of reasons, then room for a comment. Whoever turns to
something else meanwhile is not held up.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bot.context import Context
from bot.filters.base import Filter, When
from bot.filters.content import MenuId, is_text, spoken
from bot.router import Outcome, Router
from bot.turn import Turn
from channels.update import MenuChosen, MessageReceived, Update
from core.content import Menu, MenuItem, Text
from core.errors import Conflict, NotFound
from core.ratings.service import explain, give
from core.sessions.farewell import RATING_PREFIX
from core.settings.reception import Rating
from core.views import RatingView

router = Router("rating")
#: Asked after everything that a line may mean besides a comment.
comments = Router("rating comments")

#: State of the chat form in which a line is the comment.
FORM: Final = "rating"
#: Menu ids of reasons: csatwhy_<rating id>_<place in the list>; "skip" ends it.
_REASON: Final = "csatwhy_"
_SKIP: Final = "skip"
#: A line that comes later is about something else.
_COMMENT_WITHIN: Final = timedelta(minutes=10)
_NOTED: Final = "已记下，谢谢。"


@router.on(MenuChosen, MenuId(RATING_PREFIX))
async def rated(update: MenuChosen, ctx: Context) -> Outcome | None:
    rating_id, _, score = update.menu_id.removeprefix(RATING_PREFIX).rpartition("_")
    if not score.isascii() or not score.isdigit():
        return Outcome.UNHANDLED
    async with ctx.write() as turn:
        await _hear(turn, update)
        try:
            rating, is_first = await give(turn.tx, rating_id, int(score))
        except NotFound:
            return None
        except Conflict:
            await turn.say("这次评价已经过期了，感谢您的关注。")
            return None
        if not turn.is_bots:
            return None  # they are already talking to someone again: do not interrupt
        if is_first and (rating.score or 0) <= _words(turn).reasons_from:
            await _ask_why(turn, rating)
        else:
            await turn.say(_words(turn).thanks if is_first else "您已经评价过了，感谢您的反馈。")
    return None


@router.on(MenuChosen, MenuId(_REASON))
async def gave_reason(update: MenuChosen, ctx: Context) -> Outcome | None:
    """Several may be chosen, one click each; the comment is asked for after the first."""
    rating_id, _, choice = update.menu_id.removeprefix(_REASON).rpartition("_")
    async with ctx.write() as turn:
        await _hear(turn, update)
        if choice == _SKIP:
            await _end(turn)
            return None
        try:
            mine, reason = turn.thread.customer.id, update.text[:64]
            is_new = await explain(turn.tx, rating_id, customer_id=mine, reason=reason)
        except NotFound:
            return None
        if not turn.is_bots:
            return None
        if is_new and _is_commenting(turn.form[1], turn.tx.now) and not turn.form[1]["is_asked"]:
            await _ask_comment(turn, rating_id, _words(turn).comment_question)
        else:
            await turn.say(_NOTED)
    return None


def _commenting(update: Update, ctx: Context) -> bool:
    del update
    form = ctx.situation.form if ctx.situation else {}
    return form.get("state") == FORM and _is_commenting(form["data"], ctx.tools.clock.now())


_in_comment: Filter = When(_commenting)


@comments.on(MessageReceived, _in_comment & is_text)
async def commented(update: MessageReceived, ctx: Context) -> None:
    async with ctx.write() as turn:
        await turn.hear(update.message_id, update.content, update.occurred_at, opens=False)
        _, data = turn.form
        mine = turn.thread.customer.id
        await explain(turn.tx, data["rating_id"], customer_id=mine, comment=spoken(update))
        await _end(turn)


async def _ask_why(turn: Turn, rating: RatingView) -> None:
    words = _words(turn)
    if not words.reasons:
        await _ask_comment(turn, rating.id, words.reason_question)
        return
    _await_comment(turn, rating.id, is_asked=False)
    items = [
        MenuItem(id=f"{_REASON}{rating.id}_{place}", label=label)
        for place, label in enumerate(words.reasons)
    ]
    await turn.say(Menu(head=words.reason_question, items=tuple(items)))


async def _ask_comment(turn: Turn, rating_id: str, question: str) -> None:
    _await_comment(turn, rating_id, is_asked=True)
    skip = MenuItem(id=f"{_REASON}{rating_id}_{_SKIP}", label="跳过")
    await turn.say(Menu(head=question, items=(skip,)))


def _await_comment(turn: Turn, rating_id: str, *, is_asked: bool) -> None:
    until = (turn.tx.now + _COMMENT_WITHIN).isoformat()
    turn.fill_form(FORM, {"rating_id": rating_id, "until": until, "is_asked": is_asked})


def _is_commenting(data: dict[str, str], now: datetime) -> bool:
    until = data.get("until")
    return bool(until) and "rating_id" in data and now < datetime.fromisoformat(until or "")


async def _end(turn: Turn) -> None:
    if turn.form[0] == FORM:
        turn.leave_form()
    if turn.is_bots:
        await turn.say(_words(turn).thanks)


async def _hear(turn: Turn, update: MenuChosen) -> None:
    heard = Text(text=update.text)
    await turn.hear(update.message_id, heard, update.occurred_at, opens=False)


def _words(turn: Turn) -> Rating:
    return turn.tx.settings.get(Rating)
