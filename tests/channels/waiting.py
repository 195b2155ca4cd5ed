"""Waiting for what other tasks do, with an end."""

import asyncio
from collections.abc import Callable


async def until(is_so: Callable[[], object], timeout_s: float = 5) -> None:
    async with asyncio.timeout(timeout_s):
        while not is_so():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.001)


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel a task and see that it ends by that alone."""
    task.cancel()
    outcome = (await asyncio.gather(task, return_exceptions=True))[0]
    assert isinstance(outcome, asyncio.CancelledError)
