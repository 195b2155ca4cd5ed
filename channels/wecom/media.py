"""Our files as media ids of WeCom: uploaded once, remembered while they live (3 days).

Source: developer.work.weixin.qq.com/document/path/90253.
"""

from __future__ import annotations

from typing import Literal

from channels.base import Download
from channels.errors import Rejected
from channels.wecom.client import WeComClient
from core.content import Content, Link, Media, MiniProgram, media_of
from core.ports import Files, KeyValue

MediaKind = Literal["image", "voice", "video", "file"]

_LIFE_S = 2.5 * 24 * 3600
_MIN_BYTES = 6
_MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
_MEGABYTE = 1024 * 1024
_MAX_BYTES: dict[MediaKind, int] = {
    "image": 10 * _MEGABYTE,
    "voice": 2 * _MEGABYTE,
    "video": 10 * _MEGABYTE,
    "file": 20 * _MEGABYTE,
}
_NAMES: dict[MediaKind, str] = {
    "image": "image.jpg",
    "voice": "voice.amr",
    "video": "video.mp4",
    "file": "file.bin",
}


class MediaIds:
    """The media ids of one application."""

    def __init__(self, client: WeComClient, *, files: Files, cache: KeyValue, scope: str) -> None:
        self._client = client
        self._files = files
        self._cache = cache
        self._scope = scope

    async def find(self, kind: MediaKind, media: Media) -> str:
        """A media id that can be sent. Raises ChannelError; Rejected when there is no file."""
        if media.attachment_id is None:
            if media.vendor_ref is None:
                raise Rejected("a message without its file")
            return media.vendor_ref
        key = self._key(kind, media.attachment_id)
        known = await self._cache.get(key)
        return known or await self._upload(kind, media.attachment_id, media, key)

    async def forget(self, kind: MediaKind, media: Media) -> bool:
        """Drop an id that WeCom calls expired. False when we have no copy to upload again."""
        if media.attachment_id is None:
            return False
        await self._cache.delete(self._key(kind, media.attachment_id))
        return True

    async def download(self, media: Media) -> Download:
        """A file that somebody sent; WeCom keeps it for 3 days. Raises ChannelError."""
        if media.vendor_ref is None:
            raise Rejected("a file that the platform does not know")
        found = await self._client.download(media.vendor_ref, max_bytes=_MAX_DOWNLOAD_BYTES)
        return Download(
            found.body, name=media.name or found.filename or "", mime=found.content_type
        )

    async def _upload(self, kind: MediaKind, attachment_id: str, media: Media, key: str) -> str:
        data = await self._files.read(attachment_id)
        if not _MIN_BYTES <= len(data) <= _MAX_BYTES[kind]:
            raise Rejected(f"a {kind} of {len(data)} bytes")
        media_id = await self._client.upload(
            kind, name=media.name or _NAMES[kind], data=data, mime=media.mime
        )
        await self._cache.set(key, media_id, ttl_s=_LIFE_S)
        return media_id

    def _key(self, kind: MediaKind, attachment_id: str) -> str:
        return f"wecom.media:{self._scope}:{kind}:{attachment_id}"


_KINDS: dict[str, MediaKind] = {
    "image": "image",
    "voice": "voice",
    "video": "video",
    "file": "file",
}


def attachment_of(content: Content) -> tuple[MediaKind, Media] | None:
    """The file that must be uploaded before the content can be sent."""
    if isinstance(content, Link | MiniProgram):
        return ("image", content.thumb) if content.thumb else None
    media = media_of(content)
    return (_KINDS[content.type], media) if media else None
