"""Attachments rest where the configuration says, and a half-set store is refused at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import ValidationError

from bot.config import Settings, StorageSettings
from bot.storage import open_blobs
from core.clock import ManualClock

KEY = "ab" * 32


async def test_a_directory_is_the_default(tmp_path: Path) -> None:
    async with open_blobs(Settings(data_dir=tmp_path), ManualClock()) as blobs:
        await blobs.put(KEY, b"picture")
    assert [file.name for file in (tmp_path / "attachments").rglob("*") if file.is_file()] == [KEY]


async def test_an_object_store_takes_what_is_configured_for_it(tmp_path: Path) -> None:
    objects: dict[str, bytes] = {}

    async def put(request: web.Request) -> web.Response:
        assert "Credential=a-key/" in request.headers["Authorization"]
        objects[request.path] = await request.read()
        return web.Response()

    app = web.Application()
    app.router.add_put("/{tail:.*}", put)
    async with TestServer(app) as server:
        settings = Settings.model_validate(
            {
                "data_dir": tmp_path,
                "storage": {
                    "kind": "s3",
                    "endpoint": str(server.make_url("")),
                    "bucket": "files",
                    "key": "a-key",
                    "secret": "a-secret",
                    "prefix": "kf/",
                },
            }
        )
        async with open_blobs(settings, ManualClock()) as blobs:
            await blobs.put(KEY, b"picture")
    assert objects == {f"/files/kf/{KEY}": b"picture"}
    assert not (tmp_path / "attachments").exists()


def test_a_store_without_its_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="endpoint、bucket、key 与 secret"):
        StorageSettings(kind="s3", endpoint="https://s3.example.com", bucket="files")
