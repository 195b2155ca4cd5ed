"""How loops sleep: until woken, until the next due moment, never longer than a poll."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import ClassVar, Final

from core.ports import WakeUp

_SHORTEST_S: Final = 0.005


class Sleeper:
    """Turns a wake-up topic into a sleep that ends early. Wake-ups may be lost: it also polls."""

    LONGEST_S: ClassVar[float] = 5.0

    def __init__(self, wake: WakeUp, topic: str) -> None:
        self._wake = wake
        self._topic = topic
        self._event = asyncio.Event()

    @asynccontextmanager
    async def awake(self) -> AsyncIterator[None]:
        """Listen to the topic while the block runs."""
        async with self._wake.listen(self._topic) as payloads:
            task = asyncio.create_task(self._follow(payloads), name=f"wake:{self._topic}")
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _follow(self, payloads: AsyncIterator[str]) -> None:
        async for _ in payloads:
            self._event.set()

    async def sleep(self, seconds: float) -> None:
        """Until woken, or `seconds` have passed (bounded by the poll interval)."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(max(seconds, _SHORTEST_S), self.LONGEST_S)):
                await self._event.wait()
        self._event.clear()
