"""What finding and ordering institutions needs beside their rows."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class InstitutionKeyRow(Base):
    """path: ids from the root down, each followed by "/"; a subtree is a prefix of it."""

    __tablename__ = "institution_keys"

    institution_id: Mapped[str] = mapped_column(
        ForeignKey("institutions.id", ondelete="CASCADE"), primary_key=True
    )
    path: Mapped[str] = mapped_column(String(300), index=True)
    normal: Mapped[str] = mapped_column(String(160), index=True)
    initials: Mapped[str] = mapped_column(String(160), index=True)
    pinyin: Mapped[str] = mapped_column(String(900))
