"""Imports that run in the background, and what was wrong with their rows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

from aiohttp import web
from pydantic import BaseModel

from admin_api.endpoint import Call, endpoint
from admin_api.field_words import FIELDS
from admin_api.pagination import Listing
from admin_api.uploads import read_upload
from admin_api.words import language_of, say
from core.db import Tx
from core.imports import queries, service
from core.imports.queries import ImportJobView, ImportKind
from core.imports.service import ImportFile
from core.permissions import Permission
from core.tables import RowError, read_table, write_csv, write_xlsx

MANAGE = Permission.CUSTOMER_MANAGE
_MAX_FILE_BYTES = 20 * 1024 * 1024
_SHOWN = 200
_MAX_ERRORS = 50_000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ImportQuery(BaseModel):
    """dry_run: check every row and write nothing."""

    dry_run: bool = False


class ErrorFileQuery(BaseModel):
    format: Literal["csv", "xlsx"] = "xlsx"


class ImportRowProblem(BaseModel):
    """row: as a spreadsheet counts it. message: what is wrong, in words."""

    row: int
    column: str
    code: str
    message: str


class ImportProgress(BaseModel):
    """errors: the first two hundred; all of them are in the file."""

    job: ImportJobView
    errors: list[ImportRowProblem]


@endpoint("POST", "/customers/import", access=MANAGE, tag="customers", status=201, multipart=True)
async def import_customers(call: Call, query: ImportQuery) -> ImportJobView:
    """Create and update customers from xlsx or csv, in the background."""
    return await _begin(call, ImportKind.CUSTOMERS, query)


@endpoint(
    "POST", "/institutions/import", access=MANAGE, tag="customers", status=201, multipart=True
)
async def import_institutions(call: Call, query: ImportQuery) -> ImportJobView:
    """Create and update institutions from xlsx or csv, in the background; parents come first."""
    return await _begin(call, ImportKind.INSTITUTIONS, query)


async def _begin(call: Call, kind: ImportKind, query: ImportQuery) -> ImportJobView:
    sent = await read_upload(call.request, _MAX_FILE_BYTES)
    table = await asyncio.to_thread(read_table, sent.data, sent.name)
    file = ImportFile(kind, sent.name, table, is_dry=query.dry_run)
    parts = await asyncio.to_thread(service.cut, call.services.keyring, file)
    async with call.services.uow.write() as tx:
        return await service.begin(tx, file, parts, by=call.actor)


@endpoint("GET", "/imports", access=MANAGE, tag="customers")
async def list_imports(call: Call, tx: Tx) -> Listing[ImportJobView]:
    """The last imports, newest first."""
    del call
    return Listing(items=await queries.latest(tx))


@endpoint("GET", "/imports/{import_id}", access=MANAGE, tag="customers")
async def get_import(call: Call, tx: Tx, import_id: str) -> ImportProgress:
    """How far an import is, and what was wrong with its first bad rows."""
    job = await queries.get(tx, import_id)
    found = await queries.errors(tx, import_id, limit=_SHOWN)
    return ImportProgress(job=job, errors=[_problem(call, one) for one in found])


@endpoint("POST", "/imports/{import_id}/cancel", access=MANAGE, tag="customers")
async def cancel_import(call: Call, tx: Tx, import_id: str) -> ImportJobView:
    """Take no further rows; those that were taken stay."""
    return await service.cancel(tx, import_id, by=call.actor)


@endpoint("GET", "/imports/{import_id}/errors", access=MANAGE, tag="customers")
async def download_import_errors(
    call: Call, tx: Tx, import_id: str, query: ErrorFileQuery
) -> web.Response:
    """Every bad row with its reason, as a spreadsheet."""
    await queries.get(tx, import_id)
    found = await queries.errors(tx, import_id, limit=_MAX_ERRORS)
    table: list[Sequence[object]] = [("行", "列", "问题")]
    table += [(one.row, one.column, _problem(call, one).message) for one in found]
    write = write_xlsx if query.format == "xlsx" else write_csv
    data = await asyncio.to_thread(write, table)
    kind = _XLSX if query.format == "xlsx" else "text/csv"
    disposition = f'attachment; filename="import-errors.{query.format}"'
    return web.Response(body=data, content_type=kind, headers={"Content-Disposition": disposition})


def _problem(call: Call, error: RowError) -> ImportRowProblem:
    code, _, other = error.code.partition(":")
    language = language_of(call.request.headers.get("Accept-Language", ""))
    message = say(FIELDS, code if code in FIELDS else "value_error", language, {"other": other})
    return ImportRowProblem(row=error.row, column=error.column, code=error.code, message=message)
