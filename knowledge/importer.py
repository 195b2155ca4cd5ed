"""Files into articles: new ones are published, different ones revised, the rest stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from sqlalchemy import func, insert, select

from core.actor import Actor
from core.db import Tx, UnitOfWork
from core.errors import Invalid
from core.events import ArticleChanged
from core.ids import new_id
from core.permissions import Permission
from knowledge import lifetimes
from knowledge.categories import ensure_categories
from knowledge.content import CONTENT_FIELDS, ArticleContent, ArticleState
from knowledge.models import ArticleRow, RevisionRow
from knowledge.queries import content_of
from knowledge.service import checked_content
from knowledge.tables import Record

#: Rows in one transaction: customers' messages wait no longer than for these,
ROWS_AT_ONCE: Final = 100
#: and between two transactions everybody else comes first.
_PAUSE_S: Final = 0.01
#: Errors that are reported one by one; more are only counted.
MAX_ERRORS: Final = 1000

#: The columns and what may be wrong with one (pydantic's kinds), for the author of the file.
_FIELDS: Final = {
    "question": "问题", "answer": "答案", "answer_html": "图文答案", "category": "分类",
    "tags": "标签", "similar": "相似问", "audience": "可见范围", "source": "来源文件",
    "effective_at": "生效时间", "expires_at": "失效时间",
}  # fmt: skip
_REASONS: Final = {
    "string_too_short": "不能为空",
    "too_short": "不能为空",
    "string_too_long": "太长，至多 {most}",
    "too_long": "太长，至多 {most}",
    "string_type": "应为文字",
    "value_error": "失效时间应晚于生效时间",
    "datetime_parsing": "不是时间，应如 2026-01-31 08:00",
    "datetime_from_date_parsing": "不是时间，应如 2026-01-31 08:00",
}

Progress = Callable[[int], None]
"""Called with the number of rows done."""


@dataclass(frozen=True, slots=True)
class RowError:
    row: int
    message: str


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    errors: list[RowError] = field(default_factory=list)

    def fail(self, row: int, message: str) -> None:
        self.failed += 1
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(RowError(row, message))


@dataclass(frozen=True, slots=True)
class _Wanted:
    row: int
    external_id: str
    values: dict[str, Any]


async def import_records(
    uow: UnitOfWork,
    records: Iterable[Record],
    *,
    by: Actor,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Create and update articles by their `id`, in short transactions; repeatable at any point.

    Fields that a file does not have stay as they are. Archived articles stay archived.
    Raises: Forbidden.
    """
    by.require(Permission.ARTICLE_PUBLISH)
    report = ImportReport()
    seen: set[str] = set()
    done = 0
    for batch in _batches(records):
        wanted = [found for record in batch if (found := _wanted(record, seen, report))]
        if dry_run:
            async with uow.read() as tx:
                await _Batch(tx, by, report).plan(wanted)
        else:
            async with uow.write() as tx:
                await _Batch(tx, by, report).store(wanted)
        done += len(batch)
        await asyncio.sleep(_PAUSE_S)
        if progress is not None:
            progress(done)
    report.errors.sort(key=lambda error: error.row)
    return report


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    waiting = iter(records)
    while batch := list(islice(waiting, ROWS_AT_ONCE)):
        yield batch


def _wanted(record: Record, seen: set[str], report: ImportReport) -> _Wanted | None:
    values = dict(record.values)
    external_id = str(values.pop("id", "") or "").strip()
    problem = record.problem
    if not problem and not external_id:
        problem = "缺少 id"
    elif len(external_id) > 128 or "\x00" in external_id:
        problem = "id 过长或含有非法字符"
    elif external_id in seen:
        problem = f"id “{external_id}” 在文件中重复，只导入第一次出现的一行"
    if problem:
        report.fail(record.row, problem)
        return None
    seen.add(external_id)
    return _Wanted(record.row, external_id, values)


class _Batch:
    """Some rows of a file against the database, in one transaction."""

    def __init__(self, tx: Tx, by: Actor, report: ImportReport) -> None:
        self._tx = tx
        self._by = by
        self._report = report

    async def plan(
        self, wanted: Sequence[_Wanted]
    ) -> tuple[list[tuple[str, ArticleContent]], list[tuple[ArticleRow, ArticleContent]]]:
        """What is new and what differs; counted in the report."""
        rows = await self._tx.db.scalars(
            select(ArticleRow).where(ArticleRow.external_id.in_([w.external_id for w in wanted]))
        )
        known = {row.external_id: row for row in rows}
        new: list[tuple[str, ArticleContent]] = []
        changed: list[tuple[ArticleRow, ArticleContent]] = []
        for item in wanted:
            row = known.get(item.external_id)
            content = self._content(item, row)
            if content is None:
                continue
            if row is None:
                new.append((item.external_id, content))
            elif row.live_number is not None and content == content_of(row):
                self._report.unchanged += 1
            else:
                changed.append((row, content))
        self._report.created += len(new)
        self._report.updated += len(changed)
        return new, changed

    async def store(self, wanted: Sequence[_Wanted]) -> None:
        new, changed = await self.plan(wanted)
        await ensure_categories(self._tx, {c.category for _, c in (*new, *changed)})
        await self._insert(new)
        await self._update(changed)

    def _content(self, item: _Wanted, row: ArticleRow | None) -> ArticleContent | None:
        base = content_of(row).model_dump() if row is not None else {}
        values = base | item.values
        if row is not None and "answer" in item.values and not item.values.get("answer_html"):
            values["answer_html"] = _kept_html(row, str(item.values["answer"]))
        try:
            return checked_content(values)
        except Invalid as error:
            self._report.fail(item.row, _in_words(error))
            return None

    async def _insert(self, new: Sequence[tuple[str, ArticleContent]]) -> None:
        now = self._tx.now
        rows = [
            {
                **content.model_dump(),
                "id": new_id(),
                "external_id": external_id,
                "state": ArticleState.PUBLISHED,
                "owner_id": self._by.user_id,
                "live_number": 1,
                "created_at": now,
                "updated_at": now,
                "published_at": now,
            }
            for external_id, content in new
        ]
        if not rows:
            return
        await self._tx.db.execute(insert(ArticleRow), rows)
        await self._add_revisions(
            [(row["id"], 1, content) for row, (_, content) in zip(rows, new, strict=True)]
        )
        for row, (_, content) in zip(rows, new, strict=True):
            if content.effective_at or content.expires_at:
                added = await self._tx.db.get_one(ArticleRow, row["id"])
                await lifetimes.plan(self._tx, added)
            is_live = content.is_shown_at(now)
            self._tx.emit(ArticleChanged(article_id=row["id"], is_live=is_live))

    async def _update(self, changed: Sequence[tuple[ArticleRow, ArticleContent]]) -> None:
        if not changed:
            return
        numbers = await self._next_numbers([row.id for row, _ in changed])
        await self._add_revisions([(row.id, numbers[row.id], c) for row, c in changed])
        for row, content in changed:
            for name in CONTENT_FIELDS:
                value = getattr(content, name)
                setattr(row, name, list(value) if isinstance(value, tuple) else value)
            if row.state == ArticleState.DRAFT:
                row.state = ArticleState.PUBLISHED
            row.live_number, row.published_at = numbers[row.id], self._tx.now
            row.updated_at, row.version = self._tx.now, row.version + 1
            await lifetimes.plan(self._tx, row)
            is_live = row.state == ArticleState.PUBLISHED and content.is_shown_at(self._tx.now)
            self._tx.emit(ArticleChanged(article_id=row.id, is_live=is_live))

    async def _next_numbers(self, article_ids: Sequence[str]) -> dict[str, int]:
        found = await self._tx.db.execute(
            select(RevisionRow.article_id, func.max(RevisionRow.number))
            .where(RevisionRow.article_id.in_(article_ids))
            .group_by(RevisionRow.article_id)
        )
        last = dict(found.all())
        return {article_id: last.get(article_id, 0) + 1 for article_id in article_ids}

    async def _add_revisions(self, items: Sequence[tuple[str, int, ArticleContent]]) -> None:
        rows = [
            {
                "article_id": article_id,
                "number": number,
                "state": "published",
                "content": content.model_dump(mode="json"),
                "author_id": self._by.key,
                "author_name": self._by.name,
                "reviewer_id": self._by.key,
                "reviewer_name": self._by.name,
                "note": "导入",
                "created_at": self._tx.now,
                "updated_at": self._tx.now,
                "decided_at": self._tx.now,
            }
            for article_id, number, content in items
        ]
        await self._tx.db.execute(insert(RevisionRow), rows)


def _in_words(error: Invalid) -> str:
    """What is wrong with a row, for the person who made the file."""
    field, _, part = str(error.facts["field"]).partition(".")
    name = _FIELDS.get(field, field or "生效与失效时间")
    place = f"{name}第 {int(part) + 1} 项" if part.isdigit() else name
    reason = _REASONS.get(str(error.facts["kind"]), str(error.facts["reason"]))
    return f"{place}：{reason.format(most=error.facts['most'])}"


def _kept_html(row: ArticleRow, answer: str) -> str:
    """Rich text stays while its plain text is what the file says."""
    return row.answer_html if answer.strip() == row.answer else ""
