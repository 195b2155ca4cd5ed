"""The OA as the master of institutions, their people and our staff: pushed, tried, mended."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from admin_api.oa_words import conflict_words
from admin_api.pagination import Listing, PageQuery
from admin_api.uploads import read_upload
from admin_api.words import language_of
from core.db import Tx
from core.errors import Conflict
from core.oa import conflicts, pairing, pull, sync
from core.oa.conflicts import OaConflictView
from core.oa.pull import PULL_KEY, PULL_TIMER, OaStateView
from core.oa.sync import MAX_RECORDS, OaOutcome, OaReport, Raw, Source
from core.ownership.queries import OaKind
from core.permissions import Permission
from core.tables import read_table
from core.timers import service as timers

SYNC = Permission.OA_SYNC
_MAX_FILE_BYTES = 5 * 1024 * 1024


class OaRecordsBody(Body):
    """items: the OA's records in its own words. dry_run: tell what would happen."""

    kind: OaKind
    items: list[dict[str, Any]] = Field(max_length=MAX_RECORDS)
    dry_run: bool = False


class OaFileQuery(BaseModel):
    kind: OaKind
    dry_run: bool = True


class OaLinkBody(Body):
    """own_id: the id of ours; it is the OA's record from now on."""

    kind: OaKind
    oa_id: Annotated[str, Field(min_length=1, max_length=64)]
    own_id: Annotated[str, Field(min_length=1, max_length=32)]


class OaRow(OaOutcome):
    """message: what is wrong and what to do, in words."""

    message: str = ""


class OaAnswer(BaseModel):
    """counts: created, updated, unchanged, stale, conflict."""

    counts: dict[str, int]
    rows: list[OaRow]
    dry_run: bool


class OaConflict(OaConflictView):
    """message: what is wrong and what to do, in words."""

    message: str


class OaOverview(OaStateView):
    """has_source: whether an address to fetch from is configured."""

    has_source: bool


@endpoint("GET", "/oa", access=SYNC, tag="oa")
async def get_oa(call: Call, tx: Tx) -> OaOverview:
    """How the synchronisation stands, and the last batches."""
    found = await pull.state(tx)
    return OaOverview(**found.model_dump(), has_source=call.services.has_oa)


@endpoint("POST", "/oa/records", access=SYNC, tag="oa")
async def push_oa_records(call: Call, body: OaRecordsBody) -> OaAnswer:
    """Create, update or end institutions, contacts or staff; in any order, any number of times."""
    return await _take(call, body.kind, body.items, source="push", dry_run=body.dry_run)


@endpoint("POST", "/oa/files", access=SYNC, tag="oa", multipart=True)
async def upload_oa_records(call: Call, query: OaFileQuery) -> OaAnswer:
    """The same from xlsx or csv, with the OA's field names as headings."""
    sent = await read_upload(call.request, _MAX_FILE_BYTES)
    table = await asyncio.to_thread(read_table, sent.data, sent.name)
    items = [dict(zip(table[0], cells, strict=False)) for cells in table[1:]]
    return await _take(call, query.kind, items, source="file", dry_run=query.dry_run)


@endpoint("POST", "/oa/pull", access=SYNC, tag="oa")
async def pull_oa_now(call: Call, tx: Tx) -> None:
    """Fetch the OA's changes now rather than when their turn comes."""
    if not call.services.has_oa:
        raise Conflict("oa_not_configured")
    await timers.set_timer(tx, PULL_TIMER, PULL_KEY, tx.now)


@endpoint("GET", "/oa/conflicts", access=SYNC, tag="oa")
async def list_oa_conflicts(call: Call, tx: Tx, query: PageQuery) -> Listing[OaConflict]:
    """Records that could not be taken, newest first, with what to do."""
    page = await conflicts.listed(tx, cursor=query.cursor, limit=query.limit)
    items = [
        OaConflict(**one.model_dump(), message=_words(call, one.code, one.facts))
        for one in page.items
    ]
    return Listing(items=items, next_cursor=page.next_cursor)


@endpoint("POST", "/oa/conflicts/{conflict_id}/retry", access=SYNC, tag="oa")
async def retry_oa_conflict(call: Call, tx: Tx, conflict_id: str) -> OaAnswer:
    """Try the record once more."""
    report = await sync.retry(tx, call.services.keyring, conflict_id, by=call.actor)
    return _answer(call, report, dry_run=False)


@endpoint("POST", "/oa/conflicts/{conflict_id}/link", access=SYNC, tag="oa")
async def link_oa_conflict(call: Call, tx: Tx, conflict_id: str) -> OaAnswer:
    """The record and what it may well be are one: link them and take the record."""
    report = await pairing.link_candidate(tx, call.services.keyring, conflict_id, by=call.actor)
    return _answer(call, report, dry_run=False)


@endpoint("DELETE", "/oa/conflicts/{conflict_id}", access=SYNC, tag="oa")
async def drop_oa_conflict(call: Call, tx: Tx, conflict_id: str) -> None:
    """Leave the record be until the OA tells of it again."""
    await pairing.drop(tx, conflict_id, by=call.actor)


@endpoint("POST", "/oa/links", access=SYNC, tag="oa")
async def link_oa_record(call: Call, tx: Tx, body: OaLinkBody) -> None:
    """Say which record of the OA something made by hand is."""
    await pairing.link(tx, body.kind, body.oa_id, body.own_id, by=call.actor)


@endpoint("DELETE", "/oa/links/{kind}/{oa_id}", access=SYNC, tag="oa")
async def unlink_oa_record(call: Call, tx: Tx, kind: str, oa_id: str) -> None:
    """People keep it here again; the OA's next word about it would make another."""
    await pairing.unlink(tx, kind, oa_id, by=call.actor)


async def _take(
    call: Call, kind: OaKind, items: list[Any], *, source: Source, dry_run: bool
) -> OaAnswer:
    records: list[Raw] = items
    keys, uow = call.services.keyring, call.services.uow
    async with uow.rehearse() if dry_run else uow.write() as tx:
        report = await sync.take(tx, keys, kind, records, source=source, by=call.actor)
    return _answer(call, report, dry_run=dry_run)


def _answer(call: Call, report: OaReport, *, dry_run: bool) -> OaAnswer:
    rows = [
        OaRow(**row.model_dump(), message=_words(call, row.code, row.facts) if row.code else "")
        for row in report.rows
    ]
    counts = {str(result): number for result, number in report.counts.items()}
    return OaAnswer(counts=counts, rows=rows, dry_run=dry_run)


def _words(call: Call, code: str, facts: dict[str, str]) -> str:
    language = language_of(call.request.headers.get("Accept-Language", ""))
    return conflict_words(code, facts, language)
