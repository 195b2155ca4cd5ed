"""Ids: 20 lower-case characters, sortable by time, fit for a platform's `msgid` (≤ 32 bytes)."""

from __future__ import annotations

import secrets
import time
from typing import NewType

CustomerId = NewType("CustomerId", str)
IdentityId = NewType("IdentityId", str)
AccountId = NewType("AccountId", str)
ConversationId = NewType("ConversationId", str)
SessionId = NewType("SessionId", str)
MessageId = NewType("MessageId", str)
ServicerId = NewType("ServicerId", str)
UserId = NewType("UserId", str)
AttachmentId = NewType("AttachmentId", str)
RatingId = NewType("RatingId", str)
ArticleId = NewType("ArticleId", str)

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def new_id() -> str:
    """A fresh id: 9 characters of milliseconds, 11 of chance (56 bits)."""
    head = _base36(time.time_ns() // 1_000_000, 9)
    return head + _base36(secrets.randbits(56), 11)


def _base36(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, rest = divmod(number, 36)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))
