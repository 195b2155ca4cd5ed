"""Writes the next migration from the models: `make revision m="Add the due date."`.

Read it before it is committed: a rename looks like a drop and an add.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from bot.migrate import metadata
from core.db import make_engine
from core.migrate import MIGRATIONS, config, upgrade


async def write(tables: MetaData, message: str, migrations: Path = MIGRATIONS) -> None:
    """Compare the models with a database at the newest revision and write the difference."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/compare.db"
        await upgrade(url, tables, migrations=migrations)
        engine = make_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(_write, tables, message, migrations)
        await engine.dispose()


def _write(connection: Connection, tables: MetaData, message: str, migrations: Path) -> None:
    made = config(migrations)
    made.attributes.update(connection=connection, metadata=tables)
    known = len(list(ScriptDirectory.from_config(made).walk_revisions()))
    command.revision(made, message, autogenerate=True, rev_id=f"{known + 1:04d}")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].strip():
        sys.exit(__doc__)
    asyncio.run(write(metadata(), sys.argv[1].strip()))
