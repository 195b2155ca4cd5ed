"""SLA policies, and one clock per promise that was made for a ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Float, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class SlaPolicyRow(Base):
    """position: the first policy that matches holds. conditions, targets, chain: see views.py."""

    __tablename__ = "sla_policies"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    position: Mapped[int] = mapped_column(default=100, index=True)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    #: None: the calendar of the ticket's team.
    calendar_id: Mapped[str | None] = mapped_column(String(32))
    conditions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    targets: Mapped[dict[str, Any]] = mapped_column(default=dict)
    warn_percent: Mapped[int] = mapped_column(default=80)
    warn_before_s: Mapped[int] = mapped_column(default=0)
    chain: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class SlaClockRow(Base):
    """One promise. runs: [[start, end or null] …]; due_at: None while paused or ended."""

    __tablename__ = "sla_clocks"
    __table_args__ = (
        UniqueConstraint("ticket_id", "measure", "round"),
        Index(
            "ix_sla_clocks_due",
            "due_at",
            sqlite_where=text("due_at is not null"),
            postgresql_where=text("due_at is not null"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(String(32), index=True)
    measure: Mapped[str] = mapped_column(String(16))
    round: Mapped[int] = mapped_column(default=1)
    policy_id: Mapped[str] = mapped_column(String(32), index=True)
    calendar_id: Mapped[str | None] = mapped_column(String(32))
    target_s: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(index=True)
    runs: Mapped[list[Any]]
    due_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    #: The deadline that was missed, not the moment at which somebody noticed.
    breached_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    is_void: Mapped[bool] = mapped_column(Boolean, default=False)
    #: Working seconds used when it ended.
    used_s: Mapped[float | None] = mapped_column(Float)
    chain_done: Mapped[int] = mapped_column(default=0)
