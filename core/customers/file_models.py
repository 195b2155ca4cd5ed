"""Tables of the customer's file beside the customer itself: sealed fields, words, merges."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class CustomerSecretRow(Base):
    """A sealed field of a customer (the phone rests on the customer's own row).

    kind: email or id_number. blind_index: keyed hash for exact search.
    """

    __tablename__ = "customer_secrets"
    __table_args__ = (Index("ix_customer_secrets_index", "kind", "blind_index"),)

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    sealed: Mapped[str] = mapped_column(String(700))
    blind_index: Mapped[str] = mapped_column(String(64))
    masked: Mapped[str] = mapped_column(String(64))


class CustomerWordRow(Base):
    """A word of a name; see names.py. Its customers come newest first, as lists do."""

    __tablename__ = "customer_words"
    __table_args__ = (Index("ix_customer_words_customer", "customer_id"),)

    word: Mapped[str] = mapped_column(String(16), primary_key=True)
    customer_id: Mapped[str] = mapped_column(
        ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True
    )


class CustomerMergeRow(Base):
    """One merge and all that undoing it needs. undone_at: it was undone."""

    __tablename__ = "customer_merges"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kept_id: Mapped[str] = mapped_column(String(32), index=True)
    gone_id: Mapped[str] = mapped_column(String(32), index=True)
    #: Rows as they were: kept, gone, dropped (rows that had no place any more).
    before: Mapped[dict[str, Any]]
    #: Columns of the kept row as the merge left them.
    after: Mapped[dict[str, Any]]
    #: Table → primary keys that were moved to the kept customer.
    moved: Mapped[dict[str, Any]]
    merged_at: Mapped[datetime]
    merged_by: Mapped[str] = mapped_column(String(64))
    undone_at: Mapped[datetime | None]
