"""Canned replies (快捷回复)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class CannedReplyRow(Base):
    """owner_id: of a personal one, the user. team_id: of a team's. Neither: for everyone."""

    __tablename__ = "canned_replies"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    scope: Mapped[str] = mapped_column(String(16), default="all")
    owner_id: Mapped[str | None] = mapped_column(String(32), index=True)
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"), index=True)
    shortcut: Mapped[str] = mapped_column(String(32), default="")
    title: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
