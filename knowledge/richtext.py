"""Rich text made safe, and turned into the plain text that a chat can show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

import nh3
from typing_extensions import override

from core.content import Media
from knowledge.chat_parts import Attachments, file_mark, mark

#: How an image or a link of an article names its stored file: `attachment:<id>`.
ATTACHMENT: Final = "attachment:"

_INLINE: Final = {"br", "strong", "b", "em", "i", "u", "s", "sub", "sup", "code", "a", "img"}
_BLOCKS: Final = {
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "blockquote",
    "pre",
    "ul",
    "ol",
    "table",
    "tr",
    "hr",
}
_TAGS: Final = _INLINE | _BLOCKS | {"li", "thead", "tbody", "th", "td"}
_ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_SCHEMES: Final = {"http", "https", "mailto", "tel", "attachment"}
_ATTACHMENT_ID: Final = re.compile(r"attachment:([0-9a-z]{1,64})")
_BLANKS: Final = re.compile(r"[ \t\u00a0]+")
_GAPS: Final = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Derived:
    """What a chat shows of rich text: one text with marks, and what they stand for."""

    text: str
    attachments: Attachments


def sanitised(html: str) -> str:
    """Rich text with nothing in it that could run, track or break the page. Idempotent."""
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )
    return clean.strip()


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        return value if _ATTACHMENT_ID.fullmatch(value) else None  # ours, not a tracker's
    if name == "href" and tag == "a":
        is_whole = not value.startswith(ATTACHMENT) or _ATTACHMENT_ID.fullmatch(value)
        return value if is_whole and not value.startswith("//") else None
    if name in {"width", "height", "colspan", "rowspan", "start"}:
        return value if value.isascii() and value.isdigit() and len(value) <= 4 else None
    return value


def derived(html: str) -> Derived:
    """Plain text of rich text: paragraphs, lists and tables as lines, links as text（address）."""
    writer = _PlainWriter()
    writer.feed(html)
    writer.close()
    files = tuple(
        Media(attachment_id=file_id, name=name) for file_id, name in writer.files.items()
    )
    return Derived(writer.text(), Attachments(tuple(dict.fromkeys(writer.pictures)), files))


class _PlainWriter(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pictures: list[str] = []
        self.files: dict[str, str] = {}
        self._parts: list[str] = []
        self._lists: list[int | None] = []  # None: bullets; a number: the next item's
        self._href = ""
        self._link_from = 0
        self._cells = 0
        self._verbatim = 0

    def text(self) -> str:
        lines = [line.strip() for line in "".join(self._parts).split("\n")]
        return _GAPS.sub("\n\n", "\n".join(lines)).strip()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            self._open_block(tag, known)
        elif tag == "br":
            self._parts.append("\n")
        elif tag == "li":
            self._parts.append(self._bullet())
        elif tag in {"td", "th"}:
            self._parts.append(" | " if self._cells else "")
            self._cells += 1
        elif tag == "a":
            self._href, self._link_from = known.get("href", ""), len(self._parts)
        elif tag == "img":
            self._picture(known)

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in {"ul", "ol"} and self._lists:
            self._lists.pop()
        if tag == "pre":
            self._verbatim = max(0, self._verbatim - 1)
        if tag == "a" and self._href:
            self._parts.append(self._address())
            self._href = ""
        if tag in _BLOCKS:
            self._break()

    @override
    def handle_data(self, data: str) -> None:
        self._parts.append(data if self._verbatim else _BLANKS.sub(" ", data.replace("\n", " ")))

    def _open_block(self, tag: str, attrs: dict[str, str]) -> None:
        self._break()
        if tag == "ul":
            self._lists.append(None)
        elif tag == "ol":
            self._lists.append(int(attrs["start"]) if attrs.get("start", "").isdigit() else 1)
        elif tag == "tr":
            self._cells = 0
        elif tag == "pre":
            self._verbatim += 1

    def _break(self) -> None:
        if self._parts and not self._parts[-1].endswith("\n"):
            self._parts.append("\n")

    def _bullet(self) -> str:
        self._break()
        number = self._lists[-1] if self._lists else None
        if number is None:
            return "· "
        self._lists[-1] = number + 1
        return f"{number}. "

    def _address(self) -> str:
        shown = "".join(self._parts[self._link_from :]).strip()
        if found := _ATTACHMENT_ID.fullmatch(self._href):
            self.files.setdefault(found.group(1), shown)
            return file_mark(list(self.files).index(found.group(1)) + 1)
        return "" if shown in {self._href, ""} and shown else f"（{self._href}）"

    def _picture(self, attrs: dict[str, str]) -> None:
        found = _ATTACHMENT_ID.fullmatch(attrs.get("src", ""))
        if found:
            self.pictures.append(found.group(1))
            place = list(dict.fromkeys(self.pictures)).index(found.group(1)) + 1
            self._parts.append(mark(place))
