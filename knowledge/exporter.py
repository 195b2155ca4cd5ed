"""Articles into jsonl, csv or xlsx, in the form that the importer reads back unchanged."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from typing import BinaryIO, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from core.db import UnitOfWork
from knowledge.content import ArticleState
from knowledge.queries import every_article
from knowledge.tables import FIELDS, LISTS
from knowledge.views import ArticleView

#: What a spreadsheet would compute; such cells of a csv get an apostrophe in front.
_COMPUTED: Final = re.compile(r"'*[=+\-@\t]")


async def export_articles(
    uow: UnitOfWork, out: BinaryIO, kind: str, *, state: ArticleState | None = None
) -> int:
    """Write all articles (of a state) in the order of their ids. Returns how many."""
    articles = every_article(uow, state=state)
    if kind == "jsonl":
        return await _jsonl(articles, out)
    if kind == "csv":
        return await _csv(articles, out)
    return await _xlsx(articles, out)


async def _jsonl(articles: AsyncIterator[ArticleView], out: BinaryIO) -> int:
    count = 0
    async for view in articles:
        line = {name: _plain(view, name) for name in FIELDS}
        out.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        count += 1
    return count


async def _csv(articles: AsyncIterator[ArticleView], out: BinaryIO) -> int:
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(FIELDS)
    count = 0
    async for view in articles:
        writer.writerow([_escaped(_cell(view, name)) for name in FIELDS])
        count += 1
    text.detach()
    return count


async def _xlsx(articles: AsyncIterator[ArticleView], out: BinaryIO) -> int:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("articles")
    sheet.freeze_panes = "A2"
    sheet.column_dimensions["B"].width = sheet.column_dimensions["C"].width = 50
    heads = [WriteOnlyCell(sheet, value=name) for name in FIELDS]
    for head in heads:
        head.font = Font(bold=True)
    sheet.append(heads)
    count = 0
    async for view in articles:
        cells = [WriteOnlyCell(sheet, value=_cell(view, name)[:32767]) for name in FIELDS]
        for cell in cells:
            cell.data_type = "s"  # text, also where it begins like a formula
        sheet.append(cells)
        count += 1
    book.save(out)
    return count


def _plain(view: ArticleView, name: str) -> object:
    value = getattr(view, "external_id" if name == "id" else name)
    if name in {"effective_at", "expires_at"}:
        return value.isoformat() if value is not None else None
    return value


def _cell(view: ArticleView, name: str) -> str:
    value = _plain(view, name)
    if name in LISTS:
        return "|".join(getattr(view, name))
    return "" if value is None else str(value)


def _escaped(cell: str) -> str:
    return f"'{cell}" if _COMPUTED.match(cell) else cell
