"""Keeps a sandbox in one SQLite file, so that a demo survives a restart."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from pydantic import TypeAdapter

from channels.wecom.sandbox.state import State
from channels.wecom.sandbox.world import World

_STATE: Final = TypeAdapter(State)

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS world (one INTEGER PRIMARY KEY CHECK (one = 1), state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS media (media_id TEXT PRIMARY KEY, data BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state as one document, and the files that came or went since the last one."""

    number: int
    state: bytes
    new: dict[str, bytes]
    gone: set[str]


class Store:
    """The whole state is one document; files are rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saved_media: set[str] = set()
        self._taken = self._written = 0
        self._writing = Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as db:
            db.executescript(_TABLES)

    def load(self) -> tuple[State, dict[str, bytes]] | None:
        with self._open() as db:
            row = db.execute("SELECT state FROM world").fetchone()
            files: dict[str, bytes] = dict(db.execute("SELECT media_id, data FROM media"))
        if row is None:
            return None
        state = _STATE.validate_json(row[0])
        _leap(state)
        self._saved_media = set(files)
        return state, files

    def snapshot(self, world: World) -> Snapshot:
        """What must be written now; taken on the event loop."""
        self._taken += 1
        wanted = set(world.media_bytes)
        new = {name: world.media_bytes[name] for name in wanted - self._saved_media}
        gone = self._saved_media - wanted
        return Snapshot(self._taken, _STATE.dump_json(world.state), new, gone)

    def write(self, snapshot: Snapshot) -> None:
        """Blocking; called in threads. An older snapshot never overwrites a newer one."""
        with self._writing, self._open() as db:
            if snapshot.number <= self._written:
                return
            db.execute("INSERT OR REPLACE INTO world VALUES (1, ?)", (snapshot.state,))
            db.executemany("INSERT OR REPLACE INTO media VALUES (?, ?)", snapshot.new.items())
            gone = [(name,) for name in snapshot.gone]
            db.executemany("DELETE FROM media WHERE media_id = ?", gone)
            self._written = snapshot.number
            self._saved_media = (self._saved_media | set(snapshot.new)) - snapshot.gone

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._path)
        try:
            with db:
                yield db
        finally:
            db.close()


def _leap(state: State) -> None:
    """Let numbers begin at the milliseconds of now.

    So what was handed out after the last save stays unique, and the cursors that clients hold
    stay below the next item.
    """
    now_ms = int(time.time() * 1000)
    state.next_number = max(state.next_number, now_ms)
    for account in state.accounts.values():
        account.log.next_position = max(account.log.next_position, now_ms)
