"""The suite's own fixtures: what one test writes, no other test sees."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
import redis.asyncio
from sqlalchemy import func, insert, select

from core.db import UnitOfWork
from core.event_log import EventRow
from tests.architecture.sources import ROOT
from tests.waiting import PATIENCE_S


@pytest.mark.parametrize("run", [1, 2])
async def test_every_test_begins_with_an_empty_database(uow: UnitOfWork, run: int) -> None:
    async with uow.write() as tx:
        assert await tx.db.scalar(select(func.count()).select_from(EventRow)) == 0
        await tx.db.execute(insert(EventRow).values(type="x", at=tx.now, payload={}))


@pytest.mark.parametrize("run", [1, 2])
async def test_every_test_begins_with_an_empty_redis(redis_url: str, run: int) -> None:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0
        await client.set("key", "value")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
async def test_a_server_ends_with_the_run_that_started_it_however_that_ends() -> None:
    script = "from tests import services; print(services.own_valkey().url, flush=True); input()"
    run = subprocess.Popen(  # noqa: ASYNC220, S603 - a moment, and our own arguments
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with run:
        assert run.stdout is not None
        url = run.stdout.readline().strip()
        async with redis.asyncio.Redis.from_url(url) as client:
            assert await client.ping()
        run.kill()
    async with asyncio.timeout(PATIENCE_S):
        while await _answers(url):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _answers(url: str) -> bool:
    async with redis.asyncio.Redis.from_url(url, retry=None) as client:
        try:
            return bool(await client.ping())
        except redis.exceptions.ConnectionError:
            return False
