"""The suite's own fixtures: what one test writes, no other test sees."""

from __future__ import annotations

import pytest
import redis.asyncio
from sqlalchemy import func, insert, select

from core.db import UnitOfWork
from core.event_log import EventRow


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
