"""Rows of what the base learns from use: gaps, known questions, calibrations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class GapRow(Base):
    """Questions of one kind that the bot could not answer. title: the most typical of them.

    state: open, drafted (an article is being written), closed or dismissed.
    absorbed: later questions that the article answered.
    """

    __tablename__ = "knowledge_gaps"
    __table_args__ = (Index("ix_knowledge_gaps_state_size", "state", "size"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    size: Mapped[int] = mapped_column(default=0)
    best_answer: Mapped[str] = mapped_column(Text, default="")
    best_session_id: Mapped[str | None] = mapped_column(String(32))
    owner_id: Mapped[str | None] = mapped_column(String(32), index=True)
    due_at: Mapped[datetime | None]
    article_id: Mapped[str | None] = mapped_column(String(32), index=True)
    absorbed: Mapped[int] = mapped_column(default=0)
    first_asked_at: Mapped[datetime]
    last_asked_at: Mapped[datetime]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class GapQuestionRow(Base):
    """A decision that belongs to a gap. gap_id None: looked at and left out."""

    __tablename__ = "knowledge_gap_questions"

    decision_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    gap_id: Mapped[str | None] = mapped_column(String(32), index=True)
    question: Mapped[str] = mapped_column(Text)
    session_id: Mapped[str | None] = mapped_column(String(32))
    asked_at: Mapped[datetime]


class KnownQuestionRow(Base):
    """A question whose right answer people know: what calibration and the regression gate ask.

    article_id None: no article answers it, and the bot must not try.
    """

    __tablename__ = "known_questions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    question: Mapped[str] = mapped_column(String(500), unique=True)
    article_id: Mapped[str | None] = mapped_column(String(32), index=True)
    origin: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime]


class CalibrationRow(Base):
    """A fit with the data it came from. At most one is in force; none: the shipped one is."""

    __tablename__ = "faq_calibrations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    is_active: Mapped[bool] = mapped_column(default=False)
    slope: Mapped[float]
    intercept: Mapped[float]
    answer: Mapped[float]
    menu: Mapped[float]
    by_category: Mapped[dict[str, Any]] = mapped_column(default=dict)
    target: Mapped[float]
    labels: Mapped[list[Any]] = mapped_column(default=list)
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    model: Mapped[str] = mapped_column(String(200), default="")
    scorer: Mapped[str] = mapped_column(String(64), default="")
    by: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(index=True)
