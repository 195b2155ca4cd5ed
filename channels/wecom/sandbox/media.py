"""Temporary media: `media/upload`, `media/get`, and files that people send from their phones.

Source: developer.work.weixin.qq.com/document/path/90253, 90254.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.content import check_media
from channels.wecom.sandbox.errors import ApiError, Refusal
from channels.wecom.sandbox.state import KEPT_S, MediaInfo
from channels.wecom.sandbox.world import World

MB: Final = 1024 * 1024
_MIN_BYTES: Final = 5
_MOST: Final = 20 * MB
#: The largest upload by API and by customers. Source: document/path/90253, 94670.
_API_LIMITS: Final = {"image": 10 * MB, "voice": 2 * MB, "video": 10 * MB, "file": 20 * MB}
_PHONE_LIMITS: Final = {"image": 2 * MB, "voice": 2 * MB, "video": 10 * MB, "file": 20 * MB}
_KIND_WORDS: Final = {"image": "图片", "voice": "语音", "video": "视频", "file": "文件"}


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    data: bytes


async def read_upload(request: web.Request) -> Upload:
    """The part called `media`. Raises: ApiError 41005 absent, 45001 too large."""
    if not request.content_type.startswith("multipart/"):
        raise ApiError(41005, "media data missing")
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if isinstance(part, BodyPartReader) and part.name == "media":
            return Upload(part.filename or "media", await _read_capped(part))
    raise ApiError(41005, "media data missing")


def keep(world: World, kind: str, upload: Upload) -> MediaInfo:
    media = MediaInfo(
        media_id=world.code("3")[:64],
        kind=kind,
        name=upload.name,
        mime=mimetypes.guess_type(upload.name)[0] or "application/octet-stream",
        size=len(upload.data),
        created_at=world.now(),
    )
    world.state.media[media.media_id] = media
    world.media_bytes[media.media_id] = upload.data
    world.changes += 1
    return media


def upload_by_api(world: World, kind: str, upload: Upload) -> Json:
    if kind not in _API_LIMITS:
        raise ApiError(40004, "invalid media type")
    if len(upload.data) <= _MIN_BYTES:
        raise ApiError(44001, "empty media data")
    if len(upload.data) > _API_LIMITS[kind]:
        raise ApiError(45001, "media size out of limit")
    if not _looks_like(kind, upload.data):
        raise ApiError(40005 if kind != "image" else 40123, "invalid file type")
    media = keep(world, kind, upload)
    return {"type": kind, "media_id": media.media_id, "created_at": str(int(media.created_at))}


def upload_by_phone(world: World, kind: str, upload: Upload) -> tuple[str, Json]:
    """The msgtype and object of the message that a customer's upload becomes."""
    if kind not in _PHONE_LIMITS:
        raise Refusal("bad_request", "没有这种文件类型")
    if not upload.data:
        raise Refusal("bad_request", "文件是空的")
    if len(upload.data) > _PHONE_LIMITS[kind]:
        return "text", {"content": f"[{_KIND_WORDS[kind]}]超过大小限制，无法查看"}
    return kind, {"media_id": keep(world, kind, upload).media_id}


def download(world: World, media_id: str) -> web.Response:
    """Raises: ApiError 40007."""
    check_media(world, media_id)
    media = world.state.media[media_id]
    name = quote(media.name)
    ascii_name = media.name.encode("ascii", "ignore").decode().replace('"', "") or "media"
    return web.Response(
        body=world.media_bytes[media_id],
        headers={
            "Content-Type": media.mime,
            "Content-Disposition": (
                f"attachment; filename=\"{ascii_name}\"; filename*=utf-8''{name}"
            ),
            "X-Content-Type-Options": "nosniff",
        },
    )


def forget_old(world: World) -> None:
    """Free the bytes of media that nobody can fetch any more."""
    limit = world.now() - KEPT_S
    for media_id in [m.media_id for m in world.state.media.values() if m.created_at < limit]:
        del world.state.media[media_id]
        world.media_bytes.pop(media_id, None)


async def _read_capped(part: BodyPartReader) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(256 * 1024):
        data += chunk
        if len(data) > _MOST:
            raise ApiError(45001, "media size out of limit")
    return bytes(data)


def _looks_like(kind: str, data: bytes) -> bool:
    match kind:
        case "image":
            return data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
        case "voice":
            return data.startswith(b"#!AMR")
        case "video":
            return data[4:8] == b"ftyp"
        case _:
            return True
