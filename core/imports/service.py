"""Imports as jobs: a file is cut into parts, taken one by one in the background.

Each part is one transaction with its place in the import, so a crash repeats nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, insert, select

from core.actor import Actor
from core.db import Tx, UnitOfWork
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.imports.kinds import IMPORTERS
from core.imports.models import ImportErrorRow, ImportPartRow, ImportRow
from core.imports.queries import ImportJobView, ImportKind, ImportState, job_view
from core.permissions import Permission
from core.sealing import KeyRing
from core.tables import Part, RowError, Taken, parts_of
from core.timers import service as timers
from core.timers.service import Timer

IMPORT_TIMER: Final = "import.part"
_CONTEXT: Final = "import.part"
#: Rows of one transaction: the others who write wait no longer than for these,
_PART_ROWS: Final = 100
#: and between two parts everybody else comes first.
_PAUSE_S: Final = 0.03
_KEPT: Final = timedelta(days=30)
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A table as it was read from a file."""

    kind: ImportKind
    name: str
    table: Sequence[Sequence[str]]
    is_dry: bool


def cut(keys: KeyRing, file: ImportFile) -> list[str]:
    """Its parts, sealed. Takes a second for many rows: not on the event loop."""
    parts = parts_of(file.table, IMPORTERS[file.kind].rows, _PART_ROWS) if file.table else ()
    return [keys.seal(_packed(part), context=_CONTEXT) for part in parts]


async def begin(tx: Tx, file: ImportFile, sealed: Sequence[str], *, by: Actor) -> ImportJobView:
    """Keep the parts and let the timers take them. Raises: Forbidden; Invalid for its heading."""
    by.require(Permission.CUSTOMER_MANAGE)
    heading = [cell.strip() for cell in file.table[0]] if file.table else []
    unknown = await IMPORTERS[file.kind].check_heading(tx, heading)
    row = ImportRow(
        id=new_id(),
        kind=file.kind.value,
        name=file.name[-200:],
        state=ImportState.RUNNING.value,
        is_dry=file.is_dry,
        total=len(file.table) - 1,
        unknown_columns=list(unknown),
        by_id=by.user_id,
        by_name=by.name,
        by_ip=by.ip,
        created_at=tx.now,
    )
    row.done = row.part = row.created = row.updated = row.failed = 0
    tx.db.add(row)
    await tx.db.flush()
    parts = [
        {"import_id": row.id, "part": number, "sealed": one} for number, one in enumerate(sealed)
    ]
    if parts:
        await tx.db.execute(insert(ImportPartRow), parts)
    await _forget_old(tx)
    await timers.set_timer(tx, IMPORT_TIMER, row.id, tx.now)
    return job_view(row)


async def cancel(tx: Tx, import_id: str, *, by: Actor) -> ImportJobView:
    """Take no further part; what was taken stays. Raises: Forbidden; NotFound; Conflict."""
    by.require(Permission.CUSTOMER_MANAGE)
    row = await tx.db.get(ImportRow, import_id, with_for_update=True)
    if row is None:
        raise NotFound(noun="import", id=import_id)
    if row.state != ImportState.RUNNING:
        raise Conflict("already_done")
    await _end(tx, row, ImportState.CANCELLED)
    await timers.cancel(tx, IMPORT_TIMER, import_id)
    return job_view(row)


async def step(uow: UnitOfWork, keys: KeyRing, timer: Timer) -> None:
    """Take the next part of an import, and set the timer for the one after it."""
    await asyncio.sleep(_PAUSE_S)
    async with uow.write() as tx:
        await timers.finish(tx, timer)
        row = await tx.db.get(ImportRow, timer.key, with_for_update=True)
        if row is None or row.state != ImportState.RUNNING:
            return
        if timer.attempts > _TRIES:
            await _end(tx, row, ImportState.FAILED)
            return
        kept = await tx.db.get(ImportPartRow, (row.id, row.part))
        if kept is None:
            await _end(tx, row, ImportState.DONE)
            return
        part = _unpacked(keys.open(kept.sealed, context=_CONTEXT))
        part = replace(
            part,
            repeats=await _of_good_rows(tx, row.id, part.repeats),
            below=await _of_good_rows(tx, row.id, part.below),
        )
        taken = await IMPORTERS[ImportKind(row.kind)].take(
            tx, keys, part, by=_actor(row), is_dry=row.is_dry
        )
        await tx.db.delete(kept)
        await _note(tx, row, part, taken)
        await timers.set_timer(tx, IMPORT_TIMER, row.id, tx.now)


async def reseal(tx: Tx, keys: KeyRing, *, after: str = "") -> str | None:
    """After a change of the key: the next import's rows, sealed anew. Its id; None at the end."""
    later = select(ImportRow).where(ImportRow.id > after, ImportRow.state == ImportState.RUNNING)
    row = await tx.db.scalar(later.order_by(ImportRow.id).limit(1).with_for_update())
    if row is None:
        return None
    for part in await tx.db.scalars(select(ImportPartRow).filter_by(import_id=row.id)):
        if keys.needs_resealing(part.sealed):
            plain = keys.open(part.sealed, context=_CONTEXT)
            part.sealed = keys.seal(plain, context=_CONTEXT)
    await tx.db.flush()
    return row.id


async def _note(tx: Tx, row: ImportRow, part: Part, taken: Taken) -> None:
    row.part += 1
    row.done += len(part.rows)
    row.created += taken.created
    row.updated += taken.updated
    row.failed += len({error.row for error in taken.errors})
    errors = {(error.row, error.column): _error(row.id, error) for error in taken.errors}
    if errors:
        await tx.db.execute(insert(ImportErrorRow), [*errors.values()])
    if row.done >= row.total:
        await _end(tx, row, ImportState.DONE)


def _error(import_id: str, error: RowError) -> dict[str, object]:
    return {
        "import_id": import_id,
        "row": error.row,
        "column": error.column[:128],
        "code": error.code[:64],
    }


async def _of_good_rows(tx: Tx, import_id: str, others: Mapping[int, int]) -> dict[int, int]:
    """A row repeats another, or stands below it, only if that other one was good."""
    firsts = set(others.values())
    query = select(ImportErrorRow.row).where(
        ImportErrorRow.import_id == import_id, ImportErrorRow.row.in_(firsts)
    )
    bad = set(await tx.db.scalars(query)) if firsts else set()
    return {number: first for number, first in others.items() if first not in bad}


async def _end(tx: Tx, row: ImportRow, state: ImportState) -> None:
    row.state, row.ended_at = state.value, tx.now
    await tx.db.execute(
        delete(ImportPartRow)
        .where(ImportPartRow.import_id == row.id)
        .execution_options(synchronize_session=False)
    )
    await tx.db.flush()


async def _forget_old(tx: Tx) -> None:
    old = ImportRow.ended_at < tx.now - _KEPT
    await tx.db.execute(delete(ImportRow).where(old).execution_options(synchronize_session=False))


def _actor(row: ImportRow) -> Actor:
    """Whoever brought the file; they were allowed to then."""
    granted = frozenset({Permission.CUSTOMER_MANAGE})
    return Actor(row.by_id, None, row.by_name, None, granted, row.by_ip)


def _packed(part: Part) -> str:
    others = [[*one.items()] for one in (part.repeats, part.below)]
    return json.dumps([part.heading, part.start, part.rows, *others], ensure_ascii=False)


def _unpacked(text: str) -> Part:
    heading, start, rows, repeats, below = json.loads(text)
    return Part(heading, start, rows, dict(repeats), dict(below))
