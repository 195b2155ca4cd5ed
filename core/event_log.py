"""The table behind `Tx.emit`: everything that happened, in order, kept for listeners and audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, BigId


class EventRow(Base):
    __tablename__ = "event_log"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    type: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    payload: Mapped[dict[str, Any]]


class ListenerCursor(Base):
    """How far one reliable listener has read."""

    __tablename__ = "listener_cursors"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    event_id: Mapped[int] = mapped_column(BigId, default=0)
