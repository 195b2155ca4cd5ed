"""Where attachments rest, as the configuration says: a directory, or an S3-compatible store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from admin_api.s3 import S3Blobs, S3Config
from bot.config import Settings
from core.attachments.blobs import BlobStore, LocalBlobs
from core.clock import Clock


@asynccontextmanager
async def open_blobs(settings: Settings, clock: Clock) -> AsyncIterator[BlobStore]:
    """The store that is configured, and its connections for as long as the block runs."""
    storage = settings.storage
    if storage.kind == "local":
        yield LocalBlobs(settings.data_dir / "attachments")
        return
    config = S3Config(
        storage.endpoint,
        storage.bucket,
        storage.key,
        storage.secret.get_secret_value(),
        storage.region,
        storage.prefix,
    )
    async with aiohttp.ClientSession() as http:
        yield S3Blobs(config, http, clock)
