"""Tables of articles as files: jsonl, csv and xlsx in, row by row, from strangers' programs."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any, Final

import openpyxl

from core.clock import LOCAL_ZONE
from core.errors import Invalid
from knowledge.articles import split_list

#: Refused above: an unpacked workbook that is larger is no list of questions.
MAX_UNPACKED: Final = 512 * 1024 * 1024
FORMATS: Final = ("jsonl", "csv", "xlsx")
LISTS: Final = ("tags", "similar", "audience")

#: Column names that people write → our field.
_COLUMNS: Final = {
    "id": ("id", "编号", "外部编号", "external_id"),
    "question": ("question", "问题", "标准问题", "标准问"),
    "answer": ("answer", "答案", "回答"),
    "answer_html": ("answer_html", "富文本答案"),
    "category": ("category", "分类", "类别"),
    "tags": ("tags", "标签"),
    "similar": ("similar", "相似问", "相似问题", "相似问法"),
    "audience": ("audience", "可见范围"),
    "source": ("source", "来源", "来源文档"),
    "effective_at": ("effective_at", "生效时间"),
    "expires_at": ("expires_at", "失效时间"),
}
_FIELD_OF: Final = {name: field for field, names in _COLUMNS.items() for name in names}
FIELDS: Final = tuple(_COLUMNS)
_ESCAPED: Final = re.compile(r"'+[=+\-@\t]")


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a file: only the fields it has. problem: why it could not be read, or empty."""

    row: int
    values: Mapping[str, Any]
    problem: str = ""


def format_of(name: str) -> str:
    """The format that a file name says.

    Raises: Invalid `unknown_format`.
    """
    kind = PurePath(name).suffix.lower().lstrip(".")
    kind = {"json": "jsonl", "ndjson": "jsonl", "xlsm": "xlsx", "txt": "csv"}.get(kind, kind)
    if kind not in FORMATS:
        raise Invalid("unknown_format", field="file", name=name)
    return kind


def read_records(data: bytes, kind: str) -> Iterator[Record]:
    """Rows as mappings of our field names; rows count as the program that wrote them shows them.

    Raises: Invalid `unreadable_file` or `missing_column` before the first row.
    """
    if kind == "jsonl":
        return _jsonl(decoded(data))
    if kind == "csv":
        return _csv(decoded(data))
    return _xlsx(data)


def decoded(data: bytes) -> str:
    """Text in UTF-8, with or without BOM, UTF-16 with BOM, or GBK (GB 18030).

    Raises: Invalid `unreadable_file`.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: Sequence[str] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid("unreadable_file", field="file", reason="encoding")


def _jsonl(text: str) -> Iterator[Record]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            yield Record(number, {}, "这一行不是 JSON")
            continue
        if not isinstance(value, dict):
            yield Record(number, {}, "这一行不是 JSON 对象")
            continue
        yield Record(number, _named(value))


def _csv(text: str) -> Iterator[Record]:
    csv.field_size_limit(1_000_000)
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = _header(next(rows, []))
        while (row := next(rows, None)) is not None:
            yield from _record(rows.line_num, columns, [_unescaped(cell) for cell in row])
    except csv.Error as error:
        raise Invalid("unreadable_file", field="file", reason=str(error)) from error


def _xlsx(data: bytes) -> Iterator[Record]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            if sum(item.file_size for item in package.infolist()) > MAX_UNPACKED:
                raise Invalid("unreadable_file", field="file", reason="too large")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise Invalid("unreadable_file", field="file", reason="not a workbook") from error
    try:
        rows = book.worksheets[0].iter_rows(values_only=True)
        columns = _header([_cell(value) for value in next(rows, ())])
        for number, row in enumerate(rows, start=2):
            yield from _record(number, columns, [_cell(value) for value in row])
    finally:
        book.close()


def _header(cells: Sequence[str]) -> list[str | None]:
    columns = [_FIELD_OF.get(cell.strip().lower()) for cell in cells]
    for needed in ("id", "question"):
        if needed not in columns:
            raise Invalid("missing_column", field="file", column=needed)
    return columns


def _record(number: int, columns: Sequence[str | None], cells: Sequence[str]) -> Iterator[Record]:
    if any(cell.strip() for cell in cells):
        pairs = zip(columns, cells, strict=False)
        yield Record(number, shaped({name: cell for name, cell in pairs if name is not None}))


def _named(value: Mapping[str, Any]) -> dict[str, Any]:
    found = {_FIELD_OF.get(name.strip().lower()): item for name, item in value.items()}
    return shaped({name: item for name, item in found.items() if name is not None})


def shaped(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lists as tuples, moments as moments, everything else as text."""
    shaped: dict[str, Any] = {}
    for name, value in values.items():
        if name in LISTS:
            shaped[name] = split_list(value)
        elif name in {"effective_at", "expires_at"}:
            shaped[name] = _moment(value)
        else:
            shaped[name] = "" if value is None else str(value)
    return shaped


def _moment(value: object) -> object:
    """A moment without a zone is meant in ours; what is no moment is left to validation."""
    text = str(value).strip() if value is not None else ""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment if moment.tzinfo else moment.replace(tzinfo=LOCAL_ZONE)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _unescaped(cell: str) -> str:
    """Undo what `exporter` puts before cells that a spreadsheet would compute."""
    return cell[1:] if _ESCAPED.match(cell) else cell
