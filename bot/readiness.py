"""What must work before a load balancer may send anybody here; /readyz tells it by name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

_REDIS_WITHIN_S: Final = 2.0


class Readiness:
    """The tasks of this process report here; the database is asked elsewhere."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._loops: dict[str, asyncio.Task[None]] = {}
        self._answers: asyncio.Task[None] | None = None

    def loads(self, task: asyncio.Task[None]) -> None:
        """The answers are loaded when this task has ended well."""
        self._answers = task

    def runs(self, task: asyncio.Task[None]) -> None:
        """This task has to run for as long as the process does."""
        self._loops[task.get_name()] = task

    async def __call__(self) -> Mapping[str, bool]:
        checks = {"answers": _ended_well(self._answers)}
        checks["loops"] = bool(self._loops) and not any(
            task.done() for task in self._loops.values()
        )
        if self._redis_url:
            checks["redis"] = await _answers(self._redis_url)
        return checks


def _ended_well(task: asyncio.Task[None] | None) -> bool:
    return task is not None and task.done() and not task.cancelled() and task.exception() is None


async def _answers(url: str) -> bool:
    try:
        client = Redis.from_url(
            url, socket_timeout=_REDIS_WITHIN_S, socket_connect_timeout=_REDIS_WITHIN_S
        )
        async with client:
            await client.ping()
    except (RedisError, OSError, ValueError):
        return False
    return True
