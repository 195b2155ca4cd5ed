"""Multipart requests with one file, capped while they are read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError, PayloadEncodingError

from admin_api.body import DIGEST, TooLarge, check_text, read_capped
from core.errors import Invalid

_CHUNK: Final = 64 * 1024
#: What the parser says of broken bodies.
_BROKEN: Final = (ValueError, AssertionError, HttpProcessingError, PayloadEncodingError)
_MAX_FIELDS: Final = 16
_MAX_FIELD_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Upload:
    """The part named `file`, and the plain fields beside it."""

    data: bytes
    name: str
    fields: dict[str, str]


async def read_upload(request: web.Request, most: int) -> Upload:
    """Read the whole form.

    Raises: Invalid `file_missing`, also for broken forms; TooLarge.
    """
    if not request.content_type.startswith("multipart/"):
        raise Invalid("file_missing")
    try:
        return await _read_form(request, most)
    except _BROKEN as error:
        raise Invalid("file_missing") from error


async def _read_form(request: web.Request, most: int) -> Upload:
    file: tuple[bytes, str] | None = None
    fields: dict[str, str] = {}
    async for part in await _parts(request, most):
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise Invalid("file_missing")
        if part.name == "file" and file is None:
            file = await _read_part(part, most), _filename(part)
        elif len(fields) < _MAX_FIELDS:
            value = await _read_part(part, _MAX_FIELD_BYTES)
            fields[part.name] = check_text(value.decode("utf-8", "replace"))
        else:
            raise Invalid("file_missing")
    if file is None:
        raise Invalid("file_missing")
    return Upload(*file, fields)


async def _parts(request: web.Request, most: int) -> MultipartReader:
    """As it comes; what was signed is compared as a whole before any of it is believed."""
    if DIGEST not in request:
        return await request.multipart()
    body = await read_capped(request, most + _MAX_FIELDS * _MAX_FIELD_BYTES)
    loop = asyncio.get_running_loop()
    stream = StreamReader(BaseProtocol(loop), len(body) + 1, loop=loop)
    stream.feed_data(body)
    stream.feed_eof()
    return MultipartReader(request.headers, stream)


async def _read_part(part: BodyPartReader, most: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(_CHUNK):
        data += chunk
        if len(data) > most:
            raise TooLarge(most=most)
    return bytes(data)


def _filename(part: BodyPartReader) -> str:
    """As the client's file is called; some clients percent-encode what is not ASCII."""
    name = part.filename or ""
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError:
        return name
