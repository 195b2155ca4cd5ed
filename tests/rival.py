"""A second transaction that begins in the middle of a test's own, on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlalchemy import text

from core.db import UnitOfWork
from tests.waiting import PATIENCE_S


@dataclass
class Rival:
    """Somebody else's transaction, which begins in the middle of ours."""

    uow: UnitOfWork
    work: Callable[[], Awaitable[object]]
    _begin: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def begins(self) -> None:
        """Returns once it waits for what we hold."""
        self._begin.set()
        async with asyncio.timeout(PATIENCE_S):
            while not await self._is_waiting():
                assert not self._task.done(), "it did not need what we hold"
                await asyncio.sleep(0.01)

    async def ends(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._task

    async def _run(self) -> None:
        await self._begin.wait()
        await self.work()

    async def _is_waiting(self) -> bool:
        async with self.uow.read() as tx:
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(await tx.db.scalar(waiting))
