"""Institutions from a spreadsheet: the tree, what a row means, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from core.customers.models import InstitutionRow
from core.db import UnitOfWork
from core.imports import queries as imports
from core.imports import service
from core.imports.models import ImportPartRow
from core.imports.queries import ImportJobView, ImportKind, ImportState
from core.institutions import queries
from core.institutions.queries import InstitutionDetail
from core.oa import sync
from core.ownership.queries import OaKind
from core.sealing import KeyRing, SealBroken
from tests.core import seed
from tests.core.imports.test_imports import BOSS, KEYS, begin, finish

HEADING = ["名称", "上级", "类型", "行政区划", "产品", "合同级别", "负责工程师"]
TREE = [
    HEADING,
    ["江苏省疾控中心", "", "cdc", "江苏省", "直报", "", ""],
    ["苏州市疾控中心", "江苏省疾控中心", "cdc", "320500", "直报", "VIP", "安娜"],
    ["门诊部", "苏州市疾控中心", "clinic", "江苏省 苏州市", "", "", ""],
    ["南京市疾控中心", "江苏省疾控中心", "cdc", "", "", "", ""],
    ["门诊部", "江苏省疾控中心 / 南京市疾控中心", "clinic", "", "", "", ""],
]


async def take(
    uow: UnitOfWork, rows: Sequence[Sequence[str]], *, is_dry: bool = False
) -> ImportJobView:
    job = await begin(uow, rows, is_dry=is_dry, kind=ImportKind.INSTITUTIONS)
    return await finish(uow, job)


async def problems(uow: UnitOfWork, job: ImportJobView) -> list[tuple[int, str, str]]:
    async with uow.read() as tx:
        return [(one.row, one.column, one.code) for one in await imports.errors(tx, job.id)]


async def named(uow: UnitOfWork, name: str) -> list[InstitutionDetail]:
    async with uow.read() as tx:
        ids = await tx.db.scalars(
            select(InstitutionRow.id).where(InstitutionRow.name == name).order_by("id")
        )
        return [await queries.get(tx, one) for one in ids.all()]


async def test_a_tree_is_tried_made_and_taken_again(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        await seed.servicer(tx, "安娜")
    tried = await take(uow, TREE, is_dry=True)
    assert (tried.state, tried.created, tried.failed) == (ImportState.DONE, 5, 0)
    assert await named(uow, "门诊部") == []
    done = await take(uow, TREE)
    assert (done.created, done.updated, await problems(uow, done)) == (5, 0, [])
    ours, theirs = await named(uow, "门诊部")
    assert ours.path == ("江苏省疾控中心", "苏州市疾控中心", "门诊部")
    assert theirs.path == ("江苏省疾控中心", "南京市疾控中心", "门诊部")
    assert (ours.region_code, ours.kind) == ("320500", "clinic")
    (city,) = await named(uow, "苏州市疾控中心")
    assert (city.engineer_name, city.contract_level, city.version) == ("安娜", "VIP", 1)
    again = await take(uow, TREE)
    assert (again.created, again.updated) == (0, 5)
    only = await take(uow, [["机构", "合同级别"], ["苏州市疾控中心", "普通"]])
    (city,) = await named(uow, "苏州市疾控中心")
    assert (only.updated, city.contract_level, city.product) == (1, "普通", "直报")
    assert city.path == ("江苏省疾控中心", "苏州市疾控中心")


async def test_a_tree_longer_than_a_part_finds_its_parents_in_a_dry_run_too(
    uow: UnitOfWork,
) -> None:
    rows = [["名称", "上级"], ["总院", ""], *([f"分院{n}", "总院"] for n in range(150))]
    rows += [["孤儿", "没有这家"], ["分院149下级", "分院149"], ["孤儿下级", "孤儿"]]
    for is_dry in (True, False):
        job = await take(uow, rows, is_dry=is_dry)
        assert (job.created, job.failed) == (152, 2)
        assert await problems(uow, job) == [
            (153, "上级", "unknown_parent"),
            (155, "上级", "unknown_parent"),
        ]


async def test_what_is_wrong_with_a_row_is_said_and_leaves_it_out(uow: UnitOfWork) -> None:
    rows = [
        [*HEADING, "OA 编号", "邮编"],
        ["甲", "", "", "月球", "", "", "谁", "", ""],
        ["甲" * 129, "", "", "", "", "", "", "", ""],
        ["乙", "", "", "", "", "", "", "", "215000"],
        ["乙", "", "", "", "", "", "", "", ""],
        ["", "乙", "", "", "", "", "", "", ""],
        ["丙", "", "", "", "", "", "", "p9", ""],
        ["乙", "乙", "", "", "", "", "", "", ""],
    ]
    job = await take(uow, rows)
    assert job.unknown_columns == ("邮编",)
    assert await problems(uow, job) == [
        (2, "行政区划", "unknown_region"),
        (2, "负责工程师", "unknown_engineer"),
        (3, "名称", "bad_length"),
        (5, "名称", "repeats_row:4"),
        (6, "名称", "required"),
        (7, "OA 编号", "unknown_oa_id"),
        (8, "上级", "own_descendant"),
    ]
    assert (job.created, job.failed) == (1, 6)


async def test_one_without_a_place_is_moved_and_several_of_a_name_are_not_guessed(
    uow: UnitOfWork,
) -> None:
    async with uow.write() as tx:
        lone = await seed.institution(tx, "人民医院")
        await seed.institution(tx, "市卫健委")
    moved = await take(uow, [["名称", "上级"], ["人民医院", "市卫健委"]])
    assert (moved.created, moved.updated) == (0, 1)
    (hospital,) = await named(uow, "人民医院")
    assert (hospital.id, hospital.path) == (lone, ("市卫健委", "人民医院"))
    async with uow.write() as tx:
        await seed.institution(tx, "人民医院")
    unsure = await take(uow, [["名称", "上级"], ["人民医院", ""], ["儿科", "人民医院"]])
    assert await problems(uow, unsure) == [
        (2, "名称", "ambiguous_institution"),
        (3, "上级", "ambiguous_parent"),
    ]


async def test_what_the_oa_owns_of_an_institution_is_left_to_it(uow: UnitOfWork) -> None:
    one = {"id": "i1", "version": 1, "name": "云岭县疾控", "product": "直报"}
    async with uow.write() as tx:
        await sync.take(tx, KEYS, OaKind.INSTITUTION, [one], source="push", by=BOSS)
    rows = [["名称", "产品", "OA 编号"], ["云岭县疾控", "别的", ""], ["改名", "", "i1"]]
    refused = await take(uow, rows)
    assert await problems(uow, refused) == [
        (2, "产品", "owned_by_oa"),
        (3, "名称", "owned_by_oa"),
    ]
    same = await take(uow, [rows[0], ["云岭县疾控", "直报", "i1"]])
    assert (same.updated, same.failed) == (1, 0)


async def test_rows_that_wait_are_sealed_anew_when_the_key_changes(uow: UnitOfWork) -> None:
    job = await begin(uow, TREE, kind=ImportKind.INSTITUTIONS)
    ring = KeyRing.from_secrets(["another secret of many letters", "a secret of sixteen"])
    async with uow.write() as tx:
        assert await service.reseal(tx, ring) == job.id
        assert await service.reseal(tx, ring, after=job.id) is None
    async with uow.read() as tx:
        (kept,) = (await tx.db.scalars(select(ImportPartRow.sealed))).all()
    new_alone = KeyRing.from_secrets(["another secret of many letters"])
    assert "苏州市疾控中心" in new_alone.open(kept, context="import.part")
    with pytest.raises(SealBroken):
        KEYS.open(kept, context="import.part")
