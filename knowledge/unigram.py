"""SentencePiece unigram segmentation: text to the ids of its most probable pieces."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_SPACES = re.compile(" {2,}")
_MARK = "▁"


class Unigram:
    """scores: log-probability of each piece; `unknown` is the id of a character in no piece."""

    def __init__(
        self,
        pieces: Sequence[str],
        scores: Sequence[float],
        normal: Mapping[int, str],
        *,
        unknown: int,
    ) -> None:
        special = unknown + 1  # the pieces up to it are marks, not text
        both = enumerate(zip(pieces, scores, strict=True))
        self._pieces = {p: (score, at) for at, (p, score) in both if at >= special}
        self._normal = dict(normal)
        self._unknown = (min(scores) - 10.0, unknown)
        self._longest = max(map(len, pieces))
        self._starts = frozenset(piece[:2] for piece in self._pieces)

    def ids(self, text: str) -> list[int]:
        clean = _SPACES.sub(" ", text.translate(self._normal))
        marked = (clean if clean.startswith(" ") else " " + clean).replace(" ", _MARK)
        return self._best_path(marked)

    def _best_path(self, text: str) -> list[int]:
        pieces, length = self._pieces, len(text)
        best = [0.0] + [float("-inf")] * length
        came: list[tuple[int, int]] = [(0, 0)] * (length + 1)
        for start in range(length):
            here = best[start]
            score, found = pieces.get(text[start], self._unknown)
            if here + score > best[start + 1]:
                best[start + 1], came[start + 1] = here + score, (start, found)
            if text[start : start + 2] not in self._starts:
                continue
            for end in range(start + 2, min(start + self._longest, length) + 1):
                piece = pieces.get(text[start:end])
                if piece is not None and here + piece[0] > best[end]:
                    best[end], came[end] = here + piece[0], (start, piece[1])
        return _backwards(came)


def _backwards(came: Sequence[tuple[int, int]]) -> list[int]:
    ids: list[int] = []
    at = len(came) - 1
    while at > 0:
        at, found = came[at]
        ids.append(found)
    return ids[::-1]
