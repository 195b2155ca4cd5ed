"""Attachments in an S3-compatible store, against the vendor's own examples and at the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from admin_api.s3 import S3Blobs, S3Config, S3Error, signed_headers
from core.clock import ManualClock
from core.errors import NotFound

EXAMPLE = S3Config(
    endpoint="https://examplebucket.s3.amazonaws.com",
    bucket="",
    access_key="AKIAIOSFODNN7EXAMPLE",
    secret_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
)
DAY = datetime(2013, 5, 24, tzinfo=UTC)
HOST = {"host": "examplebucket.s3.amazonaws.com"}


def test_the_signatures_are_those_of_the_vendors_examples() -> None:
    get = signed_headers(
        EXAMPLE, "GET", "/test.txt", {**HOST, "range": "bytes=0-9"}, data=b"", now=DAY
    )
    assert get["authorization"].endswith(
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
    more = {"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"}
    put = signed_headers(
        EXAMPLE,
        "PUT",
        "/test%24file.text",
        {**HOST, **more},
        data=b"Welcome to Amazon S3.",
        now=DAY,
    )
    assert put["authorization"].endswith(
        "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )
    assert "wJalr" not in repr(EXAMPLE)


class Store:
    """A bucket at the wire that checks each signature."""

    def __init__(self, config: S3Config) -> None:
        self.config = config
        self.objects: dict[str, bytes] = {}
        self.is_broken = False

    async def handle(self, request: web.Request) -> web.Response:
        data = await request.read()
        expected = signed_headers(
            self.config,
            request.method,
            request.rel_url.raw_path,
            {"host": request.headers["Host"]},
            data=data,
            now=DAY,
        )
        if self.is_broken or request.headers["Authorization"] != expected["authorization"]:
            return web.Response(status=403)
        path = request.path
        if request.method == "PUT":
            self.objects[path] = data
        elif request.method == "DELETE":
            self.objects.pop(path, None)
            return web.Response(status=204)
        elif path not in self.objects:
            return web.Response(status=404)
        return web.Response(body=self.objects.get(path, b""))


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    config = S3Config("", "files", "key", "secret", "cn-north-1", "kf/")
    made = Store(config)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.handle)
    async with TestServer(app) as server:
        object.__setattr__(config, "endpoint", str(server.make_url("/")))
        yield made


async def test_blobs_are_put_read_and_deleted(store: Store) -> None:
    async with ClientSession() as session:
        blobs = S3Blobs(store.config, session, ManualClock(DAY))
        key = "a" * 64
        assert not await blobs.has(key)
        with pytest.raises(NotFound):
            await blobs.get(key)
        await blobs.put(key, b"\x00\xffbytes")
        assert list(store.objects) == [f"/files/kf/{key}"]
        assert await blobs.has(key)
        assert await blobs.get(key) == b"\x00\xffbytes"
        await blobs.delete(key)
        await blobs.delete(key)
        assert store.objects == {}


async def test_a_store_that_refuses_is_an_error_not_a_missing_file(store: Store) -> None:
    async with ClientSession() as session:
        blobs = S3Blobs(store.config, session, ManualClock(DAY))
        store.is_broken = True
        for call in (blobs.get("k"), blobs.put("k", b""), blobs.has("k"), blobs.delete("k")):
            with pytest.raises(S3Error):
                await call
