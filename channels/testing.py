"""The ports in memory, and what every adapter must pass. Ships with the product."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from channels.base import Services
from channels.update import Update, from_inbox
from core.ports import CursorMove, InboxItem


@dataclass
class MemoryIntake:
    """Stores each dedupe key once, in order; a cursor moves only with its items."""

    items: dict[str, InboxItem] = field(default_factory=dict)
    cursors: dict[str, str] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def accept(self, items: Sequence[InboxItem], *, cursor: CursorMove | None = None) -> int:
        before = len(self.items)
        for item in items:
            self.items.setdefault(item.dedupe_key, item)
        if cursor:
            self.cursors[cursor.name] = cursor.value
        async with self.changed:
            self.changed.notify_all()
        return len(self.items) - before

    async def cursor(self, name: str) -> str | None:
        return self.cursors.get(name)

    @property
    def updates(self) -> list[Update]:
        return [from_inbox(item.payload) for item in self.items.values()]

    async def received(self, count: int, *, timeout_s: float = 5) -> list[Update]:
        """Wait until at least `count` updates have come and return all."""
        async with asyncio.timeout(timeout_s), self.changed:
            await self.changed.wait_for(lambda: len(self.items) >= count)
        return self.updates


@dataclass
class MemoryFiles:
    stored: dict[str, bytes] = field(default_factory=dict)

    async def read(self, attachment_id: str) -> bytes:
        return self.stored[attachment_id]

    async def store(self, data: bytes, *, name: str) -> str:
        attachment_id = f"att{len(self.stored)}{name[-8:]}"
        self.stored[attachment_id] = data
        return attachment_id


@dataclass
class MemoryKeyValue:
    """Without expiry: `ttls` tells a test what was asked for."""

    values: dict[str, str] = field(default_factory=dict)
    ttls: dict[str, float | None] = field(default_factory=dict)

    async def get(self, key: str) -> str | None:
        return self.values.get(key)

    async def set(self, key: str, value: str, *, ttl_s: float | None = None) -> None:
        self.values[key] = value
        self.ttls[key] = ttl_s

    async def delete(self, key: str) -> None:
        self.values.pop(key, None)


@dataclass
class MemoryKeyedLock:
    locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    @asynccontextmanager
    async def hold(self, name: str, *, ttl_s: float = 30) -> AsyncIterator[None]:
        del ttl_s
        async with self.locks[name]:
            yield


@dataclass
class MemoryWakeUp:
    """`sent` keeps everything for a test; listeners get what comes while they listen."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    queues: dict[str, list[asyncio.Queue[str]]] = field(default_factory=lambda: defaultdict(list))

    async def notify(self, topic: str, payload: str = "") -> None:
        self.sent.append((topic, payload))
        for queue in self.queues[topic]:
            queue.put_nowait(payload)

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncIterator[AsyncIterator[str]]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self.queues[topic].append(queue)
        try:
            yield _drain(queue)
        finally:
            self.queues[topic].remove(queue)


async def _drain(queue: asyncio.Queue[str]) -> AsyncIterator[str]:
    while True:
        yield await queue.get()


@dataclass
class MemoryServices:
    """All ports of an adapter, each at hand under its own name."""

    intake: MemoryIntake = field(default_factory=MemoryIntake)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    cache: MemoryKeyValue = field(default_factory=MemoryKeyValue)
    lock: MemoryKeyedLock = field(default_factory=MemoryKeyedLock)
    wake: MemoryWakeUp = field(default_factory=MemoryWakeUp)

    @property
    def services(self) -> Services:
        return Services(self.intake, self.files, self.cache, self.lock, self.wake)
