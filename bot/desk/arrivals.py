"""Sessions come to a desk and leave it, told in the app."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot.desk.cards import session_card
from bot.desk.news import DIGEST_TIMER, WINDOW_TIMER, News
from bot.desk.words import NATIVE, note_lines, transcript_lines, who
from core.content import media_of
from core.conversations.queries import notes, transcript
from core.desk import cards, queries
from core.events import SessionAssigned, SessionClosed, SessionHandedOff, SessionRequeued
from core.sessions.queries import session_view
from core.timers import service as timers
from core.views import Sender, ServiceMode, ServicerView, SessionState, SessionView

#: With so many offers open a servicer gets a digest instead of one more card.
MANY_OFFERS: Final = 3
DIGEST_AFTER: Final = timedelta(seconds=5)
#: At most so many are offered one session.
MOST_ASKED: Final = 20
_LAST_LINES: Final = 6


async def handed_off(news: News, event: SessionHandedOff) -> None:
    await _offer(news, event.session.id, without=())


async def requeued(news: News, event: SessionRequeued) -> None:
    previous = event.previous_servicer_id
    await _let_go(news, previous, event.session, "已回到排队")
    await _offer(news, event.session.id, without=(previous,) if previous else ())


async def _offer(news: News, session_id: str, *, without: Sequence[str]) -> None:
    """Nobody was free: whoever may take it is asked."""
    session = await session_view(news.tx, session_id)
    if session.state is not SessionState.QUEUED:
        return
    people = await queries.who_may_take(news.tx, session, without=without, limit=MOST_ASKED)
    for servicer in people:
        desk = await news.desk(servicer)
        if desk.is_quiet:
            continue
        if await cards.offered(news.tx, servicer.id) >= MANY_OFFERS:
            if not await timers.is_set(news.tx, DIGEST_TIMER, servicer.id):
                due = news.tx.now + DIGEST_AFTER
                await timers.set_timer(news.tx, DIGEST_TIMER, servicer.id, due)
            continue
        card_id = await cards.lay(news.tx, servicer.id, session.id)
        await desk.deal(await session_card(news.tx, desk.address, card_id, session))


async def assigned(news: News, event: SessionAssigned) -> None:
    session = event.session
    label = f"已由{session.servicer_name}接入"
    mine = "您已接入"
    owner = session.servicer_id
    await cards.close_about(news.tx, session.id, label, own=mine, owner_id=owner)
    if event.previous_servicer_id not in (None, owner):
        await _let_go(news, event.previous_servicer_id, session, f"已转给{session.servicer_name}")
    now = news.served(session.id)
    if now is not None and now.servicer.id == owner:
        await _introduce(news, now.servicer, event)


async def _introduce(news: News, servicer: ServicerView, event: SessionAssigned) -> None:
    """The card with the buttons, and what was said so far. Claimed: they had the card."""
    desk = await news.desk(servicer)
    session = await session_view(news.tx, event.session.id)
    number = await desk.take(session.id)
    if desk.is_quiet:
        return
    if event.how != "claimed":
        card_id = await cards.lay(news.tx, servicer.id, session.id)
        card = await session_card(news.tx, desk.address, card_id, session, number=number)
        await desk.deal(card)
    lines, _ = await transcript(
        news.tx, session.conversation_id, session_id=session.id, limit=_LAST_LINES
    )
    news.shown.update(one.id for one in lines)
    said = transcript_lines([one for one in lines if one.sender is not Sender.SYSTEM])
    remarks = [
        one
        for one in await notes(news.tx, session.conversation_id)
        if one.session_id == session.id
    ]
    focused = desk.focus_id == session.id
    how = "直接打字即可回复" if focused else f"发「#{number} 内容」回复"
    if session.mode is ServiceMode.NATIVE:
        how = NATIVE
    head = f"#{number} {who(session)} 已接入。{how}"
    await desk.notify("\n".join([head, *said, *note_lines(remarks[-2:])]))
    for one in lines:  # what the customer showed the bot
        media = media_of(one.content)
        if one.sender is Sender.CUSTOMER and media is not None and media.attachment_id:
            await desk.notify(one.content)
    await timers.set_timer(news.tx, WINDOW_TIMER, session.id, news.tx.now)


async def closed(news: News, event: SessionClosed) -> None:
    await cards.close_about(news.tx, event.session.id, "已结束")
    await timers.cancel(news.tx, WINDOW_TIMER, event.session.id)
    if event.previous_state is SessionState.SERVING:
        await _let_go(news, event.session.servicer_id, event.session, "会话已结束")


async def _let_go(news: News, servicer_id: str | None, session: SessionView, why: str) -> None:
    """Take it off a desk; who did so themselves was answered there and then."""
    desk = await news.desk_of(servicer_id)
    number = await desk.release(session.id) if desk else None
    if desk is not None and number is not None:
        await desk.notify(f"#{number} {who(session)} {why}。")
