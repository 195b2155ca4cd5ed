"""Import, export and tags."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from core.actor import Actor
from core.customers import exporter, importer, profiles, tags
from core.customers.models import CustomerRow
from core.customers.profiles import CustomerSecret
from core.db import UnitOfWork
from core.errors import Forbidden, Invalid
from core.fields import FieldSpec
from core.sealing import KeyRing
from core.settings import service as settings
from core.settings.sections import Customers
from core.tables import MAX_ROWS, Part, parts_of, read_table, write_csv, write_xlsx
from tests.core import seed

BOSS = Actor.system()
KEYS = KeyRing.from_secrets(["a secret of sixteen"])
TABLE = [
    ["姓名", "机构", "电话", "标签", "备注", "职务", "颜色"],
    ["李医生", "苏州市疾控中心", "13812345678", "重点|VIP", "好说话", "科长", "红"],
    ["王护士", "", "138-0000-0002", "", "", "", ""],
]


def part_of(table: Sequence[Sequence[str]]) -> Part:
    """The whole table at once."""
    (part,) = parts_of(table, importer.KEYS, MAX_ROWS)
    return part


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_csv_is_read_in_the_encodings_people_have(encoding: str) -> None:
    text = "\r\n".join(",".join(row) for row in TABLE)
    assert read_table(text.encode(encoding), "客户.csv") == TABLE


def test_xlsx_is_read_and_numbers_keep_their_digits() -> None:
    book = Workbook()
    for row in (["姓名", "电话"], ["李医生", 13812345678.0], [None, None]):
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    assert read_table(out.getvalue(), "客户.xlsx") == [["姓名", "电话"], ["李医生", "13812345678"]]
    assert read_table(write_xlsx(TABLE), "客户.xlsx") == TABLE
    assert read_table(write_csv(TABLE), "x.csv") == TABLE


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04 no zip", b"a,\x00b", b"\xff\xff\xff\xff", b'a\n"' + b"b" * 200_000],
)
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        read_table(data, "x.csv")


def test_a_table_that_is_too_long_is_refused() -> None:
    with pytest.raises(Invalid, match="too_many_rows"):
        read_table(b"a\n" * (MAX_ROWS + 2), "x.csv")


def test_a_cell_never_becomes_a_formula() -> None:
    assert "'=HYPERLINK" in write_csv([["=HYPERLINK(1)"]]).decode("utf-8-sig")


async def test_dry_run_then_import_then_import_again(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        place = await seed.institution(tx, "苏州市疾控中心")
        spec = FieldSpec(key="post", title="职务")
        await settings.put(
            tx, "customers", Customers(fields=(spec,)).model_dump(mode="json"), version=0, by=BOSS
        )
    async with uow.read() as tx:
        dry = await importer.take(tx, KEYS, part_of(TABLE), by=BOSS, is_dry=True)
        assert (dry.created, dry.updated, dry.errors) == (2, 0, [])
        assert await importer.check_heading(tx, TABLE[0]) == ("颜色",)
        assert await tx.db.scalar(select(func.count()).select_from(CustomerRow)) == 0
    async with uow.write() as tx:
        await importer.take(tx, KEYS, part_of(TABLE), by=BOSS, is_dry=False)
    async with uow.write() as tx:
        (found,) = await profiles.find(tx, KEYS, CustomerSecret.PHONE, "13812345678")
        row = await tx.db.get_one(CustomerRow, found)
        assert (row.institution_id, row.tags, row.custom) == (
            place,
            ["重点", "VIP"],
            {"post": "科长"},
        )
        again = await importer.take(tx, KEYS, part_of(TABLE), by=BOSS, is_dry=False)
        assert (again.created, again.updated) == (0, 2)
        assert await tx.db.scalar(select(func.count()).select_from(CustomerRow)) == 2


async def test_each_bad_row_is_named_and_good_ones_go_on(uow: UnitOfWork) -> None:
    table = [
        ["姓名", "机构", "电话", "邮箱"],
        ["", "", "13812345678", ""],
        ["甲", "没有这家", "12", "x"],
        ["乙", "", "13800000009", ""],
        ["乙二", "", "138 0000 0009", ""],
    ]
    async with uow.read() as tx:
        rows, errors = await importer.plan(tx, KEYS, part_of(table), by=BOSS)
    assert [(error.row, error.column, error.code) for error in errors] == [
        (2, "姓名", "required"),
        (3, "机构", "unknown_institution"),
        (3, "电话", "bad_phone"),
        (3, "邮箱", "bad_email"),
        (5, "姓名", "repeats_row:4"),
    ]
    assert [row.name for row in rows] == ["乙"]


async def test_rows_are_known_by_phone_or_place_wherever_they_stand(
    uow: UnitOfWork,
) -> None:
    async with uow.write() as tx:
        place = await seed.institution(tx, "苏州市疾控中心")
        older = await seed.customer(tx, "李医生", institution_id=place)
        await seed.customer(tx, "李医生", institution_id=place)
        owner = await seed.customer(tx, "小王", institution_id=place)
        await profiles.store_secret(tx, KEYS, owner, CustomerSecret.PHONE, "13800000001")
        table = [
            ["姓名", "机构", "电话"],
            ["新人", "", "13800000009"],
            ["王护士", "", "138-0000-0001"],
            ["李医生", "苏州市疾控中心", "13800000002"],
            ["小王", "苏州市疾控中心", "13800000003"],
            ["重复", "", "13800000009"],
        ]
        rows, errors = await importer.plan(tx, KEYS, part_of(table), by=BOSS)
    assert [row.customer_id for row in rows] == [None, owner, older, None]
    assert [(one.row, one.code) for one in errors] == [(6, "repeats_row:2")]


async def test_a_table_without_names_and_a_person_without_permission(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        for heading in ([], ["电话"]):
            with pytest.raises(Invalid, match="no_name_column"):
                await importer.check_heading(tx, heading)
        with pytest.raises(Forbidden):
            await importer.plan(tx, KEYS, part_of(TABLE), by=await seed.servicer(tx, "甲"))


async def test_export_is_masked_unless_the_keys_are_given_and_imports_again(
    uow: UnitOfWork,
) -> None:
    async with uow.write() as tx:
        for number in range(3):
            person = await seed.customer(tx, f"客户{number}")
            await profiles.store_secret(
                tx, KEYS, person, CustomerSecret.PHONE, f"1381234567{number}"
            )
            await profiles.store_secret(
                tx, KEYS, person, CustomerSecret.EMAIL, f"a{number}@cdc.cn"
            )
    async with uow.read() as tx:
        first, after = await exporter.rows(tx, keys=None, limit=2)
        rest, end = await exporter.rows(tx, keys=None, after=after or "", limit=2)
        assert [row[2] for row in (*first, *rest)] == ["138****5670", "138****5671", "138****5672"]
        assert end is None
        full, _ = await exporter.rows(tx, keys=KEYS)
        assert {(row[2], row[3]) for row in full} >= {("13812345670", "a0@cdc.cn")}
        heading = await exporter.headings(tx)
        table = read_table(write_xlsx([heading, *full]), "x.xlsx")
        again = await importer.take(tx, KEYS, part_of(table), by=BOSS, is_dry=True)
        assert (again.updated, again.errors) == (3, [])
        masked = read_table(write_xlsx([heading, *first]), "x.xlsx")
        refused = await importer.take(tx, KEYS, part_of(masked), by=BOSS, is_dry=True)
        assert {one.code for one in refused.errors} == {"bad_phone", "bad_email"}
    async with uow.write() as tx:
        with pytest.raises(Forbidden):
            await exporter.record(tx, by=await seed.servicer(tx, "甲"), is_full=False)


async def test_tags_are_changed_many_at_once_and_counted(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        people = [await seed.customer(tx) for _ in range(3)]
        assert await tags.change_many(tx, people, add=["重点", "VIP"], remove=[], by=BOSS) == 3
        assert await tags.change_many(tx, people[:1], add=[], remove=["VIP"], by=BOSS) == 1
        assert await tags.change_many(tx, people, add=["重点"], remove=[], by=BOSS) == 0
        assert [(tag.name, tag.customers) for tag in await tags.list_tags(tx)] == [
            ("重点", 3),
            ("VIP", 2),
        ]
        with pytest.raises(Invalid):
            await tags.change_many(tx, people, add=["x" * 33], remove=[], by=BOSS)
