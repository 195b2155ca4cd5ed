"""Attachments in an S3-compatible store (AWS, MinIO, OSS, COS): four calls, signed by hand.

Source: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from aiohttp import ClientSession, ClientTimeout
from yarl import URL

from core.clock import Clock
from core.errors import NotFound
from core.ports import refuse_inside_write_block

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_TIMEOUT: Final = ClientTimeout(total=60, connect=5)


@dataclass(frozen=True, slots=True)
class S3Config:
    """endpoint: `https://host` of the store; the bucket is part of the path."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    prefix: str = ""


class S3Error(OSError):
    """The store did not do what it was asked."""


class S3Blobs:
    """A `core.attachments.blobs.BlobStore`. The session is opened and closed by its owner."""

    def __init__(self, config: S3Config, session: ClientSession, clock: Clock) -> None:
        self._config = config
        self._session = session
        self._clock = clock

    async def put(self, key: str, data: bytes) -> None:
        await self._call("PUT", key, data)

    async def get(self, key: str) -> bytes:
        status, body = await self._call("GET", key)
        if status == 404:
            raise NotFound(noun="attachment", id=key)
        return body

    async def has(self, key: str) -> bool:
        status, _ = await self._call("HEAD", key)
        return status == 200

    async def delete(self, key: str) -> None:
        await self._call("DELETE", key)

    async def _call(self, method: str, key: str, data: bytes = b"") -> tuple[int, bytes]:
        refuse_inside_write_block("Calling the object store")
        config = self._config
        path = quote(f"/{config.bucket}/{config.prefix}{key}", safe="/~")
        url = URL(config.endpoint.rstrip("/") + path, encoded=True)
        host = url.host_port_subcomponent or ""
        if url.is_default_port():
            host = url.host_subcomponent or ""
        headers = signed_headers(
            config, method, path, {"host": host}, data=data, now=self._clock.now()
        )
        async with self._session.request(
            method, url, data=data or None, headers=headers, timeout=_TIMEOUT
        ) as response:
            body = await response.read()
            if response.status >= 300 and response.status != 404:
                raise S3Error(f"{method} was answered with {response.status}")
            if response.status == 404 and method == "PUT":
                raise S3Error("the bucket does not exist")
            return response.status, body


def signed_headers(
    config: S3Config,
    method: str,
    path: str,
    headers: Mapping[str, str],
    *,
    data: bytes,
    now: datetime,
) -> dict[str, str]:
    """The given headers (lower case, with host) and those that prove who sends them.

    path: percent-encoded, without query.
    """
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(data).hexdigest()
    known = {**headers, "x-amz-content-sha256": digest, "x-amz-date": moment}
    names = ";".join(sorted(known))
    lines = "".join(f"{name}:{known[name].strip()}\n" for name in sorted(known))
    request = "\n".join((method, path, "", lines, names, digest))
    scope = f"{moment[:8]}/{config.region}/s3/aws4_request"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join((_ALGORITHM, moment, scope, hashed))
    signature = hmac.new(_key(config, moment[:8]), text.encode(), hashlib.sha256).hexdigest()
    known["authorization"] = (
        f"{_ALGORITHM} Credential={config.access_key}/{scope},"
        f"SignedHeaders={names},Signature={signature}"
    )
    return known


def _key(config: S3Config, day: str) -> bytes:
    key = f"AWS4{config.secret_key}".encode()
    for part in (day, config.region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
