"""Canned replies (快捷回复)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class CannedReplyRow(Base):
    """owner_id: a user (personal), or None for everyone."""

    __tablename__ = "canned_replies"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    scope: Mapped[str] = mapped_column(String(16), default="all")
    owner_id: Mapped[str | None] = mapped_column(String(32), index=True)
    shortcut: Mapped[str] = mapped_column(String(32), default="")
    title: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
