"""What changed between two states of an article, field by field. Pure."""

from __future__ import annotations

import difflib
from typing import Final, Literal

from core.views import View
from knowledge.content import CONTENT_FIELDS, ArticleContent

#: Compared character by character; the other fields as wholes.
_TEXTS: Final = ("question", "answer")


class Piece(View):
    """A run of text that both have (same), only the old one (removed) or only the new (added)."""

    kind: Literal["same", "removed", "added"]
    text: str


class FieldChange(View):
    """pieces: for texts. removed, added: for lists and single values, as text."""

    field: str
    pieces: tuple[Piece, ...] = ()
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


def differences(old: ArticleContent, new: ArticleContent) -> list[FieldChange]:
    """The fields that differ, in their order."""
    return [
        _change(name, old, new)
        for name in CONTENT_FIELDS
        if _value(old, name) != _value(new, name)
    ]


def _change(name: str, old: ArticleContent, new: ArticleContent) -> FieldChange:
    if name in _TEXTS:
        return FieldChange(field=name, pieces=pieces(getattr(old, name), getattr(new, name)))
    before, after = _value(old, name), _value(new, name)
    return FieldChange(
        field=name,
        removed=tuple(item for item in before if item not in after),
        added=tuple(item for item in after if item not in before),
    )


def pieces(old: str, new: str) -> tuple[Piece, ...]:
    """Joining `same` and `removed` gives the old text, `same` and `added` the new one."""
    found: list[Piece] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) > 2000)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            found.append(Piece(kind="same", text=old[a:b]))
            continue
        if b > a:
            found.append(Piece(kind="removed", text=old[a:b]))
        if d > c:
            found.append(Piece(kind="added", text=new[c:d]))
    return tuple(found)


def _value(content: ArticleContent, name: str) -> tuple[str, ...]:
    value = getattr(content, name)
    if isinstance(value, tuple):
        return value
    return () if value in {None, ""} else (str(value),)
