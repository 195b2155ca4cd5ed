"""The endless thread of one identity with one account: its window, its transcript, its notes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.column_types import BigId
from core.db import Base


class ConversationRow(Base):
    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    address_key: Mapped[str] = mapped_column(String(320), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("channel_accounts.id"), index=True)
    identity_id: Mapped[str] = mapped_column(ForeignKey("identities.id"))
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    #: The reply window's ledger. Both None: the channel has no window.
    window_until: Mapped[datetime | None]
    window_left: Mapped[int | None]
    last_customer_at: Mapped[datetime | None]
    last_ours_at: Mapped[datetime | None]
    #: Since when a line of ours waits in the outbox for further ones; None when none does.
    joining_since: Mapped[datetime | None]
    last_message_at: Mapped[datetime | None] = mapped_column(index=True)
    #: What the customer said last in the newest session; see `said_last`.
    last_customer_text: Mapped[str] = mapped_column(String(200), default="")
    is_muted: Mapped[bool] = mapped_column(Boolean, default=False)
    #: Questions that wait for the end of a burst of short lines (message ids).
    pending_lines: Mapped[list[str]] = mapped_column(default=list)
    pending_since: Mapped[datetime | None]
    #: A form that is being filled in chat: {"state": …, "data": {…}}; empty when there is none.
    form: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: Through which link the customer came last (scene and its parameter).
    scene: Mapped[str] = mapped_column(String(64), default="")
    scene_param: Mapped[str] = mapped_column(String(256), default="")
    created_at: Mapped[datetime]


class MessageRow(Base):
    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("account_id", "vendor_id"),
        UniqueConstraint("session_id", "client_id", "part"),
        Index("ix_messages_conversation_seq", "conversation_id", "seq"),
        Index("ix_messages_session_seq", "session_id", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    account_id: Mapped[str] = mapped_column(String(32))
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    session_id: Mapped[str | None] = mapped_column(ForeignKey("sessions.id"))
    #: The platform's id of what we received (None for what we send: there `id` is the msgid).
    vendor_id: Mapped[str | None] = mapped_column(String(128))
    sender: Mapped[str] = mapped_column(String(16))
    servicer_id: Mapped[str | None] = mapped_column(String(32))
    content: Mapped[dict[str, Any]]
    text: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(index=True)
    delivery: Mapped[str] = mapped_column(String(16))
    failure: Mapped[str] = mapped_column(String(64), default="")
    recalled_at: Mapped[datetime | None]
    #: The desk's own id of what it posted; the parts of a long text share it.
    client_id: Mapped[str | None] = mapped_column(String(64))
    part: Mapped[int] = mapped_column(default=0)
    #: The message of ours that this line goes with, where several share one.
    joined_to: Mapped[str | None] = mapped_column(String(32))
    #: Where an answer came from: article_id, title, decision_id.
    source: Mapped[dict[str, Any]] = mapped_column(default=dict)


class NoteRow(Base):
    __tablename__ = "notes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    session_id: Mapped[str | None] = mapped_column(ForeignKey("sessions.id"))
    author_id: Mapped[str] = mapped_column(String(32))
    author_name: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
