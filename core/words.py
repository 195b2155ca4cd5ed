"""The words of a text as far as an index needs them; pure.

A word is a pair of neighbouring Chinese characters, or a run of Latin letters or digits: whatever
part of a text somebody looks for, its words are among those of the text.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_RUN: Final = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]+")
_LONGEST: Final = 32


def fold(text: str) -> str:
    """Width and case folded: the form in which texts are compared."""
    return unicodedata.normalize("NFKC", text).lower()


def words_of(text: str) -> frozenset[str]:
    """Pairs of neighbours in Chinese runs, a lone character as it is; Latin runs whole."""
    found: set[str] = set()
    for run in _RUN.findall(fold(text)):
        if run[0].isascii() or len(run) == 1:
            found.add(run[:_LONGEST])
        else:
            found |= {run[i : i + 2] for i in range(len(run) - 1)}
    return frozenset(found)


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared ÷ all (Jaccard)."""
    return len(one & other) / len(one | other) if one and other else 0.0
