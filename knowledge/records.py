"""Rows that the bot and its users leave: decisions with their provenance, and feedback."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class DecisionRow(Base):
    """What the bot decided on one question, with all that is needed to replay it."""

    __tablename__ = "faq_decisions"
    __table_args__ = (
        Index("ix_faq_decisions_created", "created_at", "id"),
        Index("ix_faq_decisions_article_created", "article_id", "created_at"),
        Index("ix_faq_decisions_band_created", "band", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    session_id: Mapped[str | None] = mapped_column(String(32), index=True)
    message_ids: Mapped[list[str]] = mapped_column(default=list)
    question: Mapped[str] = mapped_column(Text)
    cleaned: Mapped[str] = mapped_column(Text, default="")
    audience: Mapped[str] = mapped_column(String(32), default="")
    band: Mapped[str] = mapped_column(String(16))
    why: Mapped[str] = mapped_column(String(32))
    gate: Mapped[str] = mapped_column(String(64), default="")
    confidence: Mapped[float]
    threshold: Mapped[float]
    #: The article that was shown as the answer, at that revision.
    article_id: Mapped[str | None] = mapped_column(String(32))
    article_number: Mapped[int | None]
    candidates: Mapped[list[Any]] = mapped_column(default=list)
    model: Mapped[str] = mapped_column(String(200), default="")
    calibration_id: Mapped[str | None] = mapped_column(String(32))
    elapsed_ms: Mapped[float] = mapped_column(default=0.0)
    created_at: Mapped[datetime]


class FeedbackRow(Base):
    """What people said of a decision. by: `customer`, or the user who corrected it.

    verdict: solved, unsolved, corrected (then `right_article_id`), chosen (from a menu),
    cited (a servicer sent the article) or person (a person answered it).
    """

    __tablename__ = "faq_feedback"
    __table_args__ = (UniqueConstraint("decision_id", "by"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    decision_id: Mapped[str] = mapped_column(String(32))
    session_id: Mapped[str | None] = mapped_column(String(32), index=True)
    article_id: Mapped[str | None] = mapped_column(String(32), index=True)
    verdict: Mapped[str] = mapped_column(String(16))
    right_article_id: Mapped[str | None] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(index=True)
