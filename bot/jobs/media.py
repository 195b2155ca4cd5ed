"""Fetching what customers sent, at once: the platform keeps it for three days only."""

from __future__ import annotations

import logging
from pathlib import PurePath

from bot.answering import ask_for_words
from bot.channels import Channels
from bot.turn import READING_TIMER, Turn
from core.content import Address, Content, Image, Media, media_of, with_media
from core.conversations.media import fail_media, keep_media
from core.conversations.queries import get_message, message_view
from core.conversations.threads import get_thread
from core.db import UnitOfWork
from core.errors import Invalid
from core.ports import Files, SendFailure
from core.timers import service as timers
from core.timers.service import Timer

log = logging.getLogger(__name__)

_NAMES = {
    "image": "image.jpg",
    "voice": "voice.amr",
    "video": "video.mp4",
    "file": "file",
}


async def fetch_media(uow: UnitOfWork, channels: Channels, files: Files, timer: Timer) -> None:
    """Download the file of message `timer.key`, check and keep it. Busy platforms: tried again."""
    async with uow.read() as tx:
        view = message_view(await get_message(tx, timer.key))
        address = (await get_thread(tx, view.conversation_id)).address
    media = media_of(view.content)
    if media is None or media.attachment_id is not None:
        async with uow.write() as tx:
            await timers.finish(tx, timer)
        return
    try:
        stored = await _fetch(channels, files, address, media, view.content.type)
    except (SendFailure, Invalid) as error:
        if isinstance(error, SendFailure) and error.kind == "retry":
            raise  # the timer comes again
        log.warning("A file was not kept.", extra={"action": "media.refused", "why": str(error)})
        async with uow.write() as tx:
            await timers.finish(tx, timer)
            code = error.code if isinstance(error, Invalid) else "media_unavailable"
            await fail_media(tx, timer.key, code)
            if isinstance(view.content, Image):  # nothing will be read
                await ask_for_words(await Turn.of_conversation(tx, view.conversation_id))
        return
    async with uow.write() as tx:
        await timers.finish(tx, timer)
        await keep_media(tx, timer.key, with_media(view.content, stored))
        if isinstance(view.content, Image):
            await timers.set_timer(tx, READING_TIMER, timer.key, tx.now)


class ChannelDownloads:
    """Files that servicers send in the platform's app: fetched before they are passed on."""

    def __init__(self, channels: Channels, files: Files) -> None:
        self._channels = channels
        self._files = files

    async def keep(self, address: Address, content: Content) -> Content:
        """The same content with its file among our attachments.

        Raises: Invalid when it is refused or gone; SendFailure when the platform is busy.
        """
        media = media_of(content)
        if media is None:
            return content
        try:
            kept = await _fetch(self._channels, self._files, address, media, content.type)
        except SendFailure as failure:
            if failure.kind == "retry":
                raise
            raise Invalid("media_unavailable") from failure
        return with_media(content, kept)


async def _fetch(
    channels: Channels, files: Files, address: Address, media: Media, kind: str
) -> Media:
    found = await channels.of(address).download(media)
    name = found.name or media.name or _NAMES.get(kind, "file")
    attachment_id = await files.store(found.data, name=PurePath(name).name)
    kept = {"attachment_id": attachment_id, "name": name, "size": len(found.data)}
    return media.model_copy(update=kept)
