"""Servicers (客服): people who answer, with presence and capacity."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, Computed, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class ServicerRow(Base):
    __tablename__ = "servicers"
    __table_args__ = (
        CheckConstraint("open_sessions >= 0", name="load"),
        # Whoever is there, in the order in which they are asked.
        Index("ix_servicers_least_busy", "presence", "load", "idle_since", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    wecom_userid: Mapped[str | None] = mapped_column(String(64), unique=True)
    presence: Mapped[str] = mapped_column(String(16), default="offline")
    #: Said in the app: it holds while no console is open.
    stays: Mapped[bool] = mapped_column(Boolean, default=False)
    #: Away with sessions that are to wait for them, at most until then.
    keeps_until: Mapped[datetime | None]
    capacity: Mapped[int] = mapped_column(default=5)
    #: Sessions in state SERVING; kept in the transaction that moves them.
    open_sessions: Mapped[int] = mapped_column(default=0)
    #: Share of their own limit that is in use, in hundred-thousandths; kept by the database.
    load: Mapped[int | None] = mapped_column(
        Computed("open_sessions * 100000 / nullif(capacity, 0)", persisted=True), deferred=True
    )
    #: When they came, went or were done with something last.
    idle_since: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class AccountServicerRow(Base):
    """Who may serve on which account, as the platform says."""

    __tablename__ = "account_servicers"

    account_id: Mapped[str] = mapped_column(ForeignKey("channel_accounts.id"), primary_key=True)
    servicer_id: Mapped[str] = mapped_column(ForeignKey("servicers.id"), primary_key=True)
    is_accepting: Mapped[bool] = mapped_column(default=True)
