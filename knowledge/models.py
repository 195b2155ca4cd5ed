"""Rows of the knowledge base; what use leaves behind is in `records` and `learning`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.column_types import BigId
from core.db import Base
from knowledge.learning import CalibrationRow, GapQuestionRow, GapRow, KnownQuestionRow
from knowledge.records import DecisionRow, FeedbackRow

__all__ = [
    "ArticleRow",
    "CalibrationRow",
    "CategoryRow",
    "DecisionRow",
    "FeedbackRow",
    "GapQuestionRow",
    "GapRow",
    "KnownQuestionRow",
    "RevisionRow",
    "SynonymRow",
    "VectorRow",
]


class ArticleRow(Base):
    """One question with its answer. The content columns show what is live, or the first draft.

    answer_html: the sanitised rich text; `answer` is derived from it, or stands alone.
    audience: empty for everyone; else the kinds of institution, or `internal`.
    """

    __tablename__ = "articles"
    __table_args__ = (
        Index("ix_articles_state_updated", "state", "updated_at", "id"),
        Index("ix_articles_updated", "updated_at", "id"),
        Index("ix_articles_category_updated", "category", "updated_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(128), unique=True)
    state: Mapped[str] = mapped_column(String(16))
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text, default="")
    answer_html: Mapped[str] = mapped_column(Text, default="")
    category: Mapped[str] = mapped_column(String(200), default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    similar: Mapped[list[str]] = mapped_column(default=list)
    audience: Mapped[list[str]] = mapped_column(default=list)
    source: Mapped[str] = mapped_column(String(500), default="")
    effective_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    owner_id: Mapped[str | None] = mapped_column(String(32), index=True)
    #: Number of the revision that customers see, or saw last.
    live_number: Mapped[int | None]
    #: Number of the revision that somebody works on.
    open_number: Mapped[int | None]
    hits: Mapped[int] = mapped_column(default=0)
    helpful: Mapped[int] = mapped_column(default=0)
    unhelpful: Mapped[int] = mapped_column(default=0)
    absorbed: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class RevisionRow(Base):
    """One state of an article's content. Published ones never change."""

    __tablename__ = "article_revisions"

    article_id: Mapped[str] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(16), index=True)
    content: Mapped[dict[str, Any]]
    author_id: Mapped[str] = mapped_column(String(64))
    author_name: Mapped[str] = mapped_column(String(64), default="")
    reviewer_id: Mapped[str | None] = mapped_column(String(64))
    reviewer_name: Mapped[str] = mapped_column(String(64), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class CategoryRow(Base):
    """A node of the category tree, named by its whole path (`账号权限/登录`)."""

    __tablename__ = "article_categories"

    path: Mapped[str] = mapped_column(String(200), primary_key=True)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]


class SynonymRow(Base):
    """One line of the synonym table: customers' variants → the base's term."""

    __tablename__ = "synonyms"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    term: Mapped[str] = mapped_column(String(100), unique=True)
    variants: Mapped[list[str]] = mapped_column(default=list)
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(64), default="")


class VectorRow(Base):
    """The vector of a text, so that no text is embedded twice. key: hash of role and text."""

    __tablename__ = "article_vectors"

    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
