"""What customers say and what becomes of our words, told in the app."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.desk.news import WINDOW_TIMER, News
from bot.desk.words import line_of, note_lines, shortened, who
from core.content import Image, media_of, plain_text
from core.conversations.queries import get_message, message_view
from core.events import (
    MediaStored,
    MessageAdded,
    MessageDeliveryChanged,
    MessageRecalled,
    NoteAdded,
    RatingExplained,
    RatingGiven,
    WindowChanged,
)
from core.sessions.queries import session_view
from core.settings.reception import Rating, Window
from core.timers import service as timers
from core.views import Delivery, MessageView, Sender, ServiceMode

#: Older lines are history, not news.
NEWS: Final = timedelta(hours=1)
_FAILURES: Final = {
    "window_closed": "已超过 48 小时或 5 条的限制，客户再来消息时自动发出",
    "over_48_hours": "已超过 48 小时，客户再来消息后才能发",
    "over_5_messages": "本轮 5 条已用完，客户再来消息后才能发",
    "refused_by_customer": "客户拒收了消息，请打电话联系",
    "session_closed": "会话在平台上已经结束",
    "type_forbidden": "平台不允许发送这种内容",
    "security": "平台判定内容不安全，请换个说法",
}


async def message_added(news: News, event: MessageAdded) -> None:
    if media_of(event.message.content) is None:
        await _relay(news, event.message)


async def media_stored(news: News, event: MediaStored) -> None:
    await _relay(news, event.message)


async def _relay(news: News, message: MessageView) -> None:
    """A customer's line, to whoever serves them here; native sessions have their own chat."""
    if message.sender is not Sender.CUSTOMER or news.tx.now - message.sent_at > NEWS:
        return
    now = news.served(message.session_id)
    if now is None or now.mode is ServiceMode.NATIVE or message.id in news.shown:
        return
    desk = await news.desk(now.servicer)
    number = await desk.number_of(now.session_id)
    if number is None and now.session_id in news.coming:
        return  # the introduction shows what was said
    if number is None:
        number = await desk.take(now.session_id)
    reading = message.content.reading if isinstance(message.content, Image) else ""
    if reading:  # the picture itself came before
        await desk.notify(f"#{number} 图中文字（自动识别）：\n{shortened(reading, 300)}")
        return
    media = media_of(message.content)
    line = line_of(number, now.customer_name, message.content)
    if media is not None and media.attachment_id is None:
        await desk.notify(f"{line}文件没能取到，请客户重新发送。")
        return
    await desk.notify(line)
    if media is not None:
        await desk.notify(message.content)


async def recalled(news: News, event: MessageRecalled) -> None:
    now = news.served(event.session_id)
    if now is None or now.mode is ServiceMode.NATIVE:
        return
    message = message_view(await get_message(news.tx, event.message_id))
    desk = await news.desk(now.servicer)
    number = await desk.number_of(now.session_id)
    words = shortened(plain_text(message.content), 40)
    if message.sender is Sender.CUSTOMER:
        await desk.notify(f"#{number} {now.customer_name} 撤回了：{words}")
    elif message.servicer_id == now.servicer.id:
        await desk.notify(f"已撤回发给 #{number} {now.customer_name} 的：{words}")


async def delivery_changed(news: News, event: MessageDeliveryChanged) -> None:
    if event.delivery not in {Delivery.FAILED, Delivery.HELD}:
        return
    now = news.served(event.session_id)
    if now is None:
        return
    message = message_view(await get_message(news.tx, event.message_id))
    if message.sender is not Sender.SERVICER or message.servicer_id != now.servicer.id:
        return
    desk = await news.desk(now.servicer)
    number = await desk.number_of(now.session_id)
    words = shortened(plain_text(message.content), 40)
    why = _FAILURES.get(event.failure.split(":")[0], f"平台退回，{event.failure}")
    await desk.notify(f"#{number} {now.customer_name} 没有收到「{words}」：{why}。")


async def note_added(news: News, event: NoteAdded) -> None:
    """A colleague's or a supervisor's word; one's own was answered when it was written."""
    now = news.served(event.note.session_id)
    if now is None or event.note.author_id == now.servicer.user_id:
        return
    desk = await news.desk(now.servicer)
    number = await desk.number_of(now.session_id)
    if number is not None:
        await desk.notify(f"#{number} {now.customer_name} {note_lines([event.note])[0]}")


async def window_changed(news: News, event: WindowChanged) -> None:
    now = news.served(event.session_id)
    if now is None or now.mode is ServiceMode.NATIVE or event.window.until is None:
        return
    due = event.window.until - timedelta(seconds=news.tx.settings.get(Window).warn_before_s)
    if due > news.tx.now:
        await timers.set_timer(news.tx, WINDOW_TIMER, now.session_id, due)
    left = event.window.left
    if left is None or left > max(1, news.tx.settings.get(Window).warn_left):
        return
    desk = await news.desk(now.servicer)
    number = await desk.number_of(now.session_id)
    if number is None:
        return
    await desk.notify(
        f"#{number} {now.customer_name} 本轮只剩最后 {left} 条可发，连着发的几句会合成一条。"
        if left
        else f"#{number} {now.customer_name} 本轮 5 条已用完，客户再来消息后才能继续；"
        "要先存下的话请发「留言 内容」。"
    )


async def rated(news: News, event: RatingGiven) -> None:
    rating = event.rating
    desk = await news.desk_of(rating.servicer_id)
    if desk is None or rating.score is None:
        return
    session = await session_view(news.tx, rating.session_id)
    labels = news.tx.settings.get(Rating).labels
    await desk.notify(f"{who(session)} 评价：{labels[5 - rating.score]}（{rating.score} 分）")


async def explained(news: News, event: RatingExplained) -> None:
    """The comment comes last and tells the whole; a reason tells itself."""
    rating = event.rating
    desk = await news.desk_of(rating.servicer_id)
    if desk is None:
        return
    session = await session_view(news.tx, rating.session_id)
    parts = ["、".join(rating.reasons), f"“{rating.comment}”" if rating.comment else ""]
    words = "；".join(part for part in parts if part)
    await desk.notify(f"{who(session)} 说明了评价的原因：{words}")
