"""A terminal behind the contract: a queue for the keyboard, a list for the screen."""

import asyncio
from collections.abc import AsyncIterator

from channels.terminal.adapter import Terminal, TerminalSettings
from channels.testing import MemoryServices
from core.content import Address


class TerminalHarness:
    def __init__(self, memory: MemoryServices) -> None:
        self.memory = memory
        self.keys: asyncio.Queue[str] = asyncio.Queue()
        self.screen: list[str] = []
        self.address = Address("terminal", "local", "you")
        self.channel = Terminal(
            TerminalSettings(is_enabled=True),
            memory.services,
            lines=self._typed(),
            write=self.screen.append,
        )
        self.reading: asyncio.Task[None] | None = None

    async def _typed(self) -> AsyncIterator[str]:
        while True:
            yield await self.keys.get()

    async def someone_says(self, text: str) -> None:
        self.reading = self.reading or asyncio.create_task(self.channel.run())
        self.keys.put_nowait(text)

    def shown(self) -> list[str]:
        return [line.removeprefix("« ").rstrip("\n") for line in self.screen]

    def cut_the_line(self) -> bool:
        return False

    async def close(self) -> None:
        if self.reading:
            self.reading.cancel()
            await asyncio.gather(self.reading, return_exceptions=True)
