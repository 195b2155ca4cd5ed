"""Updates of the Telegram Bot API as ours. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict

import telegram

from channels.update import MenuChosen, MessageReceived, UnknownEvent, Update
from core.content import (
    Address,
    Content,
    File,
    Image,
    Location,
    Media,
    Text,
    Unsupported,
    Video,
    Voice,
)

CHANNEL = "telegram"
_MAX_RAW = 4000


class _Head(TypedDict):
    update_id: str
    address: Address
    occurred_at: datetime


def to_update(update: telegram.Update, account: str) -> Update:
    """One update. What we do not understand becomes Unsupported or UnknownEvent."""
    chat = update.effective_chat
    message = update.effective_message
    moment = message.date if isinstance(message, telegram.Message) else datetime.now(UTC)
    head = _Head(
        update_id=str(update.update_id),
        address=Address(CHANNEL, account, str(chat.id) if chat else ""),
        occurred_at=moment,
    )
    if update.callback_query is not None:
        return _chosen(update.callback_query, head)
    if update.message is not None:
        message_id = str(update.message.message_id)
        content = to_content(update.message)
        return MessageReceived(**head, message_id=message_id, content=content)
    return UnknownEvent(**head, kind="update", raw=update.to_json()[:_MAX_RAW])


def _chosen(query: telegram.CallbackQuery, head: _Head) -> Update:
    data = query.data or ""
    markup = query.message.reply_markup if isinstance(query.message, telegram.Message) else None
    buttons = [button for row in markup.inline_keyboard for button in row] if markup else []
    label = next((button.text for button in buttons if button.callback_data == data), data)
    return MenuChosen(**head, message_id=head["update_id"], menu_id=data, text=label)


def to_content(message: telegram.Message) -> Content:
    """What a message says."""
    if message.text is not None:
        return Text(text=message.text)
    if message.location is not None:
        place = message.location
        return Location(latitude=place.latitude, longitude=place.longitude)
    return _file(message) or Unsupported(kind="message", raw=message.to_json()[:_MAX_RAW])


def _file(message: telegram.Message) -> Content | None:
    """The file of a message; of several sizes of a picture the largest."""
    if message.photo:
        photo = message.photo[-1]
        return Image(media=Media(vendor_ref=photo.file_id, size=photo.file_size))
    if (voice := message.voice) is not None:
        return Voice(media=_media(voice.file_id, "", voice.mime_type, voice.file_size))
    if (video := message.video) is not None:
        name, mime = video.file_name, video.mime_type
        return Video(media=_media(video.file_id, name, mime, video.file_size))
    if (document := message.document) is not None:
        name, mime = document.file_name, document.mime_type
        return File(media=_media(document.file_id, name, mime, document.file_size))
    return None


def _media(ref: str, name: str | None, mime: str | None, size: int | None) -> Media:
    return Media(vendor_ref=ref, name=name or "", mime=mime or "", size=size)
