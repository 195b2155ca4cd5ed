"""Engine, Base and UnitOfWork. The differences between SQLite and PostgreSQL end here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

from core.clock import Clock
from core.events import Event
from core.ports import WakeUp, in_write_block
from core.sqlite_inline import InlineConnection

log = logging.getLogger(__name__)

_SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",  # survives kill -9; a power cut may lose the last commits whole
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-32000",
    "PRAGMA mmap_size=268435456",
)
#: One advisory lock: event ids become visible in the order of their numbers (ADR 0003).
_EVENT_ORDER_LOCK: Final = 0x77656E71


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment. SQLite keeps it as UTC text; naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime refused")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


#: Topic on which readers of the event log sleep.
EVENTS_TOPIC: Final = "events"
#: 64-bit key that also auto-increments on SQLite.
BigId = BigInteger().with_variant(Integer, "sqlite")
Json = JSON().with_variant(JSONB(), "postgresql")

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

    `now` is the same for everything that one transaction writes.
    """

    def __init__(
        self, db: AsyncSession, now: datetime, settings: SettingsReader, *, is_write: bool
    ) -> None:
        self.db = db
        self.now = now
        self.settings = settings
        self._is_write = is_write
        self._events: list[Event] = []
        self._topics: set[str] = set()

    def emit(self, *events: Event) -> None:
        """Announce what happened; stored with this transaction, fanned out after it."""
        if not self._is_write:
            raise RuntimeError("events belong to write transactions")
        self._events.extend(events)

    def wake(self, topic: str) -> None:
        """Wake the sleepers on `topic` once the transaction is durable. May be lost: they poll."""
        self._topics.add(topic)

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(self._topics)

    @property
    def emitted(self) -> tuple[Event, ...]:
        return tuple(self._events)

    @property
    def dialect(self) -> str:
        return self.db.get_bind().dialect.name

    def upsert(self, table: type[Base]) -> Any:
        """An INSERT that knows `on_conflict_do_update` / `_do_nothing` on this database."""
        return upsert_for(self.dialect, table)


def upsert_for(dialect: str, table: Any) -> Any:
    """An INSERT of the dialect, for statements that are built once."""
    return (postgresql_insert if dialect == "postgresql" else sqlite_insert)(table)


class UnitOfWork:
    """Hands out transactions. Services take a `Tx` and neither open, commit nor roll back."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._write_engine = engine.execution_options(wenqu_write=True)
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
        async with AsyncSession(self._engine, expire_on_commit=False, autoflush=False) as db:
            yield Tx(db, self._clock.now(), self.settings, is_write=False)

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
    async def _transaction(self) -> AsyncIterator[Tx]:
        async with AsyncSession(self._write_engine, expire_on_commit=False) as db:
            tx = Tx(db, self._clock.now(), self.settings, is_write=True)
            token = in_write_block.set(True)
            try:
                yield tx
                await self._store_events(tx)
                await db.commit()
            finally:
                in_write_block.reset(token)

    async def _store_events(self, tx: Tx) -> None:
        if not tx.emitted:
            return
        from core.event_log import EventRow  # noqa: PLC0415 - models need Base from here

        await tx.db.flush()
        if not self._is_sqlite:
            await tx.db.execute(select(func.pg_advisory_xact_lock(_EVENT_ORDER_LOCK)))
        rows = [
            {"type": item.type, "at": tx.now, "payload": item.model_dump(mode="json")}
            for item in tx.emitted
        ]
        await tx.db.execute(insert(EventRow.__table__), rows)  # type: ignore[arg-type]  # a Table

    async def _announce(self, tx: Tx) -> None:
        if self.wake_up is None:
            return
        for topic in tx.topics | ({EVENTS_TOPIC} if tx.emitted else frozenset()):
            await self.wake_up.notify(topic)

    async def close(self) -> None:
        await self._engine.dispose()


def make_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for `sqlite:///path`, `sqlite://` (memory) or `postgresql://…`.

    The async drivers (aiosqlite, asyncpg) are added when the URL does not name one.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed.set(drivername="sqlite+aiosqlite"), pool_size)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError(f"unsupported database: {parsed.get_backend_name()}")
    return create_async_engine(
        parsed.set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={"server_settings": {"timezone": "UTC", "jit": "off"}},
    )


def _sqlite_engine(url: Any, pool_size: int) -> AsyncEngine:
    in_memory = url.database in (None, "", ":memory:")
    kwargs: dict[str, Any] = (
        {"poolclass": StaticPool} if in_memory else {"pool_size": pool_size, "max_overflow": 4}
    )

    async def connect() -> InlineConnection:
        connection = InlineConnection(url.database or ":memory:")
        await connection.run(*_SQLITE_PRAGMAS)
        return connection

    engine = create_async_engine(url, async_creator=connect, **kwargs)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        is_write = connection.get_execution_options().get("wenqu_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine
