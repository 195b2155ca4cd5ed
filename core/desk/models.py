"""A servicer's desk in the platform's app: what it holds, and what it still has to show."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.column_types import BigId
from core.db import Base


class DeskRow(Base):
    """One servicer's state in the app."""

    __tablename__ = "desks"

    servicer_id: Mapped[str] = mapped_column(ForeignKey("servicers.id"), primary_key=True)
    #: Where the servicer is reached: the app and their user id there.
    address_key: Mapped[str] = mapped_column(String(320))
    #: The session that plain text goes to.
    focus_id: Mapped[str | None] = mapped_column(String(32))
    last_number: Mapped[int] = mapped_column(default=0)
    #: The list that was shown last, for 引用 n: "article" or "reply", and the ids.
    shown_kind: Mapped[str] = mapped_column(String(16), default="")
    shown: Mapped[list[str]] = mapped_column(default=list)
    #: When messages were handed on within the last minute (seconds since 1970).
    paced: Mapped[list[Any]] = mapped_column(default=list)
    #: Notices are off: only what the servicer asks for is answered.
    is_quiet: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime]


class DeskSessionRow(Base):
    """An open session and its number (#4) on the desk."""

    __tablename__ = "desk_sessions"
    __table_args__ = (Index("ix_desk_sessions_session", "session_id"),)

    servicer_id: Mapped[str] = mapped_column(ForeignKey("desks.servicer_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(String(32))


class DeskCardRow(Base):
    """A card that was sent, about a session or a ticket. id: its task id.

    label: set once it is closed, or shall be.
    response_code: closes it, once, until `code_expires_at`; every press brings a fresh one.
    """

    __tablename__ = "desk_cards"
    __table_args__ = (
        Index("ix_desk_cards_session", "session_id"),
        Index("ix_desk_cards_ticket", "ticket_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    servicer_id: Mapped[str] = mapped_column(ForeignKey("desks.servicer_id"), index=True)
    session_id: Mapped[str | None] = mapped_column(String(32))
    ticket_id: Mapped[str | None] = mapped_column(String(32))
    response_code: Mapped[str | None] = mapped_column(String(256))
    code_expires_at: Mapped[datetime | None]
    label: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime]


class DeskNoticeRow(Base):
    """Something to show that waits for the platform's rate limit."""

    __tablename__ = "desk_notices"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    servicer_id: Mapped[str] = mapped_column(ForeignKey("desks.servicer_id"), index=True)
    item: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
