"""Which messages hold a word: posting lists, cut into blocks of message numbers."""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class MessageWordRow(Base):
    """offsets: of the messages within the block, two bytes each; see postings.py.

    They stand in the order of writing, some perhaps twice. One row holds what would be thousands:
    an index of single (word, message) rows would be larger than the messages.
    """

    __tablename__ = "message_words"

    word: Mapped[str] = mapped_column(String(32), primary_key=True)
    block: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    offsets: Mapped[bytes] = mapped_column(LargeBinary)
