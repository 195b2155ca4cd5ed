"""Customers, their identities on the channels, and the institutions that they work for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class InstitutionRow(Base):
    """A customer's organisation; a tree (province → city → district → clinic)."""

    __tablename__ = "institutions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), index=True)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("institutions.id"), index=True)
    kind: Mapped[str] = mapped_column(String(32), default="")
    region_code: Mapped[str] = mapped_column(String(12), default="", index=True)
    product: Mapped[str] = mapped_column(String(64), default="")
    product_version: Mapped[str] = mapped_column(String(32), default="")
    contract_level: Mapped[str] = mapped_column(String(16), default="")
    engineer_id: Mapped[str | None] = mapped_column(String(32))
    #: False: it was closed or left us; kept for its history, offered to nobody.
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class CustomerRow(Base):
    __tablename__ = "customers"
    #: A list of one institution's customers comes newest first.
    __table_args__ = (Index("ix_customers_institution", "institution_id", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), index=True)
    avatar_url: Mapped[str] = mapped_column(String(512), default="")
    is_temporary: Mapped[bool] = mapped_column(Boolean, default=True)
    institution_id: Mapped[str | None] = mapped_column(ForeignKey("institutions.id"))
    #: Encrypted at rest; `phone_index` is a keyed hash for exact search.
    phone_sealed: Mapped[str] = mapped_column(String(512), default="")
    phone_index: Mapped[str] = mapped_column(String(64), default="", index=True)
    phone_masked: Mapped[str] = mapped_column(String(32), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    custom: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class IdentityRow(Base):
    """One person on one channel account."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("channel", "account", "user"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    channel: Mapped[str] = mapped_column(String(32))
    account: Mapped[str] = mapped_column(String(128))
    user: Mapped[str] = mapped_column(String(128), index=True)
    created_at: Mapped[datetime]
