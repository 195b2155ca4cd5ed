"""SQLite without a thread per connection: statements run at once, in the event loop's thread.

A statement of ours takes microseconds; handing each to a worker thread and back takes a hundred
times as long (ADR 0008). The one thing that may have to wait, the write lock when another process
holds it, waits on the loop and lets it run on.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any, Final, Self

#: How long a transaction waits for another process's write lock.
LOCK_WAIT_S: Final = 15.0
_POLL_S: Final = 0.005
#: SQLite's own busy wait, which stops the loop.
_STATEMENT_WAIT_S: Final = 0.05


async def patiently(step: Callable[[], object]) -> None:
    """Repeat a step while another process holds the lock; the loop runs on meanwhile."""
    until = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            step()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            await asyncio.sleep(_POLL_S)
        else:
            return


def empty_log(path: str) -> None:
    """Move what is committed from the write-ahead log into the file. Waits for the disk."""
    with closing(sqlite3.connect(path, timeout=_STATEMENT_WAIT_S)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


class InlineCursor:
    """What SQLAlchemy's aiosqlite dialect asks of a cursor."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._cursor.close()

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    @property
    def arraysize(self) -> int:
        return self._cursor.arraysize

    @arraysize.setter
    def arraysize(self, value: int) -> None:
        self._cursor.arraysize = value

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        if sql.startswith("BEGIN"):  # only here does the write lock have to be waited for
            await patiently(lambda: self._cursor.execute(sql))
        else:
            self._cursor.execute(sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        self._cursor.executemany(sql, parameters)
        return self

    async def fetchone(self) -> Any:
        return self._cursor.fetchone()

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        return self._cursor.fetchmany(size or self._cursor.arraysize)

    async def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    async def close(self) -> None:
        self._cursor.close()


class InlineConnection:
    """What SQLAlchemy's aiosqlite dialect asks of a connection; transactions are begun by us."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(
            path, timeout=_STATEMENT_WAIT_S, isolation_level=None, check_same_thread=False
        )

    def cursor(self) -> InlineCursor:
        return InlineCursor(self._connection.cursor())

    async def run(self, *statements: str) -> None:
        """Set the connection up."""
        for statement in statements:
            await patiently(lambda: self._connection.execute(statement))  # noqa: B023 - run at once

    def execute(self, sql: str, parameters: Sequence[Any]) -> sqlite3.Cursor:
        """Run one statement at once."""
        return self._connection.execute(sql, parameters)

    def execute_many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(sql, parameters)

    async def create_function(self, *args: Any, **kwargs: Any) -> None:
        self._connection.create_function(*args, **kwargs)

    async def commit(self) -> None:
        self._connection.commit()

    async def rollback(self) -> None:
        self._connection.rollback()

    async def close(self) -> None:
        self._connection.close()

    def stop(self) -> None:
        self._connection.close()
