"""The table behind `Tx.emit`: everything that happened, in order, kept for listeners and audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Insert, String, Table, Text, bindparam, insert
from sqlalchemy import cast as cast_sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.column_types import BigId
from core.db import Base
from core.statements import Statement


class EventRow(Base):
    __tablename__ = "event_log"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    type: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    payload: Mapped[dict[str, Any]]


_TABLE = cast("Table", EventRow.__table__)


def _insert(dialect: str) -> Insert:
    """The payload comes as JSON text, which pydantic writes faster than anyone."""
    text = bindparam("a_payload", type_=Text)
    payload = cast_sql(text, JSONB) if dialect == "postgresql" else text
    columns = {"type": bindparam("a_type"), "at": bindparam("a_moment"), "payload": payload}
    return insert(_TABLE).inline().values(columns)


INSERT_EVENT = Statement(_insert)


class ListenerCursor(Base):
    """How far one reliable listener has read."""

    __tablename__ = "listener_cursors"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    event_id: Mapped[int] = mapped_column(BigId, default=0)
