"""The migrations lead to the tables that the models declare, on both databases."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text

from bot.migrate import metadata
from core.db import make_engine
from core.migrate import MIGRATIONS, current, head, upgrade
from tools import revision


def _compare(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata()))


async def _differences(url: str) -> list[Any]:
    engine = make_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_compare)
    finally:
        await engine.dispose()


async def _execute(url: str, *statements: str) -> list[Any]:
    engine = make_engine(url)
    try:
        async with engine.begin() as connection:
            results = [await connection.execute(text(statement)) for statement in statements]
            return list(results[-1].all()) if results[-1].returns_rows else []
    finally:
        await engine.dispose()


def _revision(migrations: Path, number: int, body: str) -> None:
    before = f"{number - 1:04d}" if number > 1 else None
    (migrations / "versions" / f"{number:04d}_step.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = '{number:04d}'\ndown_revision = {before!r}\n"
        f"def upgrade():\n{body}"
    )


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """Our environment without our revisions."""
    copy = tmp_path / "100% own migrations"
    shutil.copytree(MIGRATIONS, copy, ignore=shutil.ignore_patterns("versions"))
    (copy / "versions").mkdir()
    return copy


async def test_an_upgraded_database_has_the_tables_of_the_models(bare_database_url: str) -> None:
    assert head() is not None, 'no migration yet: make revision m="The first tables."'
    assert await current(bare_database_url) is None
    await upgrade(bare_database_url, metadata())
    assert await current(bare_database_url) == head()
    assert await _differences(bare_database_url) == []


async def test_a_written_revision_serves_both_databases(
    bare_database_url: str, migrations: Path
) -> None:
    await revision.write(metadata(), "The first tables.", migrations)
    assert head(migrations) == "0001"
    assert (migrations / "versions" / "0001_the_first_tables.py").is_file()
    await upgrade(bare_database_url, metadata(), migrations=migrations)
    assert await _differences(bare_database_url) == []


async def test_processes_that_start_at_once_migrate_once(
    bare_database_url: str, migrations: Path
) -> None:
    _revision(migrations, 1, "    op.create_table('a', sa.Column('id', sa.Integer()))\n")
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(upgrade(bare_database_url, MetaData(), migrations=migrations))
    assert await current(bare_database_url) == "0001"


async def test_a_revision_that_fails_leaves_everything_as_it_was(
    bare_database_url: str, migrations: Path
) -> None:
    _revision(migrations, 1, "    op.create_table('a', sa.Column('id', sa.Integer()))\n")
    _revision(migrations, 2, "    op.drop_table('a')\n    op.execute('nonsense')\n")
    with pytest.raises(Exception, match="nonsense"):
        await upgrade(bare_database_url, MetaData(), migrations=migrations)
    assert await current(bare_database_url) is None
    await upgrade(bare_database_url, MetaData(), migrations=migrations, to="0001")
    assert await _execute(bare_database_url, "SELECT count(*) FROM a") == [(0,)]


async def test_changing_a_column_keeps_the_rows_that_refer_to_the_table(
    bare_database_url: str, migrations: Path
) -> None:
    _revision(migrations, 1, "    pass\n")
    await upgrade(bare_database_url, MetaData(), migrations=migrations)
    await _execute(
        bare_database_url,
        "CREATE TABLE parent (id INTEGER PRIMARY KEY, name VARCHAR(5))",
        "CREATE TABLE child (id INTEGER PRIMARY KEY,"
        " parent_id INTEGER REFERENCES parent (id) ON DELETE CASCADE)",
        "INSERT INTO parent VALUES (1, 'x')",
        "INSERT INTO child VALUES (1, 1)",
    )
    change = "        batch.alter_column('name', type_=sa.String(50))\n"
    _revision(migrations, 2, f"    with op.batch_alter_table('parent') as batch:\n{change}")
    await upgrade(bare_database_url, MetaData(), migrations=migrations)
    assert await _execute(bare_database_url, "SELECT parent_id FROM child") == [(1,)]
