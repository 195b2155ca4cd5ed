"""Engine, Base and UnitOfWork. The differences between SQLite and PostgreSQL end here."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from pydantic_core import to_json
from sqlalchemy import (
    MetaData,
    event,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import StaticPool

from core.clock import Clock
from core.column_types import Json, UtcDateTime
from core.connections import Connections
from core.events import Event
from core.ports import WakeUp, in_write_block
from core.sqlite_inline import InlineConnection, empty_log
from core.statements import Driver, Statement, Values

log = logging.getLogger(__name__)

_SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",  # survives kill -9; a power cut may lose the last commits whole
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-32000",
    "PRAGMA mmap_size=268435456",
    "PRAGMA wal_autocheckpoint=8000",  # pages; `UnitOfWork.tend` sees to it much earlier
)
_TEND_EVERY_S: Final = 1.0
#: One advisory lock: event ids become visible in the order of their numbers (ADR 0003).
_ORDER_EVENTS: Final = Statement(select(func.pg_advisory_xact_lock(0x77656E71)))


#: Topic on which readers of the event log sleep.
EVENTS_TOPIC: Final = "events"

_NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=_NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own declaration
        datetime: UtcDateTime,
        dict[str, Any]: Json,
        list[Any]: Json,
        list[str]: Json,
    }


Settings = TypeVar("Settings")


class SettingsReader(Protocol):
    """What administrators set, by section; never waits."""

    def get(self, section: type[Settings]) -> Settings: ...


class DefaultSettings:
    """Every section as it ships; in force until the stored settings are loaded."""

    def get(self, section: type[Settings]) -> Settings:
        return section()


class Tx:
    """One open transaction: the database, the moment it began, and what it will announce.

    `now` is the same for everything that one transaction writes. `db` is SQLAlchemy's session,
    made when first asked for; `fetch` and `run` take the hot path's statements past it and see
    nothing that the session has not flushed.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        driver: Driver,
        now: datetime,
        settings: SettingsReader,
        *,
        is_write: bool,
    ) -> None:
        self.now = now
        self.settings = settings
        self._connection = connection
        self._dialect = connection.dialect
        self._driver = driver
        self._is_write = is_write
        self._session: AsyncSession | None = None
        self._events: list[Event] = []
        self._topics: set[str] = set()
        self._owed: set[str] = set()

    @property
    def db(self) -> AsyncSession:
        if self._session is None:
            self._session = AsyncSession(
                self._connection, expire_on_commit=False, autoflush=self._is_write
            )
        return self._session

    async def flush(self) -> None:
        """Write what the session still holds; a session that nobody asked for holds nothing."""
        if self._session is not None:
            await self._session.flush()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, statement: Statement, values: Values) -> list[Any]:
        """Rows, with attributes named like the statement's columns."""
        return await self._driver.fetch(statement.on(self._dialect), values)

    async def fetch_many(self, statement: Statement, rows: Sequence[Values]) -> list[Any]:
        """What the statement returns for each row, in order, in one exchange with the server."""
        return await self._driver.fetch_many(statement.on(self._dialect), rows)

    async def run(self, statement: Statement, values: Values) -> int:
        """How many rows the statement touched."""
        return await self._driver.run(statement.on(self._dialect), values)

    async def run_many(self, statement: Statement, rows: Sequence[Values]) -> None:
        """The same statement for each row, in order, in one exchange with the server."""
        await self._driver.run_many(statement.on(self._dialect), rows)

    def emit(self, *events: Event) -> None:
        """Announce what happened; stored with this transaction, fanned out after it."""
        if not self._is_write:
            raise RuntimeError("events belong to write transactions")
        self._events.extend(events)

    def emit_last(self, event: Event, *, instead: Callable[[Event], bool]) -> None:
        """Announce how something stands in the end, instead of what was said of it before."""
        self._events = [one for one in self._events if not instead(one)]
        self.emit(event)

    def line_up(self, address_key: str) -> None:
        """Say that something is owed to this address; `UnitOfWork` tells its lane, last of all."""
        self._owed.add(address_key)

    def wake(self, topic: str) -> None:
        """Wake the sleepers on `topic` once the transaction is durable. May be lost: they poll."""
        self._topics.add(topic)

    @property
    def owed(self) -> frozenset[str]:
        return frozenset(self._owed)

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(self._topics)

    @property
    def emitted(self) -> tuple[Event, ...]:
        return tuple(self._events)

    @property
    def dialect(self) -> str:
        return self._dialect.name

    def upsert(self, table: type[Base]) -> Any:
        """An INSERT that knows `on_conflict_do_update` / `_do_nothing` on this database."""
        return upsert_for(self.dialect, table)


def upsert_for(dialect: str, table: Any) -> Any:
    """An INSERT of the dialect, for statements that are built once."""
    return (postgresql_insert if dialect == "postgresql" else sqlite_insert)(table)


class _Rehearsed(Exception):
    """Takes a transaction back that was only tried."""


class UnitOfWork:
    """Hands out transactions. Services take a `Tx` and neither open, commit nor roll back."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine.execution_options(wenqu_is_begun=True)
        self._connections = Connections(self._engine)
        self._clock = clock
        self._is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer: queue in the process instead of spinning on its lock.
        self._turn = asyncio.Lock() if self._is_sqlite else None
        self.settings: SettingsReader = DefaultSettings()
        self.wake_up: WakeUp | None = None

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def dialect(self) -> str:
        return self._engine.dialect.name

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A consistent look; nothing can be written."""
        async with self._connected(is_write=False) as tx:
            yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """One transaction: rows, outbox and events together, or nothing at all."""
        if in_write_block.get():
            raise RuntimeError("write transactions do not nest")
        if self._turn is None:
            async with self._transaction() as tx:
                yield tx
        else:
            await self._turn.acquire()
            try:
                async with self._transaction() as tx:
                    yield tx
            finally:
                self._turn.release()
        await self._announce(tx)

    @asynccontextmanager
    async def rehearse(self) -> AsyncIterator[Tx]:
        """Everything as in `write`, and then nothing of it: for dry runs."""
        with suppress(_Rehearsed):
            async with self.write() as tx:
                yield tx
                raise _Rehearsed

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Tx]:
        async with self._connected(is_write=True) as tx:
            token = in_write_block.set(True)
            try:
                yield tx
                await tx.flush()
                await self._line_up(tx)
                await self._store_events(tx)
            finally:
                in_write_block.reset(token)

    @asynccontextmanager
    async def _connected(self, *, is_write: bool) -> AsyncIterator[Tx]:
        """A connection whose transaction is begun and ended on the driver itself."""
        hand = await self._connections.take()
        tx = Tx(hand.connection, hand.driver, self._clock.now(), self.settings, is_write=is_write)
        is_ended = is_clean = False
        try:
            await hand.driver.begin(is_write=is_write)
            yield tx
            await (hand.driver.commit() if is_write else hand.driver.rollback())
            is_ended = True
        finally:
            try:
                if not is_ended:
                    await hand.undo()
                await tx.close()
                is_clean = True
            finally:
                await self._connections.give_back(hand, is_clean=is_clean)

    async def _line_up(self, tx: Tx) -> None:
        """Two who owe to one address share its lane: whatever else they need is locked by now."""
        if tx.owed:
            from core import lanes  # noqa: PLC0415 - models need Base from here

            await lanes.bump(tx, "out", tx.owed)

    async def _store_events(self, tx: Tx) -> None:
        if not tx.emitted:
            return
        from core.event_log import INSERT_EVENT  # noqa: PLC0415 - models need Base from here

        if not self._is_sqlite:
            await tx.fetch(_ORDER_EVENTS, {})
        await tx.run_many(
            INSERT_EVENT,
            [
                {"a_type": item.type, "a_moment": tx.now, "a_payload": item.model_dump_json()}
                for item in tx.emitted
            ],
        )

    async def _announce(self, tx: Tx) -> None:
        if self.wake_up is None:
            return
        for topic in tx.topics | ({EVENTS_TOPIC} if tx.emitted else frozenset()):
            await self.wake_up.notify(topic)

    async def tend(self) -> None:
        """Write SQLite's log back in a thread, so that no commit waits for the disk."""
        path = self._engine.url.database
        while self._is_sqlite and path:
            await asyncio.sleep(_TEND_EVERY_S)
            with suppress(sqlite3.OperationalError):  # busy, or the disk is full: commits say so
                await asyncio.to_thread(empty_log, path)

    async def close(self) -> None:
        await self._connections.close()


def make_engine(url: str, *, pool_size: int = 20) -> AsyncEngine:
    """An engine for `sqlite:///path`, `sqlite://` (memory) or `postgresql://…`.

    The async drivers (aiosqlite, asyncpg) are added when the URL does not name one. pool_size: at
    most so many connections at once.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed.set(drivername="sqlite+aiosqlite"), pool_size)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError(f"unsupported database: {parsed.get_backend_name()}")
    engine = create_async_engine(
        parsed.set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=0,
        json_serializer=_json,
        connect_args={"server_settings": {"timezone": "UTC", "jit": "off"}},
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def _check(connection: Any, _record: object, _proxy: object) -> None:
        # asyncpg hears of a server that went away; asking each time would cost a round trip
        if connection.driver_connection.is_closed():
            raise DisconnectionError

    return engine


def _json(value: object) -> str:
    return to_json(value).decode()


def _sqlite_engine(url: Any, pool_size: int) -> AsyncEngine:
    in_memory = url.database in (None, "", ":memory:")
    kwargs: dict[str, Any] = (
        {"poolclass": StaticPool} if in_memory else {"pool_size": pool_size, "max_overflow": 0}
    )

    async def connect() -> InlineConnection:
        connection = InlineConnection(url.database or ":memory:")
        await connection.run(*_SQLITE_PRAGMAS)
        return connection

    engine = create_async_engine(url, async_creator=connect, json_serializer=_json, **kwargs)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        options = connection.get_execution_options()
        if not options.get("wenqu_is_begun"):  # a unit of work begins by itself
            is_write = options.get("wenqu_write", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine
