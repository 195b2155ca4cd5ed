"""Fan-out of the event log: live feeds per process, and reliable listeners with a cursor each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Integer, Table, Text, bindparam, func, select, update
from sqlalchemy import cast as cast_sql
from sqlalchemy.engine import CursorResult

from core.db import EVENTS_TOPIC, Tx, UnitOfWork
from core.errors import Conflict
from core.event_log import EventRow, ListenerCursor
from core.events import EVENT, Event
from core.ports import WakeUp
from core.statements import Statement
from core.worker import Sleeper

log = logging.getLogger(__name__)

_BATCH = 200
#: After a wake-up, before reading: what happens together is read together.
_GATHER_S = 0.02


@dataclass(frozen=True, slots=True)
class Logged:
    """An event with its number in the log, and as the JSON text that was stored."""

    id: int
    event: Event
    text: str


_TABLE = cast("Table", EventRow.__table__)
_AFTER = Statement(
    select(_TABLE.c.id, cast_sql(_TABLE.c.payload, Text).label("payload"))
    .where(_TABLE.c.id > bindparam("seen"))
    .order_by(_TABLE.c.id)
    .limit(bindparam("most", type_=Integer))
)
_NEWEST = Statement(select(func.max(_TABLE.c.id).label("newest")))


#: Called in every process with what is new since it started. Best effort.
Feed = Callable[[Sequence[Logged]], Awaitable[None]]
#: Called once per event in all processes together, within a transaction. Must be idempotent.
Handler = Callable[[Tx, Sequence[Logged]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listener:
    """A reliable listener: its cursor moves in the transaction of its effects.

    begins_now: a new one hears what happens from now on, instead of the whole log.
    """

    name: str
    handle: Handler
    begins_now: bool = False


async def events_after(tx: Tx, event_id: int, *, limit: int = _BATCH) -> list[Logged]:
    rows = await tx.fetch(_AFTER, {"seen": event_id, "most": limit})
    return [Logged(row.id, EVENT.validate_json(row.payload), row.payload) for row in rows]


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
        self._listeners = tuple(listeners)
        self._wake = wake
        self._fed = 0
        self._positions: dict[str, int] = {}

    async def start(self) -> None:
        """Live feeds begin with what happens from now on."""
        async with self._uow.read() as tx:
            self._fed = await newest_event_id(tx)
        new = [one.name for one in self._listeners if one.begins_now]
        if new:
            async with self._uow.write() as tx:
                for name in new:
                    row = {"name": name, "event_id": await newest_event_id(tx)}
                    insert = tx.upsert(ListenerCursor).values(row)
                    await tx.db.execute(insert.on_conflict_do_nothing())

    async def run(self) -> None:
        """Fan out until cancelled. Listeners do not wait for a feed that rebuilds an index."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(self._feed), name="bus.feeds")
            group.create_task(self._follow(self._hear), name="bus.listeners")

    async def turn(self) -> bool:
        """Read what is new once. Returns whether there may be more."""
        fed = await self._attempt(self._feed)
        return await self._attempt(self._hear) or fed

    async def _follow(self, work: Callable[[], Awaitable[bool]]) -> None:
        sleeper = Sleeper(self._wake, EVENTS_TOPIC)
        async with sleeper.awake():
            while True:
                if not await self._attempt(work):
                    await sleeper.sleep(Sleeper.LONGEST_S)
                    await asyncio.sleep(_GATHER_S)

    async def _attempt(self, work: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await work()
        except Exception:  # the loop must live on
            log.exception("Reading the event log failed.", extra={"action": "bus.read"})
            await asyncio.sleep(1)
            return True

    async def _hear(self) -> bool:
        if not self._listeners:
            return False
        async with self._uow.read() as tx:
            newest = await newest_event_id(tx)
        return any([await self._listen(listener, newest) for listener in self._listeners])

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

    async def _listen(self, listener: Listener, newest: int) -> bool:
        known = self._positions.get(listener.name)
        if known is not None and known >= newest:
            return False
        try:
            async with self._uow.read() as tx:
                cursor = await _cursor(tx, listener.name)
                found = await events_after(tx, cursor)
            if found:
                async with self._uow.write() as tx:
                    await _move(tx, listener.name, cursor, found[-1].id)
                    await listener.handle(tx, found)
        except Exception as error:  # a broken listener must not stop the others; it tries again
            if isinstance(error, Conflict) and error.code == "listener_moved":
                return True  # another process has these
            log.exception(
                "A listener failed.", extra={"action": "bus.listener", "listener": listener.name}
            )
            return False
        self._positions[listener.name] = found[-1].id if found else cursor
        return bool(found)


async def _cursor(tx: Tx, name: str) -> int:
    found = await tx.db.scalar(select(ListenerCursor.event_id).where(ListenerCursor.name == name))
    return found or 0


async def _move(tx: Tx, name: str, seen: int, to: int) -> None:
    await tx.db.execute(
        tx.upsert(ListenerCursor).values(name=name, event_id=0).on_conflict_do_nothing()
    )
    moved = await tx.db.execute(
        update(ListenerCursor)
        .where(ListenerCursor.name == name, ListenerCursor.event_id == seen)
        .values(event_id=to)
        .execution_options(synchronize_session=False)
    )
    if isinstance(moved, CursorResult) and moved.rowcount != 1:
        raise Conflict("listener_moved", name=name)
