"""Brings a database to the present tables. There is no way down: restore a backup instead.

A revision adds; what an older process still reads is removed one release later, so that old and
new processes may run side by side.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import Tx, make_engine

log = logging.getLogger(__name__)

MIGRATIONS: Final = Path(__file__).parent / "migrations"
#: One advisory lock on PostgreSQL: of several processes that start at once, one migrates.
_LOCK: Final = 0x77656E6D


async def upgrade(
    url: str, metadata: MetaData, *, to: str = "head", migrations: Path = MIGRATIONS
) -> None:
    """Run what is missing, all in one transaction. Safe to repeat and to run twice at once."""
    async with rebuilding(url) as connection:
        await upgrade_within(connection, metadata, to=to, migrations=migrations)


async def upgrade_within(
    connection: AsyncConnection,
    metadata: MetaData,
    *,
    to: str = "head",
    migrations: Path = MIGRATIONS,
) -> None:
    """`upgrade` as a part of the transaction of `rebuilding`."""
    await connection.run_sync(_upgrade, metadata, to, migrations)


async def current(url: str) -> str | None:
    """The revision that the database is at; None for a database without tables of ours."""
    async with rebuilding(url) as connection:
        return await connection.run_sync(_current)


async def current_within(connection: AsyncConnection) -> str | None:
    """`current` inside a transaction that is open already."""
    return await connection.run_sync(_current)


async def revision_of(tx: Tx) -> str | None:
    """The revision of the database behind an open transaction."""
    return await current_within(await tx.db.connection())


def head(migrations: Path = MIGRATIONS) -> str | None:
    """The revision that this code needs."""
    return ScriptDirectory.from_config(config(migrations)).get_current_head()


def is_known(revision: str, migrations: Path = MIGRATIONS) -> bool:
    """Whether this code has that revision; a newer version's is unknown."""
    known = ScriptDirectory.from_config(config(migrations)).walk_revisions()
    return revision in {one.revision for one in known}


def config(migrations: Path = MIGRATIONS) -> Config:
    """Alembic's configuration, without a file."""
    made = Config()
    made.set_main_option("script_location", str(migrations).replace("%", "%%"))
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    made.set_main_option("timezone", "UTC")
    return made


def _upgrade(connection: Connection, metadata: MetaData, to: str, migrations: Path) -> None:
    made = config(migrations)
    made.attributes.update(connection=connection, metadata=metadata)
    before = _current(connection)
    command.upgrade(made, to)
    after = _current(connection)
    if after != before:
        facts = {"action": "database.migrated", "before": before, "after": after}
        log.info("The database was migrated.", extra=facts)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def _check_references(connection: AsyncConnection) -> None:
    broken = (await connection.execute(text("PRAGMA foreign_key_check"))).first()
    if broken is not None:
        raise RuntimeError(f"the migration would leave table {broken[0]} with a dead reference")


@asynccontextmanager
async def rebuilding(url: str) -> AsyncIterator[AsyncConnection]:
    """One transaction that may change tables; nobody else migrates meanwhile.

    On SQLite references are checked at its end only.
    """
    engine = make_engine(url, pool_size=1).execution_options(wenqu_write=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _suspend_references)
    try:
        async with engine.begin() as connection:
            is_sqlite = connection.dialect.name == "sqlite"
            if not is_sqlite:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            yield connection
            if is_sqlite:
                await _check_references(connection)
    finally:
        await engine.dispose()


def _suspend_references(connection: Any, _record: object) -> None:
    """SQLite changes a table by copying and dropping it: that must not cascade."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.close()
