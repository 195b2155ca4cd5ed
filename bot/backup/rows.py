"""Rows of all tables, out of one database and into another, whichever of the two it is.

The tables are read from the database itself, so a backup of an older version stays readable.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Connection,
    Date,
    DateTime,
    LargeBinary,
    TableClause,
    column,
    func,
    insert,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.backup.archive import BackupError

#: Alembic's own; made anew by migrating.
VERSION_TABLE: Final = "alembic_version"
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Shape:
    """The tables of a database, referenced ones first.

    backward: (table, constraint) whose rows may point at rows that come later.
    """

    tables: tuple[TableClause, ...]
    backward: tuple[tuple[str, str], ...]
    has_rows: bool = False

    def names(self) -> list[str]:
        return [one.name for one in self.tables]


async def shape(connection: AsyncConnection) -> Shape:
    return await connection.run_sync(_shape)


def _shape(connection: Connection) -> Shape:
    inspector = inspect(connection)
    order = [name for name, _ in inspector.get_sorted_table_and_fkc_names() if name]
    order = [name for name in order if name != VERSION_TABLE]
    tables = [_table(name, inspector.get_columns(name)) for name in order]
    position = {name: index for index, name in enumerate(order)}
    backward = [
        (name, str(key["name"]))
        for name in order
        for key in inspector.get_foreign_keys(name)
        if position.get(key["referred_table"], 0) >= position[name]
    ]
    has_rows = any(connection.execute(select(1).select_from(t).limit(1)).first() for t in tables)
    return Shape(tuple(tables), tuple(backward), has_rows)


def _table(name: str, columns: Iterable[Mapping[str, Any]]) -> TableClause:
    made = []
    for one in columns:
        if "computed" in one:  # the database's own; it is not to be written
            continue
        kind = one["type"]
        if isinstance(kind, JSON):
            kind.none_as_null = bool(one["nullable"])
        made.append(column(one["name"], kind))
    return table(name, *made)


async def read(connection: AsyncConnection, source: TableClause) -> AsyncIterator[bytes]:
    """Every row as one line of JSON."""
    kinds = {one.name: one.type for one in source.columns}
    found = await connection.stream(select(source), execution_options={"yield_per": _AT_ONCE})
    async for row in found:
        fields = {name: _packed(value, kinds[name]) for name, value in row._mapping.items()}
        yield json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


async def write(
    connection: AsyncConnection, target: TableClause, rows: Iterable[dict[str, Any]]
) -> int:
    """Insert rows; returns how many. Raises: BackupError for a column that is not there."""
    kinds = {one.name: one.type for one in target.columns}
    is_sqlite = connection.dialect.name == "sqlite"
    batch: list[dict[str, Any]] = []
    count = 0
    for row in rows:
        if unknown := set(row) - set(kinds):
            raise BackupError(f"表 {target.name} 没有列 {'、'.join(sorted(unknown))}。")
        batch.append(
            {name: _unpacked(value, kinds[name], is_sqlite) for name, value in row.items()}
        )
        count += 1
        if len(batch) == _AT_ONCE:
            await connection.execute(insert(target), batch)
            batch = []
    if batch:
        await connection.execute(insert(target), batch)
    return count


async def drop(connection: AsyncConnection, names: Sequence[str]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    cascade = "" if connection.dialect.name == "sqlite" else " CASCADE"
    for name in (*names, VERSION_TABLE):
        await connection.execute(text(f"DROP TABLE IF EXISTS {quote(name)}{cascade}"))


async def defer(connection: AsyncConnection, target: Shape, *, is_deferred: bool) -> None:
    """PostgreSQL: let rows point at rows that come later, until switched back. SQLite does."""
    if connection.dialect.name == "sqlite":
        return
    quote = connection.dialect.identifier_preparer.quote
    how = "DEFERRABLE INITIALLY DEFERRED" if is_deferred else "NOT DEFERRABLE"
    if not is_deferred:
        await connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for name, key in target.backward:
        statement = f"ALTER TABLE {quote(name)} ALTER CONSTRAINT {quote(key)} {how}"
        await connection.execute(text(statement))


async def move_sequences(connection: AsyncConnection, target: Shape) -> None:
    """PostgreSQL: the next number follows the largest one. SQLite does so by itself."""
    if connection.dialect.name == "sqlite":
        return
    quote = connection.dialect.identifier_preparer.quote
    for one in target.tables:
        for field in one.columns:
            named = {"name": quote(one.name), "field": field.name}
            asked = text("SELECT pg_get_serial_sequence(:name, :field)")
            sequence = await connection.scalar(asked, named)
            if sequence is None:
                continue
            largest = await connection.scalar(select(func.max(field)))
            values = {"sequence": sequence, "largest": largest or 1, "used": largest is not None}
            move = text("SELECT setval(CAST(:sequence AS regclass), :largest, :used)")
            await connection.execute(move, values)


def _packed(value: Any, kind: Any) -> Any:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview) and not isinstance(kind, JSON):
        return base64.b64encode(value).decode("ascii")
    return value


def _unpacked(value: Any, kind: Any, is_sqlite: bool) -> Any:
    if value is None or isinstance(kind, JSON):
        return value
    if isinstance(kind, DateTime):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=None) if is_sqlite else moment
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    return value
