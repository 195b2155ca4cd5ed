"""Service sessions (会话): one episode of service within a conversation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class SessionRow(Base):
    __tablename__ = "sessions"
    __table_args__ = (
        Index(
            "uq_sessions_open",
            "conversation_id",
            unique=True,
            sqlite_where=text("state <> 'closed'"),
            postgresql_where=text("state <> 'closed'"),
        ),
        Index("ix_sessions_queue", "state", "rank_at", "id"),
        Index("ix_sessions_servicer_state", "servicer_id", "state"),
        Index("ix_sessions_opened", "opened_at", "id", "customer_id"),
        Index("ix_sessions_category", "category_id", "opened_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("channel_accounts.id"))
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    mode: Mapped[str] = mapped_column(String(16))
    servicer_id: Mapped[str | None] = mapped_column(ForeignKey("servicers.id"))
    team_id: Mapped[str | None] = mapped_column(String(32), index=True)
    #: The teams that may serve it, in order, as text; written when it begins to wait.
    route: Mapped[str] = mapped_column(String(200), default="")
    #: Place in the queue: when it began to wait, less what its priority is worth. Lower is first.
    rank_at: Mapped[datetime | None]
    #: Who had it and lost it; not asked again while others can.
    lost_by: Mapped[list[str]] = mapped_column(default=list)
    reminded_at: Mapped[datetime | None]
    #: When those who answer for it were told that its customer waits too long.
    warned_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    handed_off_at: Mapped[datetime | None]
    queued_at: Mapped[datetime | None]
    promised_wait_s: Mapped[int | None]
    #: The place in the queue that the customer was told last, and how often it was told anew.
    told_place: Mapped[int | None]
    told_times: Mapped[int] = mapped_column(default=0)
    #: When they were offered to leave a message instead of waiting; once for each wait.
    offered_at: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    #: Since when the servicer who has it now has it.
    served_since: Mapped[datetime | None]
    first_customer_at: Mapped[datetime | None]
    first_response_at: Mapped[datetime | None]
    #: Who gave it; they may have passed the session on since.
    first_responder_id: Mapped[str | None] = mapped_column(String(32))
    #: First customer message that no person has answered yet; None when all are answered.
    waiting_since: Mapped[datetime | None]
    last_servicer_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str] = mapped_column(String(32), default="")
    bot_misses: Mapped[int] = mapped_column(default=0)
    topic: Mapped[str] = mapped_column(String(200), default="")
    handoff_reason: Mapped[str] = mapped_column(String(32), default="")
    assigned_because: Mapped[str] = mapped_column(String(200), default="")
    scene: Mapped[str] = mapped_column(String(64), default="")
    #: What it was about, by whoever served it; see conclusion.py.
    summary: Mapped[str] = mapped_column(Text, default="")
    category_id: Mapped[str | None] = mapped_column(ForeignKey("ticket_categories.id"))
    tags: Mapped[list[str]] = mapped_column(default=list)
    version: Mapped[int] = mapped_column(default=1)


class SessionTagRow(Base):
    """The tags of `SessionRow` as an index: a list by tag reads its sessions only."""

    __tablename__ = "session_tags"
    __table_args__ = (Index("ix_session_tags_session", "session_id"),)

    tag: Mapped[str] = mapped_column(String(32), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
