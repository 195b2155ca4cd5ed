"""The small ports in one process: no server, nothing survives a restart."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from core.ports import KeyedLock, KeyValue, RateLimiter, WakeUp

_PRUNE_ABOVE: Final = 10_000
_BACKLOG: Final = 1_000


@dataclass(frozen=True, slots=True)
class SmallPorts:
    """The four ports that processes share, or that one process has for itself."""

    key_value: KeyValue
    locks: KeyedLock
    wake_up: WakeUp
    rate_limiter: RateLimiter


def in_process() -> SmallPorts:
    """All four without a server. `core.shared.over_redis` gives the same over Redis."""
    return SmallPorts(LocalKeyValue(), LocalLocks(), LocalWakeUp(), LocalRateLimiter())


class LocalKeyValue:
    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._values: dict[str, tuple[str, float | None]] = {}
        self._prune_above = _PRUNE_ABOVE

    async def get(self, key: str) -> str | None:
        value, expires_at = self._values.get(key, (None, None))
        if expires_at is not None and expires_at <= self._monotonic():
            del self._values[key]
            return None
        return value

    async def set(self, key: str, value: str, *, ttl_s: float | None = None) -> None:
        if len(self._values) > self._prune_above:
            self._prune()
        self._values[key] = (value, None if ttl_s is None else self._monotonic() + ttl_s)

    async def delete(self, key: str) -> None:
        self._values.pop(key, None)

    async def add(self, key: str, *, ttl_s: float) -> bool:
        if await self.get(key) is not None:
            return False
        await self.set(key, "1", ttl_s=ttl_s)
        return True

    def _prune(self) -> None:
        now = self._monotonic()
        self._values = {
            key: (value, expires_at)
            for key, (value, expires_at) in self._values.items()
            if expires_at is None or expires_at > now
        }
        self._prune_above = max(_PRUNE_ABOVE, 2 * len(self._values))


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    interested: int = 0


class LocalLocks:
    """One lock per name, forgotten when nobody holds or awaits it.

    A holder keeps its lock until it leaves, beyond `ttl_s` too: within a process nobody can
    vanish without leaving.
    """

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}

    @asynccontextmanager
    async def hold(self, name: str, *, ttl_s: float = 30) -> AsyncIterator[None]:
        del ttl_s
        turn = self._turns.setdefault(name, _Turn())
        turn.interested += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.interested -= 1
            if not turn.interested:
                del self._turns[name]


class Wakes:
    """What one listener has yet to read. Cancelling a wait for the next loses nothing."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[str] = asyncio.Queue(_BACKLOG)

    def push(self, payload: str) -> None:
        """Add a payload; when the listener is far behind, the oldest is dropped."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(payload)

    def __aiter__(self) -> Wakes:
        return self

    async def __anext__(self) -> str:
        return await self._waiting.get()


class LocalWakeUp:
    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[Wakes]] = defaultdict(set)

    async def notify(self, topic: str, payload: str = "") -> None:
        for wakes in self._listeners.get(topic, ()):
            wakes.push(payload)

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncIterator[Wakes]:
        wakes = Wakes()
        self._listeners[topic].add(wakes)
        try:
            yield wakes
        finally:
            self._listeners[topic].discard(wakes)
            if not self._listeners[topic]:
                del self._listeners[topic]


class LocalRateLimiter:
    """A sliding window per key; refused events do not count."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._allowed: dict[str, deque[float]] = {}
        self._prune_above = _PRUNE_ABOVE

    async def allow(self, key: str, *, limit: int, window_s: float) -> bool:
        now = self._monotonic()
        if len(self._allowed) > self._prune_above:
            self._prune(now - window_s)
        allowed = self._allowed.setdefault(key, deque())
        while allowed and allowed[0] <= now - window_s:
            allowed.popleft()
        if len(allowed) >= limit:
            return False
        allowed.append(now)
        return True

    def _prune(self, before: float) -> None:
        self._allowed = {
            key: allowed
            for key, allowed in self._allowed.items()
            if allowed and allowed[-1] > before
        }
