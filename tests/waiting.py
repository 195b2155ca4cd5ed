"""Waiting for what other tasks and processes do, with an end that no slow machine reaches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

#: What takes longer than this does not happen at all.
PATIENCE_S = 120.0


async def eventually(find: Callable[[], Awaitable[Any]], timeout_s: float = PATIENCE_S) -> Any:
    """The first true answer of `find`, asked again and again; fails when there is none in time."""
    until = time.monotonic() + timeout_s
    while True:
        found = await find()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"did not happen within {timeout_s} s")
        await asyncio.sleep(0.02)


async def until(is_so: Callable[[], object]) -> None:
    """Let other tasks of this process run until `is_so`."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.001)


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel a task and see that it ends by that alone."""
    task.cancel()
    outcome = (await asyncio.gather(task, return_exceptions=True))[0]
    assert isinstance(outcome, asyncio.CancelledError)
