"""The ports in memory, and what every adapter must pass. Ships with the product."""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from channels.base import Channel, Services
from channels.errors import ChannelError, Rejected, RetryLater
from channels.update import MessageReceived, Update, from_inbox
from core.content import Address, Card, Text
from core.ports import (
    CursorMove,
    HandoverCommand,
    InboxItem,
    OutboundItem,
    OutboundMessage,
    RecallCommand,
    WriteBlockError,
    in_write_block,
)


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

    async def received(self, count: int, *, timeout_s: float = 60) -> list[Update]:
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
    """`ttls` tells a test what was asked for."""

    values: dict[str, str] = field(default_factory=dict)
    ttls: dict[str, float | None] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)

    async def get(self, key: str) -> str | None:
        if time.monotonic() >= self.ends.get(key, math.inf):
            self.values.pop(key, None)
        return self.values.get(key)

    async def set(self, key: str, value: str, *, ttl_s: float | None = None) -> None:
        self.values[key] = value
        self.ttls[key] = ttl_s
        self.ends[key] = math.inf if ttl_s is None else time.monotonic() + ttl_s

    async def delete(self, key: str) -> None:
        self.values.pop(key, None)

    async def add(self, key: str, *, ttl_s: float) -> bool:
        is_new = await self.get(key) is None
        await self.set(key, "1", ttl_s=ttl_s)
        return is_new


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


# --- the contract ------------------------------------------------------------------------------


class Harness(Protocol):
    """A channel with a platform behind it, as a test sees both."""

    @property
    def channel(self) -> Channel: ...

    @property
    def memory(self) -> MemoryServices: ...

    @property
    def address(self) -> Address: ...

    async def someone_says(self, text: str) -> None:
        """Write to us on the platform, so that the channel stores it."""
        ...

    def shown(self) -> list[str]:
        """The texts that the platform has shown to its user, in order."""
        ...

    def cut_the_line(self) -> bool:
        """Make the platform unreachable; False where there is no line to cut."""
        ...


class ChannelContract:
    """What every adapter must pass: subclass it and give a fixture `harness`.

    Content that a platform needs more for (files, pictures) is tested with its adapter.
    """

    async def test_equal_texts_are_different_messages(self, harness: Harness) -> None:
        await harness.someone_says("在吗")
        await harness.someone_says("在吗")
        updates = await harness.memory.intake.received(2)
        assert len({update.update_id for update in updates}) == 2
        for update in updates:
            assert isinstance(update, MessageReceived)
            assert update.content == Text(text="在吗")
            assert update.address == harness.address
            assert update.address.channel == harness.channel.name
            assert update.occurred_at.tzinfo is not None

    async def test_what_is_sent_is_shown_in_order(self, harness: Harness) -> None:
        for number in range(3):
            await harness.channel.send(self._message(harness, f"m{number}", f"第{number}条"))
        assert harness.shown() == ["第0条", "第1条", "第2条"]

    async def test_a_message_id_is_sent_once(self, harness: Harness) -> None:
        for _ in range(2):
            await harness.channel.send(self._message(harness, "m1", "一次"))
        assert harness.shown() == ["一次"]

    async def test_what_it_cannot_show_is_said_in_words(self, harness: Harness) -> None:
        card = Card(kind="订单", title="蓝色双肩包")
        await harness.channel.send(OutboundMessage(harness.address, "m1", card))
        assert harness.shown() == ["[订单]蓝色双肩包"]

    async def test_a_long_text_arrives_whole(self, harness: Harness) -> None:
        text = "问渠那得清如许，为有源头活水来。" * 200
        await harness.channel.send(self._message(harness, "m1", text))
        assert "".join(harness.shown()) == text

    async def test_commands_it_does_not_know_are_refused_as_channel_errors(
        self, harness: Harness
    ) -> None:
        capabilities = harness.channel.capabilities
        unknown: list[OutboundItem] = []
        if not capabilities.has_native_handover:
            unknown.append(HandoverCommand(harness.address, "c1", "ended"))
        if not capabilities.can_recall:
            unknown.append(RecallCommand(harness.address, "c2", "m1"))
        for item in unknown:
            assert isinstance(await self._refusal(harness, item), Rejected)

    async def test_an_unreachable_platform_means_later(self, harness: Harness) -> None:
        if harness.cut_the_line():
            error = await self._refusal(harness, self._message(harness, "m1", "a"))
            assert isinstance(error, RetryLater)

    async def test_nothing_is_sent_inside_a_write_transaction(self, harness: Harness) -> None:
        if not harness.cut_the_line():
            return
        token = in_write_block.set(True)
        try:
            await harness.channel.send(self._message(harness, "m1", "a"))
        except WriteBlockError:
            return
        finally:
            in_write_block.reset(token)
        raise AssertionError("a network call inside a write transaction")

    async def test_it_ends_when_cancelled_and_closes(self, harness: Harness) -> None:
        task = asyncio.create_task(harness.channel.run())
        await asyncio.sleep(0)
        task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        assert isinstance(outcome, asyncio.CancelledError)
        await harness.channel.close()

    def _message(self, harness: Harness, message_id: str, text: str) -> OutboundMessage:
        return OutboundMessage(harness.address, message_id, Text(text=text))

    async def _refusal(self, harness: Harness, item: OutboundItem) -> ChannelError | None:
        try:
            await harness.channel.send(item)
        except ChannelError as error:
            return error
        return None
