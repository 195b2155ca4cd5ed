"""What every process does with what happens, in order, as soon as it is committed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from admin_api.socket.hub import SocketHub
from core.bus import Feed, Logged
from core.db import UnitOfWork
from core.sessions.drain import drain_queue
from core.settings.live import LiveSettings
from knowledge.answerer import Answerer

#: Events that free capacity or add to the queue: the queue moves on them at once.
_QUEUE_MOVERS: Final = frozenset(
    {"session.closed", "session.requeued", "session.handed_off", "servicer.changed"}
)


def live_feeds(
    uow: UnitOfWork, live: LiveSettings, answerer: Answerer, hub: SocketHub, *, is_worker: bool
) -> Sequence[Feed]:
    """What every process does with what happens, in order."""

    async def settings_feed(batch: Sequence[Logged]) -> None:
        for one in batch:
            await live.apply(one.event)

    async def knowledge_feed(batch: Sequence[Logged]) -> None:
        answerer.hear([one.event for one in batch])

    async def socket_feed(batch: Sequence[Logged]) -> None:
        hub.feed([(one.id, one.event, one.text) for one in batch])

    async def queue_feed(batch: Sequence[Logged]) -> None:
        if any(one.event.type in _QUEUE_MOVERS for one in batch):
            await drain_queue(uow)

    return (settings_feed, socket_feed, *((queue_feed,) if is_worker else ()), knowledge_feed)
