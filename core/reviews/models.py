"""Quality reviews (质检): score cards and what was given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Float, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class ScoreCardRow(Base):
    """items: see `ScoreItem`. A card that was used is replaced, not changed."""

    __tablename__ = "score_cards"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    items: Mapped[list[Any]]
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class ReviewRow(Base):
    """One review of one ticket or session; the scored servicer is kept as of then."""

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("subject_kind", "subject_id"),
        Index("ix_reviews_servicer", "servicer_id", "reviewed_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(32))
    servicer_id: Mapped[str] = mapped_column(String(32))
    card_id: Mapped[str] = mapped_column(String(32))
    scores: Mapped[dict[str, Any]]
    total: Mapped[float] = mapped_column(Float)
    is_failed: Mapped[bool] = mapped_column(Boolean, default=False)
    comment: Mapped[str] = mapped_column(Text, default="")
    reviewer_id: Mapped[str] = mapped_column(String(64))
    reviewer_name: Mapped[str] = mapped_column(String(64))
    reviewed_at: Mapped[datetime] = mapped_column(index=True)
    #: The servicer's objection, and what came of it.
    appeal: Mapped[str] = mapped_column(Text, default="")
    appeal_answer: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
