"""How far each user has read each conversation: the same on all of their devices."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.column_types import BigId
from core.db import Base


class ReadMarkRow(Base):
    __tablename__ = "read_marks"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        String(32), ForeignKey("conversations.id"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(BigId)
