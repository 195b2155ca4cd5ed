"""What the synchronisation with the OA keeps: conflicts, runs, and how far it has read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class OaConflictRow(Base):
    """A record that could not be taken as it is; the newest of its id.

    record_sealed: the record as it came, for another try; it names people. waits_for: the OA's
    id of the institution that must come first. candidate_id: ours that it may well be.
    """

    __tablename__ = "oa_conflicts"
    __table_args__ = (
        UniqueConstraint("kind", "oa_id"),
        Index("ix_oa_conflicts_waits", "waits_for"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    oa_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(128), default="")
    code: Mapped[str] = mapped_column(String(48))
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(BigInteger)
    record_sealed: Mapped[str] = mapped_column(Text)
    waits_for: Mapped[str] = mapped_column(String(81), default="")
    candidate_id: Mapped[str | None] = mapped_column(String(32))
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class OaRunRow(Base):
    """One batch that came, pushed or fetched. counts: outcome → how many."""

    __tablename__ = "oa_runs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    source: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64))
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class OaCursorRow(Base):
    """How far the OA was read, and what went wrong last."""

    __tablename__ = "oa_cursors"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(512), default="")
    read_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(300), default="")
