"""What happens to sessions, told in the app to those whom it concerns.

A reliable listener: the messages are owed in the transaction that moves its cursor. It looks at
how things stand now, not at how they stood when the event was made, so that being late or being
new in an old installation announces nothing that is over.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from bot.desk.bench import APP_CHANNEL
from bot.desk.cards import session_card
from bot.desk.words import (
    NATIVE,
    line_of,
    note_lines,
    shortened,
    transcript_lines,
    who,
)
from core.bus import Logged
from core.content import Address, media_of, plain_text
from core.conversations.queries import get_message, message_view, notes, transcript
from core.db import Tx
from core.desk import cards, queries
from core.desk.queries import Served
from core.desk.service import Desk
from core.events import (
    MediaStored,
    MessageAdded,
    MessageDeliveryChanged,
    MessageRecalled,
    NoteAdded,
    RatingGiven,
    SessionAssigned,
    SessionClosed,
    SessionHandedOff,
    SessionRequeued,
    WindowChanged,
)
from core.sessions.queries import session_view
from core.settings.sections import Rating, Window
from core.timers import service as timers
from core.views import (
    Delivery,
    MessageView,
    Sender,
    ServiceMode,
    ServicerView,
    SessionState,
    SessionView,
)

LISTENER: Final = "wecom_desk"
WINDOW_TIMER: Final = "desk.window"
DIGEST_TIMER: Final = "desk.digest"
#: With so many open cards a servicer gets a digest instead of one more.
MANY_CARDS: Final = 3
DIGEST_AFTER: Final = timedelta(seconds=5)
#: At most so many are offered one session.
MOST_OFFERS: Final = 20
#: Older lines are history, not news.
NEWS: Final = timedelta(hours=1)
_LAST_LINES: Final = 6
_FAILURES: Final = {
    "window_closed": "已超过 48 小时或 5 条的限制，客户再来消息时自动发出",
    "refused": "客户拒收了消息",
    "blocked": "客户拒收了消息",
}

_Hear = Callable[["Announcer", Tx, Any], Awaitable[None]]


class Announcer:
    """One per process. account: the app's agent id."""

    def __init__(self, account: str) -> None:
        self._account = account

    async def hear(self, tx: Tx, batch: Sequence[Logged]) -> None:
        """The listener's handler."""
        for one in batch:
            handle = _HANDLERS.get(type(one.event))
            if handle is not None:
                await handle(self, tx, one.event)

    async def _desk(self, tx: Tx, servicer: ServicerView) -> Desk:
        address = Address(APP_CHANNEL, self._account, servicer.wecom_userid or "")
        return await Desk.open(tx, servicer, address)

    async def _desk_of(self, tx: Tx, servicer_id: str | None) -> Desk | None:
        servicer = await queries.reachable(tx, servicer_id)
        return await self._desk(tx, servicer) if servicer else None

    async def _served(self, tx: Tx, session_id: str | None) -> Served | None:
        found = await queries.served(tx, [session_id]) if session_id else {}
        return found.get(session_id or "")

    # --- sessions come and go --------------------------------------------------------------------

    async def handed_off(self, tx: Tx, event: SessionHandedOff) -> None:
        await self._offer(tx, event.session.id, without=())

    async def requeued(self, tx: Tx, event: SessionRequeued) -> None:
        previous = event.previous_servicer_id
        await self._let_go(tx, previous, event.session, "已回到排队")
        await self._offer(tx, event.session.id, without=(previous,) if previous else ())

    async def _offer(self, tx: Tx, session_id: str, *, without: Sequence[str]) -> None:
        """Nobody was free: whoever may take it is asked."""
        session = await session_view(tx, session_id)
        if session.state is not SessionState.QUEUED:
            return
        people = await queries.who_may_take(tx, session, without=without, limit=MOST_OFFERS)
        for servicer in people:
            desk = await self._desk(tx, servicer)
            if desk.is_quiet:
                continue
            if await cards.open_count(tx, servicer.id) >= MANY_CARDS:
                if not await timers.is_set(tx, DIGEST_TIMER, servicer.id):
                    due = tx.now + DIGEST_AFTER
                    await timers.set_timer(tx, DIGEST_TIMER, servicer.id, due)
                continue
            card_id = await cards.lay(tx, servicer.id, session.id)
            await desk.deal(await session_card(tx, desk.address, card_id, session))

    async def assigned(self, tx: Tx, event: SessionAssigned) -> None:
        session = event.session
        label = f"已由{session.servicer_name}接入"
        mine = "您已接入"
        owner = session.servicer_id
        await cards.close_about(tx, session.id, label, own=mine, owner_id=owner)
        if event.previous_servicer_id not in (None, owner):
            await self._let_go(
                tx, event.previous_servicer_id, session, f"已转给{session.servicer_name}"
            )
        now = await self._served(tx, session.id)
        if now is not None and now.servicer.id == owner:
            await self._introduce(tx, now.servicer, event)

    async def _introduce(self, tx: Tx, servicer: ServicerView, event: SessionAssigned) -> None:
        """The card with the buttons, and what was said so far. Claimed: they had the card."""
        desk = await self._desk(tx, servicer)
        session = await session_view(tx, event.session.id)
        number = await desk.take(session.id)
        if desk.is_quiet:
            return
        if event.how != "claimed":
            card_id = await cards.lay(tx, servicer.id, session.id)
            card = await session_card(tx, desk.address, card_id, session, number=number)
            await desk.deal(card)
        lines, _ = await transcript(tx, session.conversation_id, limit=_LAST_LINES)
        said = transcript_lines([one for one in lines if one.sender is not Sender.SYSTEM])
        remarks = [
            one for one in await notes(tx, session.conversation_id) if one.session_id == session.id
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
        await timers.set_timer(tx, WINDOW_TIMER, session.id, tx.now)

    async def closed(self, tx: Tx, event: SessionClosed) -> None:
        await cards.close_about(tx, event.session.id, "已结束")
        await timers.cancel(tx, WINDOW_TIMER, event.session.id)
        if event.previous_state is SessionState.SERVING:
            await self._let_go(tx, event.session.servicer_id, event.session, "会话已结束")

    async def _let_go(
        self, tx: Tx, servicer_id: str | None, session: SessionView, why: str
    ) -> None:
        """Take it off a desk; who did so themselves was answered there and then."""
        desk = await self._desk_of(tx, servicer_id)
        number = await desk.release(session.id) if desk else None
        if desk is not None and number is not None:
            await desk.notify(f"#{number} {who(session)} {why}。")

    # --- what is said ----------------------------------------------------------------------------

    async def message_added(self, tx: Tx, event: MessageAdded) -> None:
        if media_of(event.message.content) is None:
            await self._relay(tx, event.message)

    async def media_stored(self, tx: Tx, event: MediaStored) -> None:
        await self._relay(tx, event.message)

    async def _relay(self, tx: Tx, message: MessageView) -> None:
        """A customer's line, to whoever serves them here; native sessions have their own chat."""
        if message.sender is not Sender.CUSTOMER or tx.now - message.sent_at > NEWS:
            return
        now = await self._served(tx, message.session_id)
        if now is None or now.mode is ServiceMode.NATIVE:
            return
        desk = await self._desk(tx, now.servicer)
        number = await desk.number_of(now.session_id)
        if number is None:
            return  # not introduced yet: the introduction shows what was said
        media = media_of(message.content)
        line = line_of(number, now.customer_name, message.content)
        if media is not None and media.attachment_id is None:
            await desk.notify(f"{line}文件没能取到，请客户重新发送。")
            return
        await desk.notify(line)
        if media is not None:
            await desk.notify(message.content)

    async def recalled(self, tx: Tx, event: MessageRecalled) -> None:
        now = await self._served(tx, event.session_id)
        if now is None or now.mode is ServiceMode.NATIVE:
            return
        message = message_view(await get_message(tx, event.message_id))
        desk = await self._desk(tx, now.servicer)
        number = await desk.number_of(now.session_id)
        words = shortened(plain_text(message.content), 40)
        if message.sender is Sender.CUSTOMER:
            await desk.notify(f"#{number} {now.customer_name} 撤回了：{words}")
        elif message.servicer_id == now.servicer.id:
            await desk.notify(f"已撤回发给 #{number} {now.customer_name} 的：{words}")

    async def delivery_changed(self, tx: Tx, event: MessageDeliveryChanged) -> None:
        if event.delivery not in {Delivery.FAILED, Delivery.HELD}:
            return
        now = await self._served(tx, event.session_id)
        if now is None:
            return
        message = message_view(await get_message(tx, event.message_id))
        if message.sender is not Sender.SERVICER or message.servicer_id != now.servicer.id:
            return
        desk = await self._desk(tx, now.servicer)
        number = await desk.number_of(now.session_id)
        words = shortened(plain_text(message.content), 40)
        why = _FAILURES.get(event.failure.split(":")[0], f"平台退回，{event.failure}")
        await desk.notify(f"#{number} {now.customer_name} 没有收到「{words}」：{why}。")

    async def note_added(self, tx: Tx, event: NoteAdded) -> None:
        """A colleague's or a supervisor's word; one's own was answered when it was written."""
        now = await self._served(tx, event.note.session_id)
        if now is None or event.note.author_id == now.servicer.user_id:
            return
        desk = await self._desk(tx, now.servicer)
        number = await desk.number_of(now.session_id)
        if number is not None:
            await desk.notify(f"#{number} {now.customer_name} {note_lines([event.note])[0]}")

    # --- warnings and results --------------------------------------------------------------------

    async def window_changed(self, tx: Tx, event: WindowChanged) -> None:
        now = await self._served(tx, event.session_id)
        if now is None or now.mode is ServiceMode.NATIVE or event.window.until is None:
            return
        due = event.window.until - timedelta(seconds=tx.settings.get(Window).warn_before_s)
        if due > tx.now:
            await timers.set_timer(tx, WINDOW_TIMER, now.session_id, due)
        left = event.window.left
        if left is None or left > 1:
            return
        desk = await self._desk(tx, now.servicer)
        number = await desk.number_of(now.session_id)
        if number is None:
            return
        await desk.notify(
            f"#{number} {now.customer_name} 本轮只剩最后 1 条可发，请把话说完整。"
            if left
            else f"#{number} {now.customer_name} 本轮 5 条已用完，客户再来消息后才能继续；"
            "要先存下的话请发「留言 内容」。"
        )

    async def rated(self, tx: Tx, event: RatingGiven) -> None:
        rating = event.rating
        desk = await self._desk_of(tx, rating.servicer_id)
        if desk is None or rating.score is None:
            return
        session = await session_view(tx, rating.session_id)
        labels = tx.settings.get(Rating).labels
        words = [f"{who(session)} 评价：{labels[5 - rating.score]}（{rating.score} 分）"]
        if rating.reasons:
            words.append("原因：" + "、".join(rating.reasons))
        if rating.comment:
            words.append(f"留言：{rating.comment}")
        await desk.notify("；".join(words))


_HANDLERS: Final[dict[type[Any], _Hear]] = {
    SessionHandedOff: Announcer.handed_off,
    SessionRequeued: Announcer.requeued,
    SessionAssigned: Announcer.assigned,
    SessionClosed: Announcer.closed,
    MessageAdded: Announcer.message_added,
    MediaStored: Announcer.media_stored,
    MessageRecalled: Announcer.recalled,
    MessageDeliveryChanged: Announcer.delivery_changed,
    NoteAdded: Announcer.note_added,
    WindowChanged: Announcer.window_changed,
    RatingGiven: Announcer.rated,
}
