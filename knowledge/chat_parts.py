"""An article as a few chat messages: text and pictures in the order the article has them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.content import File, Image, Media, Text

#: Messages that an article may take: a platform takes five, and somebody may want to add a word.
ROOM: Final = 4
#: Where a picture stands in the derived text; its number is one more than its index.
_MARK: Final = re.compile(r"（图(\d{1,3})）")


@dataclass(frozen=True, slots=True)
class Attachments:
    """What an article shows beside its text. pictures: by id. files: with their names."""

    pictures: tuple[str, ...] = ()
    files: tuple[Media, ...] = ()


def mark(number: int) -> str:
    """What stands in the derived text for the picture of this number."""
    return f"（图{number}）"


def file_mark(number: int) -> str:
    """What stands in the derived text behind the name of the file of this number."""
    return f"（附件{number}）"


@dataclass(frozen=True, slots=True)
class _Picture:
    number: int
    attachment_id: str


_Part = str | _Picture


def chat_parts(text: str, attachments: Attachments, room: int = ROOM) -> list[Text | Image | File]:
    """At most `room` (≥ 1) messages: texts and pictures in their places, files at the end.

    When room is short, texts are joined from the end on, with the picture's mark where it was and
    the picture itself before the joined text; pictures that find no room keep their mark only.
    """
    files = [File(media=media) for media in attachments.files[: room - 1]]
    room -= len(files)
    parts = _split(text, attachments.pictures[: room - 1])
    while len(parts) > room:
        parts = _with_last_texts_joined(parts)
    shown = [
        Text(text=part)
        if isinstance(part, str)
        else Image(media=Media(attachment_id=part.attachment_id))
        for part in parts
    ]
    return [*shown, *files]


def _split(text: str, attachment_ids: Sequence[str]) -> list[_Part]:
    """Everything in its place, each picture once."""
    parts: list[_Part] = []
    left = dict(enumerate(attachment_ids, start=1))
    start = 0
    for found in _MARK.finditer(text):
        number = int(found.group(1))
        if number in left:
            parts += [text[start : found.start()].strip(), _Picture(number, left.pop(number))]
            start = found.end()
    parts += [text[start:].strip(), *(_Picture(*one) for one in left.items())]
    return [part for part in parts if part]


def _with_last_texts_joined(parts: Sequence[_Part]) -> list[_Part]:
    """The pictures between the last two texts go before both."""
    first, last = [at for at, part in enumerate(parts) if isinstance(part, str)][-2:]
    pictures = [part for part in parts[first:last] if isinstance(part, _Picture)]
    after = str(parts[last])
    marks = [mark(one.number) for one in pictures if mark(one.number) not in after]
    joined = "\n".join([str(parts[first]), *marks, after])
    return [*parts[:first], *pictures, joined, *parts[last + 1 :]]
