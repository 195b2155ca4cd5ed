"""The only HTTP client towards platforms: time limits, size caps, and no secrets in logs."""

from __future__ import annotations

import io
import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from channels.errors import Rejected, RetryLater
from core.ports import refuse_inside_write_block

log = logging.getLogger(__name__)

JsonObject = dict[str, object]

MAX_JSON_BYTES = 16 * 1024 * 1024
_CHUNK = 64 * 1024
_UNPRINTABLE = re.compile("[\x00\ud800-\udfff]")


class ResponseTooLarge(Rejected):
    """The answer is larger than we are willing to hold."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with its whole body, capped in size."""

    status: int
    body: bytes
    content_type: str
    filename: str | None

    def json(self) -> JsonObject:
        """The body as a JSON object, free of text that no database takes.

        Raises: RetryLater when it is something else (a proxy's error page, a cut answer).
        """
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            raise RetryLater(f"no JSON in an answer with status {self.status}") from None
        if not isinstance(value, dict):
            raise RetryLater(f"no JSON object in an answer with status {self.status}")
        return _printable(value) if b"\\u" in self.body else value


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as the part of a multipart body."""

    field: str
    filename: str
    data: bytes
    mime: str = "application/octet-stream"


def redacted(url: str) -> str:
    """The address with the values of its query hidden: they carry tokens and secrets."""
    parsed = URL(url)
    if not parsed.query_string:
        return str(parsed.with_user(None))
    return f"{parsed.with_user(None).with_query(None)}?{'&'.join(f'{k}=…' for k in parsed.query)}"


class HttpClient:
    """Calls platforms. One per channel; opened at the first call, closed by its channel."""

    def __init__(self, *, timeout_s: float = 10, max_json_bytes: int = MAX_JSON_BYTES) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=min(5, timeout_s))
        self._max_json_bytes = max_json_bytes
        self._session: aiohttp.ClientSession | None = None

    async def get_json(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> JsonObject:
        """GET and parse. Raises RetryLater, Rejected."""
        limit = self._max_json_bytes
        return (await self._request("GET", url, params, limit, headers=headers)).json()

    async def post_json(
        self, url: str, body: Mapping[str, object], params: Mapping[str, str] | None = None
    ) -> JsonObject:
        """POST JSON as raw UTF-8 and parse the answer. WeCom refuses escapes (errcode 40033)."""
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        response = await self._request("POST", url, params, self._max_json_bytes, data=data)
        return response.json()

    async def post_signed(self, url: str, body: bytes, headers: Mapping[str, str]) -> JsonObject:
        """POST bytes that a signature in the headers vouches for, and parse the answer."""
        limit = self._max_json_bytes
        return (await self._request("POST", url, None, limit, data=body, headers=headers)).json()

    async def post_file(
        self, url: str, upload: Upload, params: Mapping[str, str] | None = None
    ) -> JsonObject:
        """POST one file as multipart/form-data and parse the answer."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field(
            upload.field,
            io.BytesIO(upload.data),
            filename=upload.filename,
            content_type=upload.mime,
        )
        response = await self._request("POST", url, params, self._max_json_bytes, data=form)
        return response.json()

    async def download(
        self, url: str, params: Mapping[str, str] | None = None, *, max_bytes: int
    ) -> Response:
        """GET raw bytes. Raises ResponseTooLarge beyond `max_bytes`."""
        return await self._request("GET", url, params, max_bytes)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _request(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        max_bytes: int,
        *,
        data: bytes | aiohttp.FormData | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        refuse_inside_write_block("an HTTP call")
        started = time.perf_counter()
        try:
            response = await self._exchange(method, url, params, max_bytes, data, headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # The cause is cut off: aiohttp puts whole addresses, with tokens, into some messages.
            raise RetryLater(f"{redacted(url)}: {type(error).__name__}") from None
        if log.isEnabledFor(logging.DEBUG):  # reading the address costs more than the line
            elapsed_ms = round((time.perf_counter() - started) * 1000)
            log.debug(
                "%s %s answered %d", method, redacted(url), response.status,
                extra={"action": "http.called", "elapsed_ms": elapsed_ms},
            )  # fmt: skip
        if response.status >= 500 or response.status == 429:
            raise RetryLater(f"{redacted(url)}: status {response.status}")
        if response.status >= 400:
            raise Rejected(f"{redacted(url)}: status {response.status}")
        return response

    async def _exchange(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        max_bytes: int,
        data: bytes | aiohttp.FormData | None,
        headers: Mapping[str, str] | None,
    ) -> Response:
        if headers is None and isinstance(data, bytes):
            headers = {"Content-Type": "application/json"}
        async with self._open().request(
            method, url, params=params, data=data, headers=headers, allow_redirects=False
        ) as answer:
            disposition = answer.content_disposition
            return Response(
                status=answer.status,
                body=await _read(answer, max_bytes),
                content_type=answer.content_type,
                filename=disposition.filename if disposition else None,
            )

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self._session


async def _read(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise ResponseTooLarge(f"an answer is larger than {max_bytes} bytes")
    return bytes(body)


def _printable(value: JsonObject) -> JsonObject:
    return {key: _clean(item) for key, item in value.items()}


def _clean(value: object) -> object:
    """Without NUL and lone surrogates, which PostgreSQL and UTF-8 refuse."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub("�", value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_UNPRINTABLE.sub("�", key): _clean(item) for key, item in value.items()}
    return value
