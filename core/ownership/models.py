"""What another system, the OA, is the master of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class OaLinkRow(Base):
    """One record of the OA and what it is here; nothing yet when only its end was told.

    version: the newest that was taken; digest: of what it said, for two changes in one second.
    A customer's link moves along when customers are merged, as every reference to them does.
    """

    __tablename__ = "oa_links"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    oa_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    institution_id: Mapped[str | None] = mapped_column(ForeignKey("institutions.id"), index=True)
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id"), index=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    version: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64), default="")
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    linked_at: Mapped[datetime]
    synced_at: Mapped[datetime]
