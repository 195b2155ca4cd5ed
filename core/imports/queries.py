"""Imports as people see them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from core.db import Tx
from core.errors import NotFound
from core.imports.models import ImportErrorRow, ImportRow
from core.tables import RowError
from core.views import View

_AT_ONCE = 1000


class ImportState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ImportKind(StrEnum):
    CUSTOMERS = "customers"
    INSTITUTIONS = "institutions"


class ImportJobView(View):
    """done: rows dealt with, of total; failed: those with errors, which were left out."""

    id: str
    kind: ImportKind
    name: str
    state: ImportState
    is_dry: bool
    total: int
    done: int
    created: int
    updated: int
    failed: int
    unknown_columns: tuple[str, ...]
    by_name: str
    created_at: datetime
    ended_at: datetime | None


def job_view(row: ImportRow) -> ImportJobView:
    return ImportJobView.model_validate(
        {name: getattr(row, name) for name in ImportJobView.model_fields}
    )


async def get(tx: Tx, import_id: str) -> ImportJobView:
    """Raises: NotFound."""
    row = await tx.db.get(ImportRow, import_id)
    if row is None:
        raise NotFound(noun="import", id=import_id)
    return job_view(row)


async def latest(tx: Tx, *, limit: int = 20) -> list[ImportJobView]:
    query = select(ImportRow).order_by(ImportRow.id.desc()).limit(limit)
    return [job_view(row) for row in await tx.db.scalars(query)]


async def errors(tx: Tx, import_id: str, *, limit: int = _AT_ONCE) -> list[RowError]:
    """The first of them, by row."""
    query = select(ImportErrorRow).where(ImportErrorRow.import_id == import_id)
    rows = await tx.db.scalars(
        query.order_by(ImportErrorRow.row, ImportErrorRow.column).limit(limit)
    )
    return [RowError(row=one.row, column=one.column, code=one.code) for one in rows]
