"""Every open console socket of this process, and the events that go to them.

The bus feeds committed events in id order. Each is made into text once for all sockets. A socket
that does not keep up is closed and comes back with its last event id.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from core.actor import Actor
from core.events import Audience, Event, visible_to
from core.permissions import Permission

#: Events that may wait for one socket before it is dropped.
MAX_WAITING: Final = 2000
CloseReason = Literal["slow", "gone", "shutdown"]


def audiences_of(actor: Actor) -> frozenset[Audience]:
    """The audiences that this person belongs to."""
    found: set[Audience] = set()
    if actor.may(Permission.SESSION_SERVE):
        found.add("desk")
    if actor.may(Permission.SESSION_SUPERVISE):
        found |= {"desk", "supervisors"}
    return frozenset(found)


def event_text(event_id: int, json_text: str) -> str:
    """What goes over the wire."""
    return f'{{"op":"event","id":{event_id},"event":{json_text}}}'


class Subscriber:
    """One socket's waiting line. `sent_id`: nothing up to it is sent (again)."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.audiences = audiences_of(actor)
        self.sent_id = 0
        self.closing: CloseReason | None = None
        self._waiting: deque[tuple[int, str]] = deque()
        self._wake = asyncio.Event()

    def offer(self, event_id: int, text: str) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self.close("slow")
            return
        self._waiting.append((event_id, text))
        self._wake.set()

    def close(self, reason: CloseReason) -> None:
        self.closing = self.closing or reason
        self._wake.set()

    async def next_batch(self) -> list[str]:
        """Wait for events after `sent_id`; empty when the socket is to be closed."""
        while self.closing is None:
            batch = [text for event_id, text in self._waiting if event_id > self.sent_id]
            if self._waiting:
                self.sent_id = max(self.sent_id, self._waiting[-1][0])
                self._waiting.clear()
            if batch:
                return batch
            self._wake.clear()
            await self._wake.wait()
        return []


class SocketHub:
    """Feed it from the bus; sockets subscribe themselves."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()

    def __len__(self) -> int:
        return len(self._subscribers)

    def feed(self, events: Sequence[tuple[int, Event, str]]) -> None:
        """Hand committed events, in id order, to everyone who may see them. Does not wait.

        Each item: id in the event log, the event, and its JSON text.
        """
        if not self._subscribers:
            return
        for event_id, event, json_text in events:
            audience = visible_to(event)
            if audience == "nobody":
                continue
            text = event_text(event_id, json_text)
            for subscriber in self._subscribers:
                if audience in subscriber.audiences:
                    subscriber.offer(event_id, text)

    def subscribe(self, actor: Actor) -> Subscriber:
        subscriber = Subscriber(actor)
        self._subscribers.add(subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber) -> bool:
        """Forget a socket. True when it was this user's last one here."""
        self._subscribers.discard(subscriber)
        user_id = subscriber.actor.user_id
        return all(other.actor.user_id != user_id for other in self._subscribers)

    def connected_users(self) -> frozenset[str]:
        """Ids of users with at least one socket on this process."""
        return frozenset(self._users(self._subscribers))

    def close(self) -> None:
        """Tell every socket that the process goes; they resume elsewhere."""
        for subscriber in self._subscribers:
            subscriber.close("shutdown")

    @staticmethod
    def _users(subscribers: Iterable[Subscriber]) -> Iterable[str]:
        return (found for item in subscribers if (found := item.actor.user_id) is not None)
