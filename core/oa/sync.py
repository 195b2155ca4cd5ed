"""Taking the OA's records: in any order, any number of times, from several sides at once.

A record older than what is known changes nothing; the same one again neither. What cannot be taken
is kept as a conflict for people, and tried again when what it waited for has come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import Field
from sqlalchemy import delete, func, select

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import DomainError, Invalid
from core.ids import new_id
from core.oa import conflicts, links, records
from core.oa.models import OaRunRow
from core.oa.records import Record
from core.oa.unfit import awaited
from core.oa.writers import WRITERS, Desk
from core.ownership.queries import OaKind, mapping_of
from core.permissions import Permission
from core.sealing import KeyRing
from core.settings.oa import Oa
from core.settings.queries import get as setting
from core.views import View

MAX_RECORDS: Final = 1_000
#: One batch at a time on PostgreSQL; SQLite has it by nature.
_LOCK: Final = 0x6F61
_KEPT_RUNS: Final = 500

Result = Literal["created", "updated", "unchanged", "stale", "conflict"]
Source = Literal["push", "pull", "file", "retry"]
Raw = Mapping[str, Any]


class OaOutcome(View):
    """What became of a record. row: its place in the batch, from 1; 0 for one that had waited."""

    row: int
    oa_id: str
    name: str
    result: Result
    code: str = ""
    facts: dict[str, str] = Field(default_factory=dict)


class OaReport(View):
    counts: dict[Result, int]
    rows: tuple[OaOutcome, ...]


async def take(
    tx: Tx, keys: KeyRing, kind: OaKind, items: Sequence[Raw], *, source: Source, by: Actor
) -> OaReport:
    """Take a batch in one transaction. A dry run is the same in `uow.rehearse`.

    Raises: Forbidden; Invalid `too_many`.
    """
    by.require(Permission.OA_SYNC)
    if len(items) > MAX_RECORDS:
        raise Invalid("too_many", field="items", max=MAX_RECORDS)
    await lock(tx)
    batch = _Batch(tx, desk_of(keys, by), await setting(tx, Oa))
    read, rows = batch.read(kind, items)
    for number, record in _parents_first(read):
        rows.append(await batch.one(number, record))
    rows.sort(key=lambda row: row.row)
    rows += await batch.waiting()
    report = OaReport(counts=dict(Counter(row.result for row in rows)), rows=tuple(rows))
    for oa_id, raw, error in batch.unreadable:
        await conflicts.keep_unreadable(tx, keys, kind, oa_id, raw, error)
    await _record(tx, kind, report, source=source, by=by)
    return report


async def retry(tx: Tx, keys: KeyRing, conflict_id: str, *, by: Actor) -> OaReport:
    """Try a conflict's record once more. Raises: Forbidden; NotFound."""
    found = await conflicts.get(tx, conflict_id)
    raw = conflicts.raw_of(keys, found)
    return await take(tx, keys, OaKind(found.kind), [raw], source="retry", by=by)


async def lock(tx: Tx) -> None:
    if tx.dialect == "postgresql":
        await tx.db.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def desk_of(keys: KeyRing, by: Actor) -> Desk:
    """Whoever may synchronise may write what the OA is the master of, and is named for it."""
    granted = frozenset({Permission.CUSTOMER_MANAGE, Permission.USER_MANAGE})
    return Desk(keys, Actor(by.user_id, by.servicer_id, by.name, by.role, granted, by.ip))


class _Batch:
    """The records of one transaction."""

    def __init__(self, tx: Tx, desk: Desk, oa: Oa) -> None:
        self._tx, self._desk, self._oa = tx, desk, oa
        self._came: list[str] = []
        self.unreadable: list[tuple[str, Raw, Invalid]] = []

    def read(
        self, kind: OaKind, items: Sequence[Raw]
    ) -> tuple[list[tuple[int, Record]], list[OaOutcome]]:
        """What can be read, and the refusals of what cannot."""
        mapping = mapping_of(self._oa, kind)
        good: list[tuple[int, Record]] = []
        rows: list[OaOutcome] = []
        for number, raw in enumerate(items, start=1):
            try:
                good.append((number, records.read(kind, raw, mapping)))
            except Invalid as error:
                oa_id = records.id_of(raw, mapping)
                rows.append(_refused(number, oa_id, "", error))
                self.unreadable.append((oa_id, raw, error))
        return good, rows

    async def one(self, number: int, record: Record) -> OaOutcome:
        tx, kind = self._tx, record.kind
        link = await links.link_of(tx, kind, record.oa_id)
        known = await conflicts.version_of(tx, kind, record.oa_id)
        newest = max(known, -1 if link is None else link.version)
        if record.version < newest:
            return _outcome(number, record, "stale")
        if link is not None and (link.version, link.digest) == (record.version, record.digest):
            return _outcome(number, record, "unchanged")
        ours = links.own_id(link)
        try:
            if link is not None and ours and not await links.leads(tx, link, ours):
                raise Invalid("merged_record")
            if ours is not None or record.is_active:
                kept = await WRITERS[kind](tx, self._desk, record, ours)
            else:
                kept = None  # ended before we heard of it: only its version is of interest
        except DomainError as error:
            await conflicts.keep(tx, self._desk.keys, record, error)
            return _refused(number, record.oa_id, record.name, error)
        await links.keep(tx, record, link, kept)
        await conflicts.settle(tx, kind, record.oa_id)
        is_new = ours is None and kind is OaKind.INSTITUTION
        if kept is not None and (is_new or kind is OaKind.STAFF):
            self._came.append(awaited(kind, record.oa_id))
        return _outcome(number, record, "updated" if ours or kept is None else "created")

    async def waiting(self) -> list[OaOutcome]:
        """What waited for those that have come, and for those that come with it."""
        rows: list[OaOutcome] = []
        while self._came:
            came, self._came = self._came, []
            for kind, raw in await conflicts.waiting_for(self._tx, self._desk.keys, came):
                read, refused = self.read(kind, [raw])
                rows += [await self.one(0, record) for _, record in read] + refused
        return rows


def _parents_first(read: Sequence[tuple[int, Record]]) -> list[tuple[int, Record]]:
    """Institutions after the one above them, wherever it stands; circles as they come."""
    here = {record.oa_id: (number, record) for number, record in read}
    done: set[int] = set()
    ordered: list[tuple[int, Record]] = []
    for item in read:
        chain, at = [], item
        while at[0] not in done:
            done.add(at[0])
            chain.append(at)
            parent = at[1].fields.get("parent", "")
            if parent not in here:
                break
            at = here[parent]
        ordered += reversed(chain)
    return ordered


def _outcome(number: int, record: Record, result: Result) -> OaOutcome:
    return OaOutcome(row=number, oa_id=record.oa_id, name=record.name, result=result)


def _refused(number: int, oa_id: str, name: str, error: DomainError) -> OaOutcome:
    facts = {key: str(value) for key, value in error.facts.items()}
    return OaOutcome(
        row=number, oa_id=oa_id, name=name, result="conflict", code=error.code, facts=facts
    )


async def _record(tx: Tx, kind: OaKind, report: OaReport, *, source: Source, by: Actor) -> None:
    counts = {str(result): number for result, number in report.counts.items()}
    tx.db.add(OaRunRow(id=new_id(), source=source, kind=kind, at=tx.now, by=by.key, counts=counts))
    await tx.db.flush()
    newest = select(OaRunRow.id).order_by(OaRunRow.id.desc()).limit(_KEPT_RUNS)
    await tx.db.execute(
        delete(OaRunRow)
        .where(OaRunRow.id.not_in(newest))
        .execution_options(synchronize_session=False)
    )
    if set(counts) - {"unchanged", "stale"}:
        facts = {"kind": kind, "source": source, **counts}
        await audit.append(tx, by=by, action="oa.synced", facts=facts)
