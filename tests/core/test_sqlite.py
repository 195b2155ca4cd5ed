"""SQLite's write-ahead log."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from sqlalchemy import insert

from core.clock import SystemClock
from core.db import UnitOfWork, make_engine
from core.event_log import ListenerCursor
from core.sqlite_inline import empty_log
from core.statements import Statement

_KEEP = Statement(insert(ListenerCursor).inline(), columns=("name", "event_id"))


def _names_in_the_file(path: str) -> list[str]:
    """What the database file itself holds, without its log."""
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM listener_cursors")]


async def test_the_log_is_written_back_while_connections_are_open(sqlite_url: str) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    uow = UnitOfWork(make_engine(sqlite_url), SystemClock())
    async with uow.write() as tx:
        await tx.run(_KEEP, {"name": "kept", "event_id": 1})
    assert _names_in_the_file(path) == []
    empty_log(path)
    assert _names_in_the_file(path) == ["kept"]
    async with uow.write() as tx:
        await tx.run(_KEEP, {"name": "more", "event_id": 1})
    await uow.close()
