"""Working calendars, the days that differ from the pattern, and the duty roster."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class CalendarRow(Base):
    """week: seven lists of ["HH:MM", "HH:MM"], Monday first; make_up: one such list."""

    __tablename__ = "calendars"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    week: Mapped[list[Any]]
    make_up: Mapped[list[Any]] = mapped_column(default=list)
    follows_holidays: Mapped[bool] = mapped_column(Boolean, default=True)
    is_default: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class CalendarDayRow(Base):
    """A day that an administrator entered. scope: a calendar's id, or "*" for all of them."""

    __tablename__ = "calendar_days"

    scope: Mapped[str] = mapped_column(String(32), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    #: closed, make_up (the calendar's make-up hours) or custom (`periods`).
    kind: Mapped[str] = mapped_column(String(16))
    periods: Mapped[list[Any]] = mapped_column(default=list)
    name: Mapped[str] = mapped_column(String(64), default="")


class RosterRow(Base):
    """kind: duty (works from … to) or leave (does not). team_id None: for every team."""

    __tablename__ = "roster"
    __table_args__ = (Index("ix_roster_servicer", "servicer_id", "ends_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    servicer_id: Mapped[str] = mapped_column(ForeignKey("servicers.id"))
    team_id: Mapped[str | None] = mapped_column(String(32), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    note: Mapped[str] = mapped_column(String(200), default="")
