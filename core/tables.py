"""Spreadsheets in and out: xlsx and csv (UTF-8, GBK). Pure; strangers' files, so with limits."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook

from core.errors import Invalid
from core.views import View

MAX_ROWS: Final = 50_000
MAX_COLUMNS: Final = 60
MAX_CELL: Final = 4_000
#: An xlsx is a zip: what it unpacks to is checked before it is unpacked.
MAX_UNPACKED_BYTES: Final = 200 * 1024 * 1024
_ENCODINGS: Final = ("utf-8-sig", "gb18030")
#: A cell that begins so would be run as a formula by a spreadsheet program.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def read_table(data: bytes, name: str) -> list[list[str]]:
    """Rows of the first sheet as trimmed text; empty rows, and cells beyond the heading, go.

    Raises: Invalid `bad_file`, `too_many_rows`.
    """
    is_xlsx = name.lower().endswith(".xlsx") or data[:4] == b"PK\x03\x04"
    rows = _xlsx_rows(data) if is_xlsx else _csv_rows(data)
    kept: list[list[str]] = []
    for row in rows:
        cells = [cell.strip()[:MAX_CELL] for cell in row[:MAX_COLUMNS]]
        if any(cells):
            kept.append(cells)
        if len(kept) > MAX_ROWS + 1:
            raise Invalid("too_many_rows", field="file", max=MAX_ROWS)
    if not kept:
        return []
    width = max((index for index, cell in enumerate(kept[0], start=1) if cell), default=0)
    return [row[:width] for row in kept]


def write_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with a byte order mark, so that Excel shows Chinese."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def write_xlsx(rows: Iterable[Sequence[object]], *, title: str = "Sheet1") -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append([_harmless(cell) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _csv_rows(data: bytes) -> Iterable[list[str]]:
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        try:
            return list(islice(csv.reader(io.StringIO(text)), MAX_ROWS + 2))
        except csv.Error:  # a quotation mark that never ends, or a cell without end
            break
    raise Invalid("bad_file", field="file")


def _xlsx_rows(data: bytes) -> Iterable[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise Invalid("too_large", field="file")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        return [
            ["" if cell is None else _cell_text(cell) for cell in row]
            for row in sheet.iter_rows(max_row=MAX_ROWS + 2, max_col=MAX_COLUMNS, values_only=True)
        ]
    except (BadZipFile, KeyError, ValueError, IndexError, OSError) as error:
        raise Invalid("bad_file", field="file") from error


def _cell_text(cell: object) -> str:
    """Numbers that are whole lose their ".0": phone numbers are often stored so."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _harmless(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


class RowError(View):
    """row: as a spreadsheet counts it, the heading being row 1."""

    row: int
    column: str
    code: str


Cells = Mapping[str, str]


def _nothing(cells: Cells) -> str:
    del cells
    return ""


@dataclass(frozen=True, slots=True)
class RowKeys:
    """How the rows of a table are told apart; "" for not at all.

    same: equal for two rows that mean the same thing. name, above: what others call a row, and
    what it calls the row that it belongs below.
    """

    same: Callable[[Cells], str]
    name: Callable[[Cells], str] = _nothing
    above: Callable[[Cells], str] = _nothing


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a table. repeats, below: row → the one before that means the same, is above."""

    heading: Sequence[str]
    start: int
    rows: Sequence[Sequence[str]]
    repeats: Mapping[int, int]
    below: Mapping[int, int]

    def numbered(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each row's number and its cells by heading."""
        for number, cells in enumerate(self.rows, start=self.start):
            yield number, dict(zip(self.heading, cells, strict=False))


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a part's rows; those with errors are neither."""

    created: int
    updated: int
    errors: Sequence[RowError]


@dataclass
class RowReader:
    """Reads one row; collects what is wrong with it. columns: heading → what it fills."""

    number: int
    cells: Cells
    columns: Mapping[str, str]
    errors: list[RowError] = field(default_factory=list)

    def refuse(self, column: str, code: str, other: int | None = None) -> None:
        text = code if other is None else f"{code}:{other}"
        self.errors.append(RowError(row=self.number, column=column, code=text))

    def cell(self, target: str) -> tuple[str, str]:
        """(heading, text) of the first filled column for a target."""
        return cell_of(self.cells, self.columns, target)

    def text(self, target: str, longest: int) -> str:
        heading, text = self.cell(target)
        if len(text) > longest:
            self.refuse(heading, "bad_length")
        return text

    def required(self, target: str, longest: int, *, heading: str) -> str:
        """heading: the column that is named where no cell has it."""
        text = self.text(target, longest)
        if not text:
            self.refuse(heading, "required")
        return text


def cell_of(cells: Cells, columns: Mapping[str, str], target: str) -> tuple[str, str]:
    """(heading, text) of the first filled column for a target; the text is "" without one."""
    for heading, text in cells.items():
        if columns.get(heading.lower()) == target and text:
            return heading, text
    return target, ""


def parts_of(table: Sequence[Sequence[str]], keys: RowKeys, size: int) -> Iterator[Part]:
    """A table cut up."""
    heading = table[0]
    seen: dict[str, int] = {}
    named: dict[str, int] = {}
    for start in range(1, len(table), size):
        rows = table[start : start + size]
        repeats: dict[int, int] = {}
        below: dict[int, int] = {}
        for number, texts in enumerate(rows, start=start + 1):
            cells = dict(zip(heading, texts, strict=False))
            key, above = keys.same(cells), keys.above(cells)
            if key and seen.setdefault(key, number) != number:
                repeats[number] = seen[key]
            if above in named:
                below[number] = named[above]
            if name := keys.name(cells):
                named.setdefault(name, number)
        yield Part(heading, start + 1, rows, repeats, below)
