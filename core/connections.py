"""Connections at hand: taking one from SQLAlchemy's pool costs as much as a transaction."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

from core.statements import Driver, driver_of

#: Idle connections that are not given back to the pool.
_KEPT: Final = 8
_PATIENCE_S: Final = 30.0
#: Of a database in memory, whose one connection everybody shares.
_UNBOUNDED: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Hand:
    """A connection of the pool's, and its driver."""

    connection: AsyncConnection
    driver: Driver

    @property
    def is_usable(self) -> bool:
        return not self.connection.invalidated and self.driver.is_alive

    async def undo(self) -> None:
        """Roll back; a connection that cannot is thrown away, for the server to clean up after.

        What went wrong first, a cancellation perhaps, is what the caller has to hear.
        """
        is_clean = False
        try:
            with suppress(Exception):
                await self.driver.rollback()
                is_clean = True
        finally:
            if not is_clean:
                await self.connection.invalidate()


class Connections:
    """The pool, and the connections used last."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._idle: list[Hand] = []
        # In order: at the pool whoever comes later may pass whoever waits, again and again.
        self._places = asyncio.Semaphore(_places_of(engine))

    async def take(self) -> Hand:
        """Raises: ConnectionError when none became free."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._places.acquire()
        except TimeoutError as error:
            raise ConnectionError("no connection to the database became free") from error
        hand = None
        try:
            hand = await self._any()
        finally:
            if hand is None:
                self._places.release()
        return hand

    async def _any(self) -> Hand:
        while self._idle:
            hand = self._idle.pop()
            if hand.is_usable:
                return hand
            await _throw_away(hand)
        connection = await self._engine.connect()
        pooled = (await connection.get_raw_connection()).dbapi_connection
        return Hand(connection, driver_of(connection.dialect, pooled))

    async def give_back(self, hand: Hand, *, is_clean: bool) -> None:
        """is_clean: its transaction has ended, and nothing of it is left."""
        try:
            if not is_clean:
                await _throw_away(hand)
            elif hand.is_usable and len(self._idle) < _KEPT:
                self._idle.append(hand)
            else:
                await hand.connection.close()
        finally:
            self._places.release()

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().connection.close()
        await self._engine.dispose()


def _places_of(engine: AsyncEngine) -> int:
    """How many may hold a connection at once."""
    pool = engine.pool
    return pool.size() if isinstance(pool, QueuePool) else _UNBOUNDED


async def _throw_away(hand: Hand) -> None:
    await hand.connection.invalidate()
    await hand.connection.close()
