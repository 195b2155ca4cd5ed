"""Folders and archives of Markdown files: one article each, the folder is its category.

A file may begin with lines `key: value` between two `---`; keys are those of the tables, lists
are separated by `|`. `format: html` and `format: text` say that the body is no Markdown.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

from markdown_it import MarkdownIt

from core.errors import Invalid
from knowledge.tables import FIELDS, LISTS, MAX_UNPACKED, Record, decoded, shaped
from knowledge.views import ArticleView

_HEAD: Final = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_HEADING: Final = re.compile(r"\A\s*#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*(?:\n|\Z)")
_MAX_FILES: Final = 100_000
_MAX_FILE: Final = 1_000_000
_UNSAFE_NAME: Final = re.compile(r"[^\w-]+")


def read_folder(folder: Path) -> Iterator[Record]:
    """Every `.md` file below the folder, in the order of their paths. Links are not followed."""
    files = sorted(p for p in folder.rglob("*.md") if p.is_file() and not p.is_symlink())
    for number, file in enumerate(files, start=1):
        yield _record(number, file.relative_to(folder).as_posix(), file.read_bytes())


def read_archive(data: bytes) -> Iterator[Record]:
    """Every `.md` file of a zip archive; nothing is unpacked to the disk.

    Raises: Invalid `unreadable_file`.
    """
    try:
        package = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        raise Invalid("unreadable_file", field="file", reason="not an archive") from error
    with package:
        items = [item for item in package.infolist() if item.filename.lower().endswith(".md")]
        if len(items) > _MAX_FILES or sum(item.file_size for item in items) > MAX_UNPACKED:
            raise Invalid("unreadable_file", field="file", reason="too large")
        for number, item in enumerate(sorted(items, key=lambda i: i.filename), start=1):
            if item.file_size > _MAX_FILE:
                yield Record(number, {}, f"{item.filename} 过大")
                continue
            yield _record(number, item.filename, package.read(item))


async def write_archive(articles: AsyncIterator[ArticleView], out: BinaryIO) -> int:
    """A zip archive that `read_archive` reads back unchanged. Returns how many were written."""
    count = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        async for view in articles:
            name = _UNSAFE_NAME.sub("_", view.external_id)[:80] or "article"
            package.writestr(f"{count:06d}-{name}.md", _page(view))
            count += 1
    return count


def _record(number: int, path: str, data: bytes) -> Record:
    try:
        text = decoded(data).replace("\r\n", "\n")
    except Invalid:
        return Record(number, {}, f"{path} 的编码无法识别")
    place = PurePosixPath(path)
    values: dict[str, Any] = {
        "id": place.with_suffix("").as_posix(),
        "category": place.parent.as_posix() if place.parent.name else "",
    }
    head = _HEAD.match(text)
    body_format = "markdown"
    if head:
        given = _pairs(head.group(1).split("\n"))
        body_format = given.pop("format", "markdown")
        values |= {name: value for name, value in given.items() if name in FIELDS}
        text = text[head.end() :]
    heading = _HEADING.match(text)
    if heading and body_format == "markdown":
        values.setdefault("question", heading.group(1))
        text = text[heading.end() :]
    values.setdefault("question", place.stem)
    values |= _body(text.strip("\n"), body_format)
    return Record(number, shaped(values))


def _pairs(lines: Iterable[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _body(text: str, body_format: str) -> dict[str, str]:
    if body_format == "text":
        return {"answer": text, "answer_html": ""}
    if body_format == "html":
        return {"answer_html": text}
    made = MarkdownIt("commonmark", {"html": False}).enable("table")
    return {"answer_html": made.render(text)}


def _page(view: ArticleView) -> str:
    values = {name: getattr(view, "external_id" if name == "id" else name) for name in FIELDS}
    lines = ["---"]
    for name, value in values.items():
        if name in {"answer", "answer_html"} or not value:
            continue
        shown = "|".join(value) if name in LISTS else getattr(value, "isoformat", value.__str__)()
        lines.append(f"{name}: {shown}")
    lines.append(f"format: {'html' if view.answer_html else 'text'}")
    lines.append("---")
    return "\n".join(lines) + "\n\n" + (view.answer_html or view.answer) + "\n"
