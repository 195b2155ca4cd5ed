"""Statements of the hot path: built and compiled once, then run on the driver itself.

SQLAlchemy writes the SQL and knows how values are stored. Its way from a session to the driver
costs more than these statements do, several dozen times per message (ADR 0009).
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import asyncpg
from sqlalchemy import Dialect, Executable
from sqlalchemy.sql.compiler import SQLCompiler

from core.sqlite_inline import InlineConnection

Values = Mapping[str, Any]
_Convert = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class Compiled:
    """SQL of one dialect. binds: name and converter of each parameter, in its order."""

    sql: str
    constants: Values
    binds: tuple[tuple[str, _Convert], ...]
    row: Callable[..., Any]
    converters: tuple[_Convert, ...]

    def arguments(self, values: Values) -> list[Any]:
        given = {**self.constants, **values}
        return [
            given[name] if convert is None else convert(given[name])
            for name, convert in self.binds
        ]

    def rows(self, found: Sequence[Sequence[Any]]) -> list[Any]:
        """With attributes named like the columns; unpacks like a tuple."""
        if not any(self.converters):
            return [self.row(*one) for one in found]
        return [
            self.row(
                *[
                    value if convert is None else convert(value)
                    for value, convert in zip(one, self.converters, strict=True)
                ]
            )
            for one in found
        ]


class Statement:
    """Give it an expression with bind parameters, or how to build it for a dialect's name.

    columns: what an INSERT without values fills.
    """

    def __init__(
        self, build: Executable | Callable[[str], Executable], columns: Sequence[str] = ()
    ) -> None:
        self._build = build
        self._columns = list(columns) or None
        self._compiled: dict[str, Compiled] = {}

    def on(self, dialect: Dialect) -> Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = self._compile(dialect)
        return found

    def _compile(self, dialect: Dialect) -> Compiled:
        built = self._build if isinstance(self._build, Executable) else self._build(dialect.name)
        made = built.compile(dialect=dialect, column_keys=self._columns)  # type: ignore[attr-defined]  # a ClauseElement
        assert isinstance(made, SQLCompiler)  # noqa: S101 - statements compile to nothing else
        columns = list(getattr(built, "exported_columns", ()))
        return Compiled(
            sql=str(made),
            constants={name: bind.value for name, bind in made.binds.items() if not bind.required},
            binds=tuple(
                (name, made.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
                for name in made.positiontup or ()
            ),
            row=namedtuple("Row", [column.key for column in columns], rename=True),
            converters=tuple(
                column.type.dialect_impl(dialect).result_processor(dialect, None)
                for column in columns
            ),
        )


class Driver(Protocol):
    """One connection's transactions and statements, without SQLAlchemy in between."""

    @property
    def is_alive(self) -> bool:
        """False once the server is known to have gone away."""
        ...

    async def begin(self, *, is_write: bool) -> None: ...

    async def commit(self) -> None: ...

    async def rollback(self) -> None: ...

    async def fetch(self, statement: Compiled, values: Values) -> list[Any]: ...

    async def fetch_many(self, statement: Compiled, rows: Sequence[Values]) -> list[Any]:
        """What the statement returns for each row, in order."""
        ...

    async def run(self, statement: Compiled, values: Values) -> int:
        """How many rows it touched."""
        ...

    async def run_many(self, statement: Compiled, rows: Sequence[Values]) -> None: ...


class SqliteDriver:
    def __init__(self, pooled: Any) -> None:
        self._connection: InlineConnection = pooled.driver_connection

    @property
    def is_alive(self) -> bool:
        return True

    async def begin(self, *, is_write: bool) -> None:
        await self._connection.run("BEGIN IMMEDIATE" if is_write else "BEGIN")

    async def commit(self) -> None:
        await self._connection.commit()

    async def rollback(self) -> None:
        await self._connection.rollback()

    async def fetch(self, statement: Compiled, values: Values) -> list[Any]:
        found = self._connection.execute(statement.sql, statement.arguments(values))
        return statement.rows(found.fetchall())

    async def fetch_many(self, statement: Compiled, rows: Sequence[Values]) -> list[Any]:
        return [found for row in rows for found in await self.fetch(statement, row)]

    async def run(self, statement: Compiled, values: Values) -> int:
        return self._connection.execute(statement.sql, statement.arguments(values)).rowcount

    async def run_many(self, statement: Compiled, rows: Sequence[Values]) -> None:
        self._connection.execute_many(statement.sql, [statement.arguments(row) for row in rows])


#: What asyncpg says of a server that went away; the last one while it is still hearing of it.
_GONE: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class PostgresDriver:
    def __init__(self, pooled: Any) -> None:
        self._pooled = pooled
        self._connection: asyncpg.Connection = pooled.driver_connection

    @property
    def is_alive(self) -> bool:
        return not self._connection.is_closed()

    async def begin(self, *, is_write: bool) -> None:
        del is_write
        self._pooled.autocommit = True  # SQLAlchemy's session must not begin one of its own
        try:
            await self._connection.execute("BEGIN")
        except _GONE as error:
            raise ConnectionError("the database does not answer") from error

    async def commit(self) -> None:
        await self._connection.execute("COMMIT")
        self._pooled.autocommit = False

    async def rollback(self) -> None:
        if self._connection.is_in_transaction():
            await self._connection.execute("ROLLBACK")
        self._pooled.autocommit = False

    async def fetch(self, statement: Compiled, values: Values) -> list[Any]:
        found = await self._connection.fetch(statement.sql, *statement.arguments(values))
        return statement.rows(found)

    async def fetch_many(self, statement: Compiled, rows: Sequence[Values]) -> list[Any]:
        arguments = [statement.arguments(row) for row in rows]
        return statement.rows(await self._connection.fetchmany(statement.sql, arguments))

    async def run(self, statement: Compiled, values: Values) -> int:
        status: str = await self._connection.execute(statement.sql, *statement.arguments(values))
        return int(status.rpartition(" ")[2])

    async def run_many(self, statement: Compiled, rows: Sequence[Values]) -> None:
        await self._connection.executemany(
            statement.sql, [statement.arguments(row) for row in rows]
        )


def driver_of(dialect: Dialect, pooled: Any) -> Driver:
    """Over a connection as SQLAlchemy's pool hands it out."""
    return SqliteDriver(pooled) if dialect.name == "sqlite" else PostgresDriver(pooled)
