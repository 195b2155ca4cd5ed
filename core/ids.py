"""Ids: 20 lower-case characters, sortable by time, fit for a platform's `msgid` (≤ 32 bytes)."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
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


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHANCE_BITS = 56
_last_made = 0
_last_dated = 0


def new_id() -> str:
    """A fresh id: 9 characters of milliseconds, 11 of chance (56 bits).

    Ids of one process sort in the order in which they were made, also within a millisecond.
    """
    global _last_made  # noqa: PLW0603 - one sequence per process
    fresh = (time.time_ns() // 1_000_000 << _CHANCE_BITS) | secrets.randbits(_CHANCE_BITS)
    _last_made = max(fresh, _last_made + 1 + secrets.randbits(_CHANCE_BITS // 2))
    return _spelled(_last_made)


def id_at(moment: datetime) -> str:
    """A fresh id that begins with this moment: a range of moments is a range of such ids.

    Those of one millisecond sort in the order in which they were made.
    """
    global _last_dated  # noqa: PLW0603 - one sequence per process
    fresh = (_milliseconds(moment) << _CHANCE_BITS) | secrets.randbits(_CHANCE_BITS)
    if fresh >> _CHANCE_BITS == _last_dated >> _CHANCE_BITS:
        fresh = max(fresh, _last_dated + 1 + secrets.randbits(_CHANCE_BITS // 2))
    _last_dated = fresh
    return _spelled(fresh)


def first_id_at(moment: datetime) -> str:
    """What no `id_at` of this millisecond or a later one comes before."""
    return _spelled(_milliseconds(moment) << _CHANCE_BITS)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _spelled(number: int) -> str:
    milliseconds, chance = divmod(number, 1 << _CHANCE_BITS)
    return _base36(milliseconds, 9) + _base36(chance, 11)


def _base36(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, rest = divmod(number, 36)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))
