"""/readyz tells by name what does not work yet, or any more."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from bot.readiness import Readiness
from tests.bot.installations import installation, product
from tests.waiting import eventually


async def test_a_process_is_ready_once_answers_are_loaded_and_while_all_loops_run() -> None:
    readiness, loaded = Readiness(""), asyncio.Event()

    async def load() -> None:
        await loaded.wait()

    async def loop() -> None:
        await asyncio.Event().wait()

    assert await readiness() == {"answers": False, "loops": False}
    loading = asyncio.create_task(load())
    readiness.loads(loading)
    running = asyncio.create_task(loop(), name="dispatcher")
    readiness.runs(running)
    assert await readiness() == {"answers": False, "loops": True}
    loaded.set()
    await loading
    assert await readiness() == {"answers": True, "loops": True}
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert await readiness() == {"answers": True, "loops": False}


async def test_answers_that_could_not_be_loaded_are_not_ready() -> None:
    async def load() -> None:
        raise OSError("no model")

    readiness = Readiness("")
    loading = asyncio.create_task(load())
    readiness.loads(loading)
    with pytest.raises(OSError, match="no model"):
        await loading
    assert (await readiness())["answers"] is False


async def test_redis_counts_where_it_is_configured(redis_url: str) -> None:
    assert (await Readiness(redis_url)())["redis"] is True
    assert (await Readiness("redis://127.0.0.1:1/0")())["redis"] is False


async def test_the_product_becomes_ready(database_url: str, tmp_path: Path) -> None:
    async with (
        installation(database_url, tmp_path) as (settings, _),
        product(settings) as (_, base),
        aiohttp.ClientSession() as http,
    ):

        async def ready() -> bool:
            async with http.get(f"{base}/readyz") as answer:
                return answer.status == 200 and "loops" in (await answer.json())["checks"]

        await eventually(ready)
