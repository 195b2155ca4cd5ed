"""Tickets (工单), their history, links, follow-ups, categories, templates and saved filters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.column_types import BigId
from core.db import Base

#: What lists are narrowed by, besides the state.
_NARROWING = ("servicer_id", "team_id", "category_id", "priority", "is_breached")


def _of_state(name: str, column: str) -> Index:
    """By state, newest last; the rest of a filter is read in the index too, not in the rows."""
    return Index(name, column, "state", "id", *(one for one in _NARROWING if one != column))


def _with_deadline(name: str, *columns: str) -> Index:
    """By nearest deadline, among those that have one: few, since most tickets are closed."""
    where = text("due_at is not null")
    return Index(name, *columns, "due_at", "id", sqlite_where=where, postgresql_where=where)


class TicketRow(Base):
    """Lists are ordered by `id`, which grows with time; the indexes below keep its order."""

    __tablename__ = "tickets"
    __table_args__ = (
        Index("ix_tickets_state", "state", "id"),
        _of_state("ix_tickets_servicer", "servicer_id"),
        _of_state("ix_tickets_team", "team_id"),
        _of_state("ix_tickets_category", "category_id"),
        _of_state("ix_tickets_priority", "priority"),
        _of_state("ix_tickets_breached", "is_breached"),
        Index("ix_tickets_customer", "customer_id", "id"),
        Index("ix_tickets_created", "created_at", "customer_id"),
        Index("ix_tickets_institution", "institution_id", "id"),
        Index("ix_tickets_session", "session_id"),
        _with_deadline("ix_tickets_due"),
        _with_deadline("ix_tickets_state_due", "state"),
        _with_deadline("ix_tickets_servicer_due", "servicer_id"),
        _with_deadline("ix_tickets_team_due", "team_id"),
        _with_deadline("ix_tickets_category_due", "category_id"),
        _with_deadline("ix_tickets_priority_due", "priority"),
        _with_deadline("ix_tickets_breached_due", "is_breached", "state"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16))
    priority: Mapped[str] = mapped_column(String(8))
    source: Mapped[str] = mapped_column(String(16))
    category_id: Mapped[str | None] = mapped_column(ForeignKey("ticket_categories.id"))
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"))
    institution_id: Mapped[str | None] = mapped_column(ForeignKey("institutions.id"))
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"))
    servicer_id: Mapped[str | None] = mapped_column(ForeignKey("servicers.id"))
    assigned_because: Mapped[str] = mapped_column(String(200), default="")
    session_id: Mapped[str | None] = mapped_column(ForeignKey("sessions.id"))
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tags: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(index=True)
    created_by: Mapped[str] = mapped_column(String(64))
    updated_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    first_response_at: Mapped[datetime | None]
    first_resolved_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    is_breached: Mapped[bool] = mapped_column(Boolean, default=False)
    escalation_level: Mapped[int] = mapped_column(default=0)
    nudges: Mapped[int] = mapped_column(default=0)
    nudged_at: Mapped[datetime | None]
    reopens: Mapped[int] = mapped_column(default=0)
    merged_into_id: Mapped[str | None] = mapped_column(String(32))
    rating_score: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)


class TicketWordRow(Base):
    """A word of a title, or a tag; see words.py. Its tickets come newest first, as lists do."""

    __tablename__ = "ticket_words"
    __table_args__ = (Index("ix_ticket_words_ticket", "ticket_id"),)

    word: Mapped[str] = mapped_column(String(33), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), primary_key=True)


class TicketEntryRow(Base):
    """History and conversation of a ticket in one list."""

    __tablename__ = "ticket_entries"
    __table_args__ = (Index("ix_ticket_entries_ticket", "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"))
    kind: Mapped[str] = mapped_column(String(24))
    at: Mapped[datetime]
    party: Mapped[str] = mapped_column(String(16))
    author_id: Mapped[str] = mapped_column(String(64))
    author_name: Mapped[str] = mapped_column(String(128))
    is_public: Mapped[bool] = mapped_column(Boolean, default=False)
    text: Mapped[str] = mapped_column(Text, default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    attachment_ids: Mapped[list[str]] = mapped_column(default=list)


class TicketCounterRow(Base):
    """The last number given on one local day."""

    __tablename__ = "ticket_counters"

    day: Mapped[str] = mapped_column(String(8), primary_key=True)
    last: Mapped[int]


class TicketLinkRow(Base):
    """kind: related, duplicate (of other), parent (other was split off)."""

    __tablename__ = "ticket_links"

    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    other_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), primary_key=True, index=True)
    kind: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]


class FollowUpRow(Base):
    __tablename__ = "ticket_follow_ups"
    __table_args__ = (Index("ix_ticket_follow_ups_servicer", "servicer_id", "done_at", "due_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), index=True)
    servicer_id: Mapped[str] = mapped_column(ForeignKey("servicers.id"))
    due_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
    done_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]


class TicketCategoryRow(Base):
    """fields: see `FieldSpec`; templates: title, description and field values to begin with."""

    __tablename__ = "ticket_categories"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("ticket_categories.id"))
    position: Mapped[int] = mapped_column(default=100)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    default_priority: Mapped[str] = mapped_column(String(8), default="normal")
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"))
    #: Skill id → level that whoever is assigned must have.
    skills: Mapped[dict[str, Any]] = mapped_column(default=dict)
    fields: Mapped[list[Any]] = mapped_column(default=list)
    templates: Mapped[list[Any]] = mapped_column(default=list)
    version: Mapped[int] = mapped_column(default=1)


class TicketFilterRow(Base):
    """A saved list: filter and columns, private or shared."""

    __tablename__ = "ticket_filters"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(32), index=True)
    name: Mapped[str] = mapped_column(String(64))
    is_shared: Mapped[bool] = mapped_column(Boolean, default=False)
    query: Mapped[dict[str, Any]]
    columns: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime]
