"""Remote help that leaves a record, and the sealed VPN profiles that it needs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class VpnProfileRow(Base):
    """How to reach an institution's network. `sealed` holds address, user and password.

    retired_at: it may be used no more and its secret is gone; records go on naming it.
    """

    __tablename__ = "vpn_profiles"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    tool: Mapped[str] = mapped_column(String(32))
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class RemoteAssistanceRow(Base):
    """state: asked → agreed → running → ended; or refused, or expired."""

    __tablename__ = "remote_assistances"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), index=True)
    servicer_id: Mapped[str] = mapped_column(ForeignKey("servicers.id"), index=True)
    tool: Mapped[str] = mapped_column(String(32))
    vpn_profile_id: Mapped[str | None] = mapped_column(ForeignKey("vpn_profiles.id"))
    purpose: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    #: Who agreed, and in which words the customer was asked.
    answered_by: Mapped[str] = mapped_column(String(128), default="")
    consent_text: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(Text, default="")
