"""Files in and out: encodings, odd rows, formulas, size, and the same file twice."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select

from core.actor import Actor
from core.db import UnitOfWork
from core.errors import Forbidden, Invalid
from core.event_log import EventRow
from knowledge import queries, service
from knowledge.categories import list_categories
from knowledge.exporter import export_articles
from knowledge.importer import ImportReport, import_records
from knowledge.models import RevisionRow
from knowledge.queries import ArticleFilter, every_article
from knowledge.tables import format_of, read_records
from knowledge.views import ArticleView
from tests.knowledge_base.conftest import published

SYSTEM = Actor.system("import")
ROWS = [
    {"id": "a", "question": "怎么登录？", "answer": "点登录。", "category": "账号/登录",
     "tags": ["登录", "账号"], "similar": ["登不上", "进不去"]},
    {"id": "b", "question": "=SUM(1,2) 是什么？", "answer": "公式，\n两行 \"引号\"",
     "category": "其他",
     "tags": [], "similar": []},
]  # fmt: skip


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def as_csv(rows: list[dict[str, Any]], encoding: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow(["|".join(v) if isinstance(v, list) else v for v in row.values()])
    return text.getvalue().encode(encoding)


def as_xlsx(rows: list[dict[str, Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(["|".join(v) if isinstance(v, list) else v for v in row.values()])
        for cell in book.active[book.active.max_row]:
            cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def load(uow: UnitOfWork, data: bytes, kind: str, **options: Any) -> ImportReport:
    return await import_records(uow, read_records(data, kind), by=SYSTEM, **options)


async def everything(uow: UnitOfWork) -> list[ArticleView]:
    return [view async for view in every_article(uow)]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (jsonl(ROWS), "jsonl"),
        (b"\xef\xbb\xbf" + jsonl(ROWS), "jsonl"),
        (as_csv(ROWS, "utf-8"), "csv"),
        (as_csv(ROWS, "utf-8-sig"), "csv"),
        (as_csv(ROWS, "gbk"), "csv"),
        (as_csv(ROWS, "utf-16"), "csv"),
        (as_xlsx(ROWS), "xlsx"),
    ],
    ids=["jsonl", "jsonl-bom", "csv", "csv-bom", "csv-gbk", "csv-utf16", "xlsx"],
)
async def test_the_same_file_twice_changes_nothing(
    uow: UnitOfWork, data: bytes, kind: str
) -> None:
    first = await load(uow, data, kind)
    before = await everything(uow)
    second = await load(uow, data, kind)
    assert (first.created, first.updated, first.failed) == (2, 0, 0)
    assert (second.created, second.updated, second.unchanged) == (0, 0, 2)
    assert await everything(uow) == before
    assert [view.external_id for view in before] == ["a", "b"]
    for view, row in zip(before, ROWS, strict=True):
        assert view.question == row["question"]
        assert view.answer == row["answer"]
        assert view.category == row["category"]
        assert list(view.tags) == row["tags"]
        assert list(view.similar) == row["similar"]
        assert view.is_live
    async with uow.read() as tx:
        assert await tx.db.scalar(select(func.count()).select_from(RevisionRow)) == 2
        tree = [(node.path, node.articles) for node in await list_categories(tx)]
    assert sorted(tree) == [("其他", 1), ("账号", 1), ("账号/登录", 1)]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "xlsx"])
async def test_an_export_imports_back_unchanged(uow: UnitOfWork, kind: str) -> None:
    awkward = [
        {"id": "c", "question": "-1 是什么", "answer": "'=1+1", "category": "", "tags": ["+"],
         "similar": ["@所有人"]},
        {"id": "d", "question": "没有答案？", "answer": "", "category": "甲/乙", "tags": [],
         "similar": []},
    ]  # fmt: skip
    await load(uow, jsonl(ROWS + awkward), "jsonl")
    await published(uow, external_id="rich", answer_html="<p>看<b>图</b></p><ul><li>一</li></ul>")
    before = await everything(uow)
    out = io.BytesIO()
    assert await export_articles(uow, out, kind) == 5
    report = await load(uow, out.getvalue(), kind)
    assert (report.unchanged, report.errors) == (5, [])
    assert await everything(uow) == before


def test_a_csv_export_holds_nothing_that_a_spreadsheet_computes() -> None:
    from knowledge.exporter import _escaped

    assert _escaped("=cmd|' /C calc'!A0").startswith("'")
    assert _escaped("普通") == "普通"


async def test_rows_fail_one_by_one_and_the_others_are_imported(uow: UnitOfWork) -> None:
    lines = [
        json.dumps({"id": "ok", "question": "好"}),
        "{not json",
        json.dumps({"question": "没有编号"}),
        json.dumps({"id": "empty", "question": "  "}),
        json.dumps({"id": "ok", "question": "重复"}),
        json.dumps(["list"]),
        "",
        json.dumps({"id": "late", "question": "问", "expires_at": "不是时间"}),
        json.dumps({"id": 7, "question": "数字编号"}),
    ]
    report = await load(uow, "\n".join(lines).encode(), "jsonl")
    assert report.created == 2
    assert [error.row for error in report.errors] == [2, 3, 4, 5, 6, 8]
    assert "重复" in report.errors[3].message
    assert [view.external_id for view in await everything(uow)] == ["7", "ok"]


async def test_a_dry_run_tells_what_would_happen_and_writes_nothing(uow: UnitOfWork) -> None:
    await load(uow, jsonl(ROWS[:1]), "jsonl")
    changed = ROWS[0] | {"answer": "改过"}
    report = await load(uow, jsonl([changed, ROWS[1]]), "jsonl", dry_run=True)
    assert (report.created, report.updated, report.unchanged) == (1, 1, 0)
    assert [view.answer for view in await everything(uow)] == ["点登录。"]


async def test_a_changed_row_becomes_a_revision_and_missing_columns_stay(
    uow: UnitOfWork, author: Actor
) -> None:
    await load(uow, jsonl(ROWS), "jsonl")
    (view, _) = await everything(uow)
    async with uow.write() as tx:
        await service.edit(tx, view.id, {"answer": "草稿"}, version=view.version, by=author)
    report = await load(uow, "id,answer,question\na,改过,怎么登录？\n".encode(), "csv")
    assert (report.updated, report.errors) == (1, [])
    async with uow.read() as tx:
        after = await queries.get_article(tx, view.id)
        history = await queries.revisions(tx, view.id)
    assert (after.answer, after.tags, after.similar) == ("改过", view.tags, view.similar)
    assert [(r.number, r.state) for r in history] == [
        (3, "published"),
        (2, "draft"),
        (1, "published"),
    ]


async def test_an_archived_article_is_updated_but_stays_silent(
    uow: UnitOfWork, reviewer: Actor
) -> None:
    await load(uow, jsonl(ROWS), "jsonl")
    view = (await everything(uow))[0]
    async with uow.write() as tx:
        await service.archive(tx, view.id, version=view.version, by=reviewer)
    await load(uow, jsonl([ROWS[0] | {"answer": "改过"}]), "jsonl")
    after = (await everything(uow))[0]
    assert (after.answer, after.is_live) == ("改过", False)


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"\xff\xff\xff", "csv", "unreadable_file"),
        (b"PK\x03\x04 no zip", "xlsx", "unreadable_file"),
        ("编号,答案\n1,2\n".encode(), "csv", "missing_column"),
        (b"", "csv", "missing_column"),
    ],
)
def test_a_file_that_is_none_is_refused(data: bytes, kind: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        list(read_records(data, kind))
    assert refused.value.code == code


def test_chinese_headings_semicolons_and_moments_are_understood() -> None:
    text = "编号;问题;相似问;失效时间\n1;怎么办;甲|乙;2026-05-01\n"
    (record,) = read_records(text.encode("gbk"), "csv")
    assert record.values["similar"] == ("甲", "乙")
    assert record.values["expires_at"].isoformat() == "2026-05-01T00:00:00+08:00"
    with pytest.raises(Invalid):
        format_of("knowledge.pdf")


async def test_only_who_may_publish_imports(uow: UnitOfWork, author: Actor) -> None:
    with pytest.raises(Forbidden):
        await import_records(uow, read_records(jsonl(ROWS), "jsonl"), by=author)
    async with uow.read() as tx:
        assert (await queries.list_articles(tx, ArticleFilter())).items == ()


async def test_50_000_rows_take_time_in_proportion_and_announce_each_article(
    sqlite_uow: UnitOfWork,
) -> None:
    def rows(count: int) -> bytes:
        return jsonl(
            [{"id": f"r{n}", "question": f"第 {n} 个问题", "answer": "答"} for n in range(count)]
        )

    started = time.process_time()
    await load(sqlite_uow, rows(5_000), "jsonl")
    small = time.process_time() - started
    started = time.process_time()
    report = await load(sqlite_uow, rows(50_000), "jsonl")
    large = time.process_time() - started
    assert (report.created, report.unchanged) == (45_000, 5_000)
    assert large < small * 10 * 2.5
    async with sqlite_uow.read() as tx:
        assert await tx.db.scalar(select(func.count()).select_from(EventRow)) == 50_000


async def test_what_is_wrong_with_a_row_is_said_in_the_words_of_its_author(
    uow: UnitOfWork,
) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "1", "question": ""},
        {"id": "2", "question": "问" * 501},
        {"id": "3", "question": "好", "similar": ["行", "问" * 501]},
        {"id": "4", "question": "好", "effective_at": "昨天"},
        {"id": "5", "question": "好", "effective_at": "2026-02-01T00:00:00Z",
         "expires_at": "2026-01-01T00:00:00Z"},
    ]  # fmt: skip
    report = await import_records(uow, read_records(jsonl(rows), "jsonl"), by=SYSTEM)
    assert [error.message for error in report.errors] == [
        "问题：不能为空",
        "问题：太长，至多 500",
        "相似问第 2 项：太长，至多 500",
        "生效时间：不是时间，应如 2026-01-31 08:00",
        "生效与失效时间：失效时间应晚于生效时间",
    ]
