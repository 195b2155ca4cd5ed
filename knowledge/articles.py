"""What the retrieval engine reads of an article; no database, no rich text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArticleText:
    """One published article as plain text.

    answer: None when the source has none; retrieval then rests on the question alone.
    similar: other wordings of the question (相似问), written or confirmed by people.
    """

    article_id: str
    question: str
    answer: str | None = None
    category: str = ""
    tags: tuple[str, ...] = ()
    similar: tuple[str, ...] = ()

    @property
    def phrasings(self) -> tuple[str, ...]:
        return (self.question, *self.similar)


def split_list(value: object) -> tuple[str, ...]:
    """Read a list field: a list as it is, text separated by `|`, nothing as empty."""
    if value is None:
        return ()
    parts: Iterable[object] = value if isinstance(value, (list, tuple)) else str(value).split("|")
    return tuple(text for part in parts if (text := str(part).strip()))
