"""Ratings (满意度): asked once per session, answered or not."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class RatingRow(Base):
    """A customer's mean of some time is read from one index, whose order is that of customers."""

    __tablename__ = "ratings"
    __table_args__ = (Index("ix_ratings_customer", "customer_id", "requested_at", "score"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"), unique=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"))
    servicer_id: Mapped[str | None] = mapped_column(String(32), index=True)
    score: Mapped[int | None]
    reasons: Mapped[list[str]] = mapped_column(default=list)
    comment: Mapped[str] = mapped_column(Text, default="")
    requested_at: Mapped[datetime] = mapped_column(index=True)
    rated_at: Mapped[datetime | None]
