"""Who looks at what: screens are told that something changed, and read it themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


def thread_topic(thread_key: str) -> str:
    return f"thread|{thread_key}"


def account_topic(open_kfid: str) -> str:
    return f"account|{open_kfid}"


def app_topic(userid: str) -> str:
    return f"app|{userid}"


def servicer_topic(userid: str) -> str:
    return f"servicer|{userid}"


@dataclass(frozen=True, slots=True)
class Change:
    """seq 0: no entry changed, but something around the entries."""

    topic: str
    thread_key: str = ""
    seq: int = 0
    is_session: bool = False


@dataclass(slots=True)
class Watch:
    changes: dict[Change, None] = field(default_factory=dict)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self) -> list[Change]:
        """What changed since the last call; waits until something did."""
        await self.woken.wait()
        self.woken.clear()
        changes = list(self.changes)
        self.changes.clear()
        return changes


class Watches:
    def __init__(self) -> None:
        self._by_topic: dict[str, set[int]] = {}
        self._watches: dict[int, Watch] = {}
        self._made = 0

    def publish(self, change: Change) -> None:
        for number in self._by_topic.get(change.topic, ()):
            watch = self._watches[number]
            watch.changes[change] = None
            watch.woken.set()

    @contextmanager
    def watch(self, *topics: str) -> Iterator[Watch]:
        self._made += 1
        number, watch = self._made, Watch()
        self._watches[number] = watch
        for topic in topics:
            self._by_topic.setdefault(topic, set()).add(number)
        try:
            yield watch
        finally:
            del self._watches[number]
            for topic in topics:
                self._by_topic[topic].discard(number)
                if not self._by_topic[topic]:
                    del self._by_topic[topic]
