"""Telegram: a development channel over python-telegram-bot, used as a transport only."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import telegram
from telegram import error as tg
from telegram.request import HTTPXRequest
from typing_extensions import override

from channels.base import AccountInfo, Channel, Services
from channels.capabilities import Capabilities
from channels.degrade import fit
from channels.errors import BadCredentials, ChannelError, Rejected, RetryLater
from channels.telegram.config import TelegramSettings
from channels.telegram.convert import to_update
from channels.update import to_inbox
from core.content import Content, Location, Media, Menu, media_of, plain_text
from core.ports import (
    CursorMove,
    OutboundItem,
    OutboundMessage,
    RecallCommand,
    Receipt,
    refuse_inside_write_block,
)

log = logging.getLogger(__name__)

os.environ.setdefault("PTB_TIMEDELTA", "true")  # durations as timedelta, as in its next version

_REMEMBER_S = 24 * 3600
_MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
_LONGEST_PAUSE_S = 60.0


class Telegram(Channel):
    """One bot; its customers are private chats."""

    name: ClassVar[str] = "telegram"
    capabilities = Capabilities(
        kinds=frozenset({"text", "image", "voice", "video", "file", "location", "menu"}),
        max_text_bytes=4096,
        max_menu_clicks=50,
        max_menu_label_bytes=128,
        can_recall=True,
    )

    def __init__(self, settings: TelegramSettings, services: Services) -> None:
        token = settings.token.get_secret_value()
        self._account = token.partition(":")[0]
        self._services = services
        self._poll_s = settings.poll_s
        self._requests = (
            HTTPXRequest(connection_pool_size=8),
            HTTPXRequest(connection_pool_size=1, read_timeout=60),
        )
        self._bot = telegram.Bot(
            token,
            base_url=f"{settings.api_base}/bot",
            base_file_url=f"{settings.api_base}/file/bot",
            request=self._requests[0],
            get_updates_request=self._requests[1],
        )

    # --- receiving -----------------------------------------------------------------------------

    @override
    async def run(self) -> None:
        pause_s = 1.0
        while True:
            try:
                await self.receive()
                pause_s = 1.0
            except ChannelError as error:
                log.warning(
                    "Telegram cannot be read: %s", error.reason,
                    extra={"action": "telegram.refused"},
                )  # fmt: skip
                await asyncio.sleep(max(error.retry_after_s or 0, pause_s))
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def receive(self) -> int:
        """One long poll; how many updates were new. The offset moves with what is stored."""
        name = f"telegram.updates:{self._account}"
        cursor = await self._services.intake.cursor(name)
        try:
            updates = await self._bot.get_updates(
                offset=int(cursor) if cursor else None, timeout=self._poll_s
            )
        except tg.TelegramError as error:
            raise _translated(error) from None
        except (TypeError, ValueError, KeyError) as error:  # the library could not read it
            raise RetryLater(f"unreadable updates: {type(error).__name__}") from None
        if not updates:
            return 0
        items = [to_inbox(to_update(update, self._account)) for update in updates]
        move = CursorMove(name, str(updates[-1].update_id + 1))
        stored = await self._services.intake.accept(items, cursor=move)
        await self._stop_spinners(updates)
        return stored

    async def _stop_spinners(self, updates: Sequence[telegram.Update]) -> None:
        """A pressed button shows a spinner until it is answered; that it stays is no failure."""
        for update in updates:
            if update.callback_query is not None:
                try:
                    await self._bot.answer_callback_query(update.callback_query.id)
                except tg.TelegramError:
                    log.debug("A button was not answered", extra={"action": "telegram.spinner"})

    # --- sending -------------------------------------------------------------------------------

    @override
    async def send(self, item: OutboundItem) -> Receipt:
        refuse_inside_write_block("a Telegram call")
        try:
            match item:
                case OutboundMessage():
                    return await self._send_once(item)
                case RecallCommand():
                    return await self._recall(item)
                case _:
                    raise Rejected("Telegram has neither sessions nor cards of ours")
        except tg.TelegramError as error:
            raise _translated(error) from None

    async def _send_once(self, message: OutboundMessage) -> Receipt:
        """Telegram knows no ids of ours, so what was sent is remembered for a day."""
        key = f"telegram.sent:{message.message_id}"
        cache = self._services.cache
        if (known := await cache.get(key)) is not None:
            return Receipt(known)
        sent = ""
        for content in fit(message.content, self.capabilities):
            last = await self._send_content(int(message.address.user), content)
            sent = sent or str(last.message_id)
        await cache.set(key, sent, ttl_s=_REMEMBER_S)
        return Receipt(sent or None)

    async def _send_content(self, chat: int, content: Content) -> telegram.Message:
        match content:
            case Menu():
                text, keyboard = _menu_text(content), _keyboard(content)
                return await self._bot.send_message(chat, text, reply_markup=keyboard)
            case Location():
                return await self._bot.send_location(chat, content.latitude, content.longitude)
        media = media_of(content)
        if media is None:
            return await self._bot.send_message(chat, plain_text(content))
        return await self._send_file(chat, content.type, media)

    async def _send_file(self, chat: int, kind: str, media: Media) -> telegram.Message:
        file, name = await self._file(media), media.name or None
        if kind == "image":
            return await self._bot.send_photo(chat, file, filename=name)
        if kind == "voice":
            return await self._bot.send_voice(chat, file, filename=name)
        if kind == "video":
            return await self._bot.send_video(chat, file, filename=name)
        return await self._bot.send_document(chat, file, filename=name)

    async def _file(self, media: Media) -> bytes | str:
        if media.attachment_id is not None:
            return await self._services.files.read(media.attachment_id)
        if media.vendor_ref is None:
            raise Rejected("a message without its file")
        return media.vendor_ref

    async def _recall(self, command: RecallCommand) -> Receipt:
        if command.vendor_message_id is None:
            raise Rejected("the platform's id of the message is unknown")
        await self._bot.delete_message(int(command.address.user), int(command.vendor_message_id))
        return Receipt(command.vendor_message_id)

    # --- knowing -------------------------------------------------------------------------------

    @override
    async def accounts(self) -> Sequence[AccountInfo]:
        try:
            me = await self._bot.get_me()
        except tg.TelegramError as error:
            raise _translated(error) from None
        return (AccountInfo(account=self._account, name=me.full_name),)

    @override
    async def fetch(self, media: Media) -> bytes:
        if media.vendor_ref is None:
            raise Rejected("a file that the platform does not know")
        refuse_inside_write_block("a Telegram call")
        try:
            file = await self._bot.get_file(media.vendor_ref)
            if (file.file_size or 0) > _MAX_DOWNLOAD_BYTES:
                raise Rejected(f"a file of {file.file_size} bytes")
            return bytes(await file.download_as_bytearray())
        except tg.TelegramError as error:
            raise _translated(error) from None

    @override
    async def close(self) -> None:
        for request in self._requests:
            await request.shutdown()


def _menu_text(menu: Menu) -> str:
    shown = (item.label for item in menu.items if item.kind == "text")
    return "\n".join(line for line in (menu.head, *shown, menu.tail) if line) or "…"


def _keyboard(menu: Menu) -> telegram.InlineKeyboardMarkup:
    """One button per line. Telegram takes 64 bytes of data per button."""
    rows: list[list[telegram.InlineKeyboardButton]] = []
    for item in menu.items:
        if item.kind == "click":
            if len(item.id.encode()) > 64:
                raise Rejected("a menu id of more than 64 bytes")
            rows.append([telegram.InlineKeyboardButton(item.label, callback_data=item.id)])
        elif item.kind == "view":
            rows.append([telegram.InlineKeyboardButton(item.label, url=item.url)])
    return telegram.InlineKeyboardMarkup(rows)


#: First match wins: BadRequest is a NetworkError to the library and a refusal to us.
_ERRORS: tuple[tuple[type[tg.TelegramError], type[ChannelError], str], ...] = (
    (tg.InvalidToken, BadCredentials, "401"),
    (tg.Forbidden, Rejected, "403"),
    (tg.BadRequest, Rejected, "400"),
    (tg.RetryAfter, RetryLater, "429"),
    (tg.Conflict, RetryLater, "409"),  # another process reads this bot
    (tg.NetworkError, RetryLater, ""),
    (tg.TelegramError, Rejected, ""),
)


def _translated(error: tg.TelegramError) -> ChannelError:
    ours, code = next((ours, code) for theirs, ours, code in _ERRORS if isinstance(error, theirs))
    wait = error.retry_after if isinstance(error, tg.RetryAfter) else None
    wait_s = wait.total_seconds() if isinstance(wait, timedelta) else wait
    reason = f"Telegram: {type(error).__name__}"
    return ours(reason, vendor_code=code, retry_after_s=wait_s)
