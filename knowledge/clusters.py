"""Questions that mean the same, put together. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from knowledge.text import grams, words

#: Sum of two cosines (meaning, words) from which two questions count as one; measured.
ALIKE: Final = 0.6

Matrix = npt.NDArray[np.float64]


def similarities(
    texts: Sequence[str], vectors: npt.NDArray[np.float32], background: npt.NDArray[np.float32]
) -> Matrix:
    """Of each pair: cosine of meaning, centred on the background, plus cosine of words.

    background: vectors of other questions of the same base; what all have in common says nothing.
    """
    centre = np.concatenate([vectors, background]).mean(axis=0)
    meaning = _unit((vectors - centre).astype(np.float64))
    shared = _unit(_weighted_words(texts))
    total: Matrix = meaning @ meaning.T + shared @ shared.T
    return total


def grouped(alike: Matrix, anchors: Sequence[Sequence[int]] = ()) -> list[list[int]]:
    """Positions by group: first the anchors with what joined them, then new groups.

    Each question joins the group it is most like on average, if that is enough.
    """
    groups = [list(anchor) for anchor in anchors]
    placed = {at for group in groups for at in group}
    for at in range(len(alike)):
        if at in placed:
            continue
        scores = [float(alike[at, group].mean()) for group in groups]
        best = max(range(len(scores)), key=scores.__getitem__, default=None)
        if best is not None and scores[best] >= ALIKE:
            groups[best].append(at)
        else:
            groups.append([at])
    return groups


def most_typical(alike: Matrix, group: Sequence[int]) -> int:
    """The position within the group that is most like all others; the earliest among equals."""
    inside = alike[np.ix_(list(group), list(group))].sum(axis=1)
    return group[int(np.argmax(inside))]


def _weighted_words(texts: Sequence[str]) -> Matrix:
    bags = [set(grams(text)) | set(words(text)) for text in texts]
    found = Counter(term for bag in bags for term in bag)
    column = {term: number for number, term in enumerate(sorted(found))}
    matrix = np.zeros((len(texts), max(len(column), 1)))
    for row, bag in zip(matrix, bags, strict=True):
        for term in bag:
            row[column[term]] = math.log(1 + len(texts) / found[term])
    return matrix


def _unit(rows: Matrix) -> Matrix:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Matrix = rows / np.maximum(length, 1e-9)
    return unit
