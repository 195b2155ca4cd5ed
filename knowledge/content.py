"""What an article says: validated once, stored in revisions, read by retrieval."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from core.views import View
from knowledge.articles import ArticleText

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

#: Read by everyone in the house, never by customers.
INTERNAL: Final = "internal"


class ArticleState(StrEnum):
    """Of the whole article: never shown yet, shown, withdrawn."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


def _clean(text: str) -> str:
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _category(text: str) -> str:
    return "/".join(part for name in text.split("/") if (part := name.strip()))


def _unique(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in parts if part))


def _one_line(text: str) -> str:
    return _clean(text.replace("\r\n", " ").replace("\n", " ").replace("\r", " "))


_Text = AfterValidator(_clean)
_Line = AfterValidator(_one_line)
Question = Annotated[str, _Line, StringConstraints(min_length=1, max_length=500)]
Phrase = Annotated[str, _Line, StringConstraints(max_length=500)]
Tag = Annotated[str, _Line, StringConstraints(max_length=64)]
Answer = Annotated[str, _Text, StringConstraints(max_length=50_000)]
Category = Annotated[str, _Line, AfterValidator(_category), StringConstraints(max_length=200)]
Phrases = Annotated[tuple[Phrase, ...], AfterValidator(_unique), Field(max_length=500)]
Tags = Annotated[tuple[Tag, ...], AfterValidator(_unique), Field(max_length=50)]
Audience = Annotated[tuple[Tag, ...], AfterValidator(_unique), Field(max_length=20)]


class ArticleContent(View):
    """answer: plain text. answer_html: rich text from which `answer` was derived, or empty.

    category: path in the category tree, `/` between levels. similar: other wordings (相似问).
    audience: empty for everyone, else kinds of institution; `internal`: only our own people.
    """

    question: Question
    answer: Answer = ""
    answer_html: Annotated[str, StringConstraints(max_length=200_000)] = ""
    category: Category = ""
    tags: Tags = ()
    similar: Phrases = ()
    audience: Audience = ()
    source: Annotated[str, _Line, StringConstraints(max_length=500)] = ""
    effective_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.effective_at and self.expires_at and self.effective_at >= self.expires_at:
            raise ValueError("expires_at must be later than effective_at")
        return self

    def is_shown_at(self, moment: datetime) -> bool:
        begun = self.effective_at is None or self.effective_at <= moment
        return begun and (self.expires_at is None or moment < self.expires_at)

    def for_retrieval(self, article_id: str) -> ArticleText:
        return ArticleText(
            article_id=article_id,
            question=self.question,
            answer=self.answer or None,
            category=self.category,
            tags=self.tags,
            similar=self.similar,
        )


#: The fields in their order; also the columns of `ArticleRow` that carry them.
CONTENT_FIELDS: Final = tuple(ArticleContent.model_fields)
