"""Articles as files: import with a dry run, export."""

from __future__ import annotations

import asyncio
import io
from typing import Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from admin_api.endpoint import Call, endpoint
from admin_api.uploads import read_upload
from core.audit import service as audit
from core.errors import Invalid
from core.permissions import Permission
from knowledge.content import ArticleState
from knowledge.exporter import export_articles
from knowledge.importer import import_records
from knowledge.markdown import read_archive, write_archive
from knowledge.queries import every_article
from knowledge.tables import Record, format_of, read_records

_MAX_BYTES: Final = 64 * 1024 * 1024
_YES: Final = ("1", "true", "yes", "on")
_TYPES: Final = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "zip": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ImportQuery(BaseModel):
    """dry_run: only say what would happen; may also be a field of the form."""

    model_config = ConfigDict(frozen=True)

    dry_run: bool = False


class ImportErrorView(BaseModel):
    row: int
    message: str


class ImportView(BaseModel):
    """failed: rows that were left out; the first 1,000 of them are named in `errors`."""

    created: int
    updated: int
    unchanged: int
    failed: int
    errors: list[ImportErrorView]


class ExportQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    format: Literal["jsonl", "csv", "xlsx", "zip"] = "xlsx"
    state: ArticleState | None = None


@endpoint(
    "POST",
    "/articles/import",
    access=Permission.ARTICLE_PUBLISH,
    tag="articles",
    multipart=True,
)
async def import_articles(call: Call, query: ImportQuery) -> ImportView:
    """Import jsonl, csv, xlsx or a zip of Markdown (field `file`); repeating changes nothing."""
    sent = await read_upload(call.request, min(_MAX_BYTES, call.services.config.upload_max_bytes))
    dry_run = query.dry_run or sent.fields.get("dry_run", "").lower() in _YES
    kind = "zip" if sent.name.lower().endswith(".zip") else format_of(sent.name)
    records = await asyncio.to_thread(_records, sent.data, kind)
    report = await import_records(call.services.uow, records, by=call.actor, dry_run=dry_run)
    if not dry_run:
        facts = {"created": report.created, "updated": report.updated, "failed": report.failed}
        async with call.services.uow.write() as tx:
            await audit.append(tx, by=call.actor, action="article.imported", facts=facts)
    return ImportView.model_validate(report, from_attributes=True)


@endpoint("GET", "/articles/export", access=Permission.ARTICLE_EDIT, tag="articles")
async def export_all_articles(call: Call, query: ExportQuery) -> web.Response:
    """All articles as a file (zip: Markdown) that the import reads back unchanged."""
    out = io.BytesIO()
    if query.format == "zip":
        count = await write_archive(every_article(call.services.uow, state=query.state), out)
    else:
        count = await export_articles(call.services.uow, out, query.format, state=query.state)
    async with call.services.uow.write() as tx:
        facts = {"format": query.format, "count": count}
        await audit.append(tx, by=call.actor, action="article.exported", facts=facts)
    name = f"articles.{query.format}"
    return web.Response(
        body=out.getvalue(),
        headers={
            "Content-Type": _TYPES[query.format],
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )


def _records(data: bytes, kind: str) -> list[Record]:
    try:
        return list(read_archive(data) if kind == "zip" else read_records(data, kind))
    except RecursionError as error:
        raise Invalid("unreadable_file", field="file") from error
