"""Saved segments of customers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class SegmentRow(Base):
    """A saved group of customers: a nested rule (see rules.py)."""

    __tablename__ = "customer_segments"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    rule: Mapped[dict[str, Any]]
    is_shared: Mapped[bool] = mapped_column(Boolean, default=True)
    owner: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
