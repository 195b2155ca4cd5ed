"""The part of a text that shows why it was found; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.words import fold

Range = tuple[int, int]
_BEFORE: Final = 24
_LENGTH: Final = 120


def snippet(text: str, words: Sequence[str]) -> tuple[str, tuple[Range, ...]]:
    """One line around the first hit, and where the folded words stand in it, in characters."""
    flat = " ".join(text.split())
    hits = found_in(flat, words)
    start = max(0, hits[0][0] - _BEFORE) if hits and len(flat) > _LENGTH else 0
    end = start + _LENGTH
    head, tail = ("…" if start else ""), ("…" if end < len(flat) else "")
    shift = len(head) - start
    inside = [(a + shift, b + shift) for a, b in hits if a >= start and b <= end]
    return head + flat[start:end] + tail, tuple(inside)


def found_in(text: str, words: Sequence[str]) -> list[Range]:
    """Where the folded words stand in `text`; what overlaps is one."""
    parts = [fold(letter) for letter in text]
    whole = "".join(parts)
    owner = [index for index, part in enumerate(parts) for _ in part]
    spans: list[Range] = []
    for word in filter(None, words):
        at = whole.find(word)
        while at >= 0:
            spans.append((owner[at], owner[at + len(word) - 1] + 1))
            at = whole.find(word, at + len(word))
    merged: list[Range] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
