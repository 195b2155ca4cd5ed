"""Teams (团队): whom a matter is routed to; skills, and who is bound to which team."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class TeamRow(Base):
    """strategy: least_busy, round_robin or skill. mode None: as the account says."""

    __tablename__ = "teams"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    about: Mapped[str] = mapped_column(Text, default="")
    leader_id: Mapped[str | None] = mapped_column(ForeignKey("servicers.id"))
    calendar_id: Mapped[str | None] = mapped_column(ForeignKey("calendars.id"))
    strategy: Mapped[str] = mapped_column(String(16), default="least_busy")
    mode: Mapped[str | None] = mapped_column(String(16))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class TeamMemberRow(Base):
    __tablename__ = "team_members"
    __table_args__ = (Index("ix_team_members_ring", "team_id", "last_assigned_at", "servicer_id"),)

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    servicer_id: Mapped[str] = mapped_column(
        ForeignKey("servicers.id"), primary_key=True, index=True
    )
    joined_at: Mapped[datetime]
    #: The ring of round robin: whoever got something, or joined, longest ago is next.
    last_assigned_at: Mapped[datetime]


class TeamScopeRow(Base):
    """A problem category that belongs to a team."""

    __tablename__ = "team_scopes"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    category_id: Mapped[str] = mapped_column(String(32), primary_key=True, index=True)


class SkillRow(Base):
    __tablename__ = "skills"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)


class ServicerSkillRow(Base):
    __tablename__ = "servicer_skills"
    __table_args__ = (CheckConstraint("level between 1 and 5", name="level"),)

    servicer_id: Mapped[str] = mapped_column(ForeignKey("servicers.id"), primary_key=True)
    skill_id: Mapped[str] = mapped_column(ForeignKey("skills.id"), primary_key=True, index=True)
    level: Mapped[int]


class BindingRow(Base):
    """Customer or institution → team, primary or secondary. Ended ones are the history."""

    __tablename__ = "team_bindings"
    __table_args__ = (
        Index(
            "uq_team_bindings_live",
            "subject_kind",
            "subject_id",
            "rank",
            unique=True,
            sqlite_where=text("ended_at is null"),
            postgresql_where=text("ended_at is null"),
        ),
        Index("ix_team_bindings_subject", "subject_kind", "subject_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(32))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), index=True)
    rank: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(64))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(64), default="")
