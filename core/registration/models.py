"""Quick registration (M2.6): links, where each customer is in the form, codes sent by SMS."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class RegistrationLinkRow(Base):
    """What a link or QR code binds a newcomer to, before the first word."""

    __tablename__ = "registration_links"

    code: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("channel_accounts.id"))
    institution_id: Mapped[str | None] = mapped_column(ForeignKey("institutions.id"))
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"))
    product: Mapped[str] = mapped_column(String(64), default="")
    product_version: Mapped[str] = mapped_column(String(32), default="")
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    uses: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime | None]


class RegistrationRow(Base):
    """One customer's place in the form; it waits however long the customer is away."""

    __tablename__ = "registrations"

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    step: Mapped[str] = mapped_column(String(16))
    #: name, institution_id, options (ids offered last); never a phone number in the clear.
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    phone_sealed: Mapped[str] = mapped_column(String(512), default="")
    started_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]


class SmsCodeRow(Base):
    """A code that was sent. `code_hash` is keyed; phone_index is blind."""

    __tablename__ = "sms_codes"
    __table_args__ = (Index("ix_sms_codes_phone", "phone_index", "sent_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    phone_index: Mapped[str] = mapped_column(String(64))
    #: Who asked for it; limits count per asker too.
    asker: Mapped[str] = mapped_column(String(64), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    sent_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]
