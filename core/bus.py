"""Fan-out of the event log: live feeds per process, and reliable listeners with a cursor each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Integer,
    Table,
    Text,
    bindparam,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy import cast as cast_sql

from core.db import EVENTS_TOPIC, Tx, UnitOfWork
from core.errors import Conflict
from core.event_log import EventRow, ListenerCursor
from core.events import EVENT, Event
from core.ports import WakeUp
from core.statements import Statement
from core.worker import Sleeper

log = logging.getLogger(__name__)

_BATCH = 200
#: After a wake-up, before reading: what happens together is read together. People see the feeds.
_GATHER_FEEDS_S, _GATHER_LISTENERS_S = 0.02, 0.1
#: A cursor is stored at the latest when so many events passed that its listener does not want.
MOST_UNSTORED = 1000


@dataclass(frozen=True, slots=True)
class Logged:
    """An event with its number in the log, and as the JSON text that was stored."""

    id: int
    event: Event
    text: str


_TABLE = cast("Table", EventRow.__table__)
_CURSORS = cast("Table", ListenerCursor.__table__)
_EVENTS = (
    select(_TABLE.c.id, cast_sql(_TABLE.c.payload, Text).label("payload"))
    .where(_TABLE.c.id > bindparam("seen"))
    .order_by(_TABLE.c.id)
    .limit(bindparam("most", type_=Integer))
)
_AFTER = Statement(_EVENTS)
_NEWEST = Statement(select(func.max(_TABLE.c.id).label("newest")))
_CURSOR = Statement(select(_CURSORS.c.event_id).where(_CURSORS.c.name == bindparam("a_name")))
_MOVE = Statement(
    update(_CURSORS)
    .where(_CURSORS.c.name == bindparam("a_name"), _CURSORS.c.event_id == bindparam("seen"))
    .values(event_id=bindparam("to"))
)


#: Called in every process with what is new since it started. Best effort.
Feed = Callable[[Sequence[Logged]], Awaitable[None]]
#: Called once per event in all processes together, within a transaction. Must be idempotent.
Handler = Callable[[Tx, Sequence[Logged]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listener:
    """A reliable listener: its cursor moves in the transaction of its effects.

    wanted: the types of events that it hears; nobody is troubled for the others.
    begins_now: a new one hears what happens from now on, instead of the whole log.
    """

    name: str
    handle: Handler
    wanted: frozenset[str]
    begins_now: bool = False


class _Place:
    """Where a listener is. looked: up to here there is nothing for it that is not handled.

    stored: its cursor, as far as we know; another process may have moved it.
    """

    def __init__(self, listener: Listener) -> None:
        types: list[ColumnElement[str]] = [
            literal_column(f"'{one}'") for one in sorted(listener.wanted)
        ]
        self.listener = listener
        self.wanted = Statement(
            _EVENTS.where(_TABLE.c.id <= bindparam("newest"), _TABLE.c.type.in_(types))
        )
        self.looked = self.stored = 0


async def events_after(tx: Tx, event_id: int, *, limit: int = _BATCH) -> list[Logged]:
    return _logged(await tx.fetch(_AFTER, {"seen": event_id, "most": limit}))


def _logged(rows: Sequence[Any]) -> list[Logged]:
    return [Logged(row.id, _event(row.payload), row.payload) for row in rows]


@lru_cache(maxsize=1024)
def _event(text: str) -> Event:
    """Feeds and listeners read the same events one shortly after the other."""
    return EVENT.validate_json(text)


async def newest_event_id(tx: Tx) -> int:
    return (await tx.fetch(_NEWEST, {}))[0].newest or 0


class EventBus:
    """One per process."""

    def __init__(
        self,
        uow: UnitOfWork,
        wake: WakeUp,
        *,
        feeds: Sequence[Feed] = (),
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._uow = uow
        self._feeds = tuple(feeds)
        self._places = tuple(map(_Place, listeners))
        self._wake = wake
        self._fed = 0

    async def start(self) -> None:
        """Live feeds begin with what happens from now on."""
        async with self._uow.read() as tx:
            self._fed = await newest_event_id(tx)
        async with self._uow.write() as tx:
            for place in self._places:
                name = place.listener.name
                begin = await newest_event_id(tx) if place.listener.begins_now else 0
                insert = tx.upsert(ListenerCursor).values(name=name, event_id=begin)
                await tx.db.execute(insert.on_conflict_do_nothing())
                place.looked = place.stored = await _cursor(tx, name)

    async def run(self) -> None:
        """Fan out until cancelled. Listeners do not wait for a feed that rebuilds an index."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(self._feed, _GATHER_FEEDS_S), name="bus.feeds")
            group.create_task(self._follow(self._hear, _GATHER_LISTENERS_S), name="bus.listeners")

    async def turn(self) -> bool:
        """Read what is new once. Returns whether there may be more."""
        fed = await self._attempt(self._feed)
        return await self._attempt(self._hear) or fed

    async def _follow(self, work: Callable[[], Awaitable[bool]], gather_s: float) -> None:
        sleeper = Sleeper(self._wake, EVENTS_TOPIC)
        async with sleeper.awake():
            while True:
                if not await self._attempt(work):
                    await sleeper.sleep(Sleeper.LONGEST_S)
                    await asyncio.sleep(gather_s)

    async def _attempt(self, work: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await work()
        except Exception:  # the loop must live on
            log.exception("Reading the event log failed.", extra={"action": "bus.read"})
            await asyncio.sleep(1)
            return True

    async def _hear(self) -> bool:
        if not self._places:
            return False
        async with self._uow.read() as tx:
            newest = await newest_event_id(tx)
        return any([await self._listen(place, newest) for place in self._places])

    async def _feed(self) -> bool:
        async with self._uow.read() as tx:
            found = await events_after(tx, self._fed)
        if not found:
            return False
        self._fed = found[-1].id
        for feed in self._feeds:
            try:
                await feed(found)
            except Exception:  # one feed must not starve the others
                log.exception("A live feed failed.", extra={"action": "bus.feed"})
        return True

    async def _listen(self, place: _Place, newest: int) -> bool:
        """Handle what is there for a listener, up to this event. Returns whether there was."""
        if place.looked >= newest:
            return False
        try:
            return await self._catch_up(place, newest)
        except Exception as error:  # a broken listener must not stop the others; it tries again
            if isinstance(error, Conflict) and error.code == "listener_moved":
                return True  # another process has these
            log.exception(
                "A listener failed.",
                extra={"action": "bus.listener", "listener": place.listener.name},
            )
            return False

    async def _catch_up(self, place: _Place, newest: int) -> bool:
        name = place.listener.name
        async with self._uow.read() as tx:
            values = {"seen": place.looked, "newest": newest, "most": _BATCH}
            found = _logged(await tx.fetch(place.wanted, values))
            if found or newest - place.stored > MOST_UNSTORED:
                place.stored = await _cursor(tx, name)
        until = found[-1].id if len(found) == _BATCH else newest
        unheard = [one for one in found if one.id > place.stored]
        if unheard or until - place.stored > MOST_UNSTORED:
            async with self._uow.write() as tx:
                move = {"a_name": name, "seen": place.stored, "to": until}
                if await tx.run(_MOVE, move) != 1:
                    raise Conflict("listener_moved", name=name)
                await place.listener.handle(tx, unheard)
            place.stored = until
        place.looked = until
        return until < newest


async def _cursor(tx: Tx, name: str) -> int:
    return cast("int", (await tx.fetch(_CURSOR, {"a_name": name}))[0].event_id)
