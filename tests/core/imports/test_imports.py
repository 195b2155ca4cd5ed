"""Imports in the background: nothing lost, nothing twice, whatever happens between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from core.actor import Actor
from core.customers.models import CustomerRow
from core.db import Tx, UnitOfWork
from core.errors import Forbidden
from core.imports import queries, service
from core.imports.kinds import IMPORTERS
from core.imports.models import ImportPartRow
from core.imports.queries import ImportJobView, ImportKind, ImportState
from core.imports.service import IMPORT_TIMER, ImportFile
from core.local import in_process
from core.oa import sync
from core.ownership.queries import OaKind
from core.sealing import KeyRing
from core.tables import Part, Taken
from core.timers.runner import TimerRunner
from core.timers.service import Timer

BOSS = Actor.system()
KEYS = KeyRing.from_secrets(["a secret of sixteen"])
HEADING = ["姓名", "电话"]


def table(rows: int) -> list[list[str]]:
    """The last but one repeats the first; the last has no name."""
    good = [[f"客户{number}", str(13800000000 + number)] for number in range(rows - 2)]
    return [HEADING, *good, ["又是客户0", "138-0000-0000"], ["", "13900000000"]]


async def begin(
    uow: UnitOfWork,
    rows: Sequence[Sequence[str]],
    *,
    is_dry: bool = False,
    kind: ImportKind = ImportKind.CUSTOMERS,
) -> ImportJobView:
    file = ImportFile(kind, "客户.xlsx", rows, is_dry)
    sealed = service.cut(KEYS, file)
    assert not any("13800000001" in part for part in sealed)
    async with uow.write() as tx:
        return await service.begin(tx, file, sealed, by=BOSS)


def runner(uow: UnitOfWork) -> TimerRunner:
    async def work(timer: Timer) -> None:
        await service.step(uow, KEYS, timer)

    return TimerRunner(uow, {IMPORT_TIMER: work}, in_process().wake_up)


async def finish(uow: UnitOfWork, job: ImportJobView) -> ImportJobView:
    while await runner(uow).run_due():
        pass
    async with uow.read() as tx:
        return await queries.get(tx, job.id)


async def count(uow: UnitOfWork, kind: type = CustomerRow) -> int:
    async with uow.read() as tx:
        return await tx.db.scalar(select(func.count()).select_from(kind)) or 0


async def test_a_file_is_tried_taken_and_taken_again(uow: UnitOfWork) -> None:
    rows = table(250)
    tried = await finish(uow, await begin(uow, rows, is_dry=True))
    assert (tried.state, tried.created, tried.failed) == (ImportState.DONE, 248, 2)
    assert (await count(uow), await count(uow, ImportPartRow)) == (0, 0)
    done = await finish(uow, await begin(uow, rows))
    assert (done.done, done.created, done.updated, done.failed) == (250, 248, 0, 2)
    async with uow.read() as tx:
        found = await queries.errors(tx, done.id)
    assert [(one.row, one.code) for one in found] == [(250, "repeats_row:2"), (251, "required")]
    again = await finish(uow, await begin(uow, rows))
    assert (again.created, again.updated, await count(uow)) == (0, 248, 248)


async def test_a_crash_in_a_part_repeats_only_that_part(
    uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await begin(uow, table(250))
    await runner(uow).run_due()
    assert await count(uow) == 100
    customers = IMPORTERS[ImportKind.CUSTOMERS]

    async def crash(tx: Tx, keys: KeyRing, part: Part, *, by: Actor, is_dry: bool) -> Taken:
        await customers.take(tx, keys, part, by=by, is_dry=is_dry)
        raise ConnectionError("the database went away")

    with monkeypatch.context() as broken:
        broken.setitem(IMPORTERS, ImportKind.CUSTOMERS, replace(customers, take=crash))
        await runner(uow).run_due()
    assert await count(uow) == 100
    uow.clock.advance(seconds=10)  # type: ignore[attr-defined]  # the tests' clock
    done = await finish(uow, job)
    assert (done.state, done.created, await count(uow)) == (ImportState.DONE, 248, 248)


async def test_what_fails_again_and_again_is_given_up_and_said_so(
    uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await begin(uow, table(10))

    async def crash(*_: object, **__: object) -> Taken:
        raise ConnectionError("again")

    customers = IMPORTERS[ImportKind.CUSTOMERS]
    monkeypatch.setitem(IMPORTERS, ImportKind.CUSTOMERS, replace(customers, take=crash))
    for _ in range(6):
        await runner(uow).run_due()
        uow.clock.advance(seconds=3600)  # type: ignore[attr-defined]  # the tests' clock
    async with uow.read() as tx:
        assert (await queries.get(tx, job.id)).state == ImportState.FAILED


async def test_a_cancelled_import_takes_no_further_rows(uow: UnitOfWork) -> None:
    job = await begin(uow, table(250))
    await runner(uow).run_due()
    nobody = Actor(None, None, "x", None, frozenset())
    async with uow.write() as tx:
        with pytest.raises(Forbidden):
            await service.cancel(tx, job.id, by=nobody)
        await service.cancel(tx, job.id, by=BOSS)
    ended = await finish(uow, job)
    assert (ended.state, ended.done, await count(uow)) == (ImportState.CANCELLED, 100, 100)
    assert await count(uow, ImportPartRow) == 0


async def test_what_the_oa_owns_is_left_to_it(uow: UnitOfWork) -> None:
    lin = {"id": "p1", "version": 1, "name": "林晓", "phone": "13800000001"}
    async with uow.write() as tx:
        await sync.take(tx, KEYS, OaKind.CONTACT, [lin], source="push", by=BOSS)
    rows = [
        ["姓名", "电话", "标签", "OA 编号"],
        ["林晓", "13800000001", "重点", ""],
        ["林大", "", "", "p1"],
        ["谁", "", "", "p9"],
    ]
    job = await finish(uow, await begin(uow, rows))
    async with uow.read() as tx:
        found = await queries.errors(tx, job.id)
        tags = (await tx.db.scalars(select(CustomerRow))).one().tags
    assert [(one.row, one.column, one.code) for one in found] == [
        (3, "姓名", "owned_by_oa"),
        (4, "OA 编号", "unknown_oa_id"),
    ]
    assert (job.updated, tags) == (1, ["重点"])
