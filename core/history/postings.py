"""Numbers of messages as blocks of two-byte offsets; pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final

from core.words import words_of

#: Messages per block; an offset fits two bytes.
BLOCK: Final = 8192


def pack(offsets: Iterable[int]) -> bytes:
    ordered = sorted(offsets)
    return struct.pack(f"<{len(ordered)}H", *ordered)


def common(lists: Sequence[bytes]) -> set[int]:
    """The offsets that stand in all of these; of several thousand, one set is made."""
    shortest, *others = sorted(lists, key=len)
    found = set(_unpacked(shortest))
    for packed in others:
        if not found:
            break
        found.intersection_update(_unpacked(packed))
    return found


def _unpacked(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 2}H", packed)


def by_block(texts: Mapping[int, str]) -> dict[int, dict[str, set[int]]]:
    """Numbered texts → block → word → offsets."""
    found: dict[int, dict[str, set[int]]] = {}
    for seq, text in texts.items():
        block, offset = divmod(seq, BLOCK)
        words = found.setdefault(block, {})
        for word in words_of(text):
            words.setdefault(word, set()).add(offset)
    return found


def numbers(block: int, offsets: Set[int]) -> list[int]:
    """The messages behind offsets, newest first."""
    return sorted((block * BLOCK + offset for offset in offsets), reverse=True)
