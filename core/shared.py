"""The small ports over Redis or Valkey, for several processes.

When Redis is away nothing here raises and nobody waits for it: after a failure it is left alone
for a second, then tried again. Meanwhile
- `KeyValue` forgets: `get` finds nothing, `set` and `delete` do nothing; `add` knows what this
  process added;
- `KeyedLock` excludes within the process only (work under a lock is idempotent anyway);
- `WakeUp` reaches the listeners of this process only (every sleeper also polls);
- `RateLimiter` counts what this process sees.
The outage is logged once, and once its end.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar
from uuid import uuid4

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.local import LocalKeyValue, LocalLocks, LocalRateLimiter, LocalWakeUp, SmallPorts, Wakes

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_FAILURES: Final = (RedisError, OSError, TimeoutError)
_PAUSE_S: Final = 1.0
_TIMEOUT_S: Final = 1.0
_LOCK_POLL_S: Final = 0.02
_LISTEN_S: Final = 15.0  # a silent connection is checked this often

_RELEASE: Final = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""
#: KEYS: the window. ARGV: limit, window in µs, a unique suffix. Time is the server's own.
_ALLOW: Final = """
local time = redis.call('time')
local now = time[1] * 1000000 + time[2]
redis.call('zremrangebyscore', KEYS[1], '-inf', now - ARGV[2])
if redis.call('zcard', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('zadd', KEYS[1], now, now .. ':' .. ARGV[3])
redis.call('pexpire', KEYS[1], math.ceil(ARGV[2] / 1000))
return 1
"""


@asynccontextmanager
async def over_redis(
    url: str, *, namespace: str = "wenqu", pause_s: float = _PAUSE_S
) -> AsyncIterator[SmallPorts]:
    """The four ports over one server; installations that share it differ in `namespace`.

    pause_s: how long Redis is left alone after a failure.
    """
    client = Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=_TIMEOUT_S,
        health_check_interval=_LISTEN_S,
        retry=Retry(NoBackoff(), 1),  # a connection may be stale; an outage is ours to handle
    )
    link = Link(client, namespace, pause_s)
    try:
        yield SmallPorts(
            SharedKeyValue(link), SharedLocks(link), SharedWakeUp(link), SharedRateLimiter(link)
        )
    finally:
        await client.aclose()


class Link:
    """The connection, and whether it is worth asking at this moment."""

    def __init__(self, client: Redis, namespace: str, pause_s: float) -> None:
        self.client = client
        self.pause_s = pause_s
        # Publishing reaches all databases of a server, so the number is part of every name.
        database = client.connection_pool.connection_kwargs.get("db") or 0
        self._prefix = f"{namespace}:{database}"
        self._retry_at: float | None = None

    def key(self, kind: str, name: str) -> str:
        return f"{self._prefix}:{kind}:{name}"

    async def ask(self, call: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """The server's answer; None while it is away."""
        if self._retry_at is not None:
            now = time.monotonic()
            if now < self._retry_at:
                return None
            self._retry_at = now + self.pause_s  # one caller tries, the others go on
        try:
            answer = await call()
        except _FAILURES as error:
            self.failed(error)
            return None
        self.worked()
        return answer

    def failed(self, error: BaseException) -> None:
        if self._retry_at is None:
            log.warning(
                "Redis went away; this process goes on alone.",
                extra={"action": "redis.lost", "error": type(error).__name__},
            )
        self._retry_at = time.monotonic() + self.pause_s

    def worked(self) -> None:
        if self._retry_at is not None:
            log.info("Redis is back.", extra={"action": "redis.back"})
        self._retry_at = None


class SharedKeyValue:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._local = LocalKeyValue()

    async def get(self, key: str) -> str | None:
        name = self._link.key("value", key)
        value = await self._link.ask(lambda: self._link.client.get(name))
        return value if value is None else str(value)

    async def set(self, key: str, value: str, *, ttl_s: float | None = None) -> None:
        name = self._link.key("value", key)
        ttl_ms = None if ttl_s is None else max(1, round(ttl_s * 1000))
        await self._link.ask(lambda: self._link.client.set(name, value, px=ttl_ms))

    async def delete(self, key: str) -> None:
        name = self._link.key("value", key)
        await self._link.ask(lambda: self._link.client.delete(name))

    async def add(self, key: str, *, ttl_s: float) -> bool:
        if not await self._local.add(key, ttl_s=ttl_s):
            return False
        name = self._link.key("value", key)
        ttl_ms = max(1, round(ttl_s * 1000))

        async def claim() -> bool:
            return bool(await self._link.client.set(name, "1", nx=True, px=ttl_ms))

        return await self._link.ask(claim) is not False


class SharedLocks:
    """A lease per name; a process that vanished loses it after `ttl_s`.

    A holder that works longer than `ttl_s` may have company.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._local = LocalLocks()
        self._release = link.client.register_script(_RELEASE)

    @asynccontextmanager
    async def hold(self, name: str, *, ttl_s: float = 30) -> AsyncIterator[None]:
        key, token = self._link.key("lock", name), uuid4().hex
        async with self._local.hold(name):  # only one task of a process asks the server
            try:
                await self._acquire(key, token, ttl_s)
                yield
            finally:
                await self._link.ask(lambda: self._release(keys=[key], args=[token]))

    async def _acquire(self, key: str, token: str, ttl_s: float) -> None:
        async def attempt() -> bool:
            return bool(await self._link.client.set(key, token, nx=True, px=round(ttl_s * 1000)))

        while await self._link.ask(attempt) is False:  # noqa: ASYNC110 - held in another process
            await asyncio.sleep(_LOCK_POLL_S)


class SharedWakeUp:
    """In this process at once, in the others by publish and subscribe."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._local = LocalWakeUp()
        self._origin = uuid4().hex

    async def notify(self, topic: str, payload: str = "") -> None:
        await self._local.notify(topic, payload)
        channel, message = self._link.key("wake", topic), f"{self._origin}:{payload}"
        await self._link.ask(lambda: self._link.client.publish(channel, message))

    @asynccontextmanager
    async def listen(self, topic: str) -> AsyncIterator[Wakes]:
        """Entering waits for the subscription, or for the news that Redis is away."""
        settled = asyncio.Event()
        async with self._local.listen(topic) as wakes:
            # Not a TaskGroup: it would wrap what the caller's block raises.
            reader = asyncio.create_task(self._relay(topic, wakes, settled))
            try:
                await settled.wait()
                yield wakes
            finally:
                reader.cancel()
                await asyncio.wait((reader,))

    async def _relay(self, topic: str, wakes: Wakes, settled: asyncio.Event) -> None:
        while True:
            try:
                await self._read(topic, wakes, settled)
            except _FAILURES as error:
                self._link.failed(error)
                settled.set()
                await asyncio.sleep(self._link.pause_s)

    async def _read(self, topic: str, wakes: Wakes, settled: asyncio.Event) -> None:
        async with self._link.client.pubsub() as subscription:
            await subscription.subscribe(self._link.key("wake", topic))
            while True:
                message = await subscription.get_message(timeout=_LISTEN_S)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    self._link.worked()
                    settled.set()
                elif message["type"] == "message":
                    origin, _, payload = message["data"].partition(":")
                    if origin != self._origin:
                        wakes.push(payload)


class SharedRateLimiter:
    """A sliding window per key on the server's clock; refused events do not count."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._local = LocalRateLimiter()
        self._allow = link.client.register_script(_ALLOW)

    async def allow(self, key: str, *, limit: int, window_s: float) -> bool:
        keys = [self._link.key("rate", key)]
        arguments: list[str | int] = [limit, round(window_s * 1_000_000), uuid4().hex]
        answer = await self._link.ask(lambda: self._allow(keys=keys, args=arguments))
        if answer is None:
            return await self._local.allow(key, limit=limit, window_s=window_s)
        return bool(answer)
