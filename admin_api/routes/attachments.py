"""Uploading and downloading files."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from admin_api.auth import identify
from admin_api.endpoint import BASE, Call, endpoint
from admin_api.uploads import read_upload
from core.permissions import Permission
from core.settings.sections import Uploads
from core.views import AttachmentView

#: Shown in place by browsers; everything else is downloaded.
_INLINE: Final = ("image/", "audio/", "video/")


class DownloadLinkView(BaseModel):
    model_config = ConfigDict(frozen=True)

    url: str


class DownloadQuery(BaseModel):
    """ticket: instead of the bearer header. thumb: a small WebP of an image."""

    model_config = ConfigDict(frozen=True)

    ticket: str | None = Field(None, max_length=128)
    thumb: bool = False


@endpoint(
    "POST",
    "/attachments",
    access=Permission.SESSION_SERVE,
    tag="attachments",
    status=201,
    multipart=True,
)
async def upload(call: Call) -> AttachmentView:
    """Upload one file (multipart field `file`); equal bytes give the equal id."""
    sent = await read_upload(call.request, largest_upload(call))
    return await call.services.files.keep(sent.data, name=sent.name)


@endpoint("GET", "/attachments/{attachment_id}", access="public", tag="attachments")
async def download(call: Call, attachment_id: str, query: DownloadQuery) -> web.Response:
    """The file; with the bearer header or a ticket."""
    if query.ticket is not None:
        now = call.services.uow.clock.now()
        call.services.tokens.check_ticket(attachment_id, query.ticket, now=now)
    else:
        actor, _ = await identify(call.services, call.request, ip=call.ip)
        actor.require(Permission.SESSION_SERVE)
    etag = f'"{attachment_id}{".thumb" if query.thumb else ""}"'
    if call.request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers={"ETag": etag})
    if query.thumb:
        body = await call.services.files.thumbnail(attachment_id)
        return file_response(body, "image/webp", "thumb.webp", etag)
    view = await call.services.files.describe(attachment_id)
    body = await call.services.files.read(attachment_id)
    return file_response(body, view.mime, view.name, etag)


@endpoint(
    "POST",
    "/attachments/{attachment_id}/ticket",
    access=Permission.SESSION_SERVE,
    tag="attachments",
)
async def make_ticket(call: Call, attachment_id: str) -> DownloadLinkView:
    """A link that works for a minute without the header, for <img> and downloads."""
    await call.services.files.describe(attachment_id)
    lifetime = timedelta(seconds=call.services.config.ticket_s)
    until = call.services.uow.clock.now() + lifetime
    ticket = call.services.tokens.ticket(attachment_id, until=until)
    return DownloadLinkView(url=f"{BASE}/attachments/{attachment_id}?ticket={quote(ticket)}")


def largest_upload(call: Call) -> int:
    """What no kind of file may exceed; each kind's own limit is checked once it is known."""
    limits = call.services.settings.get(Uploads)
    kinds = (limits.image_max_bytes, limits.voice_max_bytes, limits.video_max_bytes)
    return min(max(*kinds, limits.file_max_bytes), call.services.config.upload_max_bytes)


def file_response(body: bytes, mime: str, name: str, etag: str) -> web.Response:
    way = "inline" if mime.startswith(_INLINE) else "attachment"
    charset = "; charset=utf-8" if mime == "text/plain" else ""
    return web.Response(
        body=body,
        headers={
            "Content-Type": mime + charset,
            "Content-Disposition": f"{way}; filename*=UTF-8''{quote(name, safe='')}",
            "Cache-Control": "private, max-age=86400, immutable",
            "ETag": etag,
        },
    )
