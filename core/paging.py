"""Pages by keyset: a cursor names the last row seen, so deep pages cost as much as the first."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from core.errors import Invalid

Item = TypeVar("Item")
Part = str | int | datetime | None
MAX_CURSOR_CHARS = 512


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """next_cursor: pass it back for what follows; None at the end."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


def page_of(
    rows: Sequence[Item], limit: int, key: Callable[[Item], tuple[Part, ...]]
) -> Page[Item]:
    """Cut `rows`, which were asked for with `limit + 1`, and name the last one that is kept."""
    kept = tuple(rows[:limit])
    more = len(rows) > limit and bool(kept)
    return Page(kept, encode_cursor(*key(kept[-1])) if more else None)


def encode_cursor(*parts: Part) -> str:
    plain = [part.isoformat() if isinstance(part, datetime) else part for part in parts]
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type) -> tuple[Part, ...]:
    """The parts of a cursor, of exactly these kinds (str, int, datetime).

    Raises: Invalid `bad_cursor` for anything that we did not make.
    """
    try:
        plain = _plain(cursor, len(kinds))
        return tuple(_part(value, kind) for value, kind in zip(plain, kinds, strict=True))
    except (ValueError, OverflowError, RecursionError) as error:
        raise Invalid("bad_cursor", field="cursor") from error


def _plain(cursor: str, count: int) -> list[object]:
    if len(cursor) > MAX_CURSOR_CHARS:
        raise ValueError("too long")
    padded = cursor + "=" * (-len(cursor) % 4)
    plain = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    if not isinstance(plain, list) or len(plain) != count:
        raise ValueError("shape")
    return plain


def _part(value: object, kind: type) -> Part:
    if kind is datetime and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("naive")
        return moment.astimezone(UTC)
    if kind is int and type(value) is int and abs(value) < 2**63:
        return value
    if kind is str and isinstance(value, str) and "\x00" not in value:
        value.encode()  # a lone surrogate is a ValueError
        return value
    raise ValueError("kind")
