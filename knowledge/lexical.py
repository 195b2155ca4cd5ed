"""BM25 over an inverted index that adds and removes in place; equal to a rebuilt one."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

_K1 = 1.2
_B = 0.3  # short texts of one kind: length says little

Scores = npt.NDArray[np.float32]

#: Above this share of documents (and this count) a term only slows the search down.
_COMMON_SHARE = 0.02
_COMMON_COUNT = 3000

#: Slots whose highest score is looked at first; the number of slots is a multiple of it.
_BLOCK = 1024

#: Weights kept between two changes of the documents.
_REMEMBERED = 50_000


@dataclass(slots=True)
class _Posting:
    slots: array[int] = field(default_factory=lambda: array("i"))
    counts: array[float] = field(default_factory=lambda: array("f"))

    def remove(self, slot: int) -> None:
        at = self.slots.index(slot)
        self.slots[at], self.counts[at] = self.slots[-1], self.counts[-1]
        self.slots.pop()
        self.counts.pop()


class _Idf(dict[str, float]):
    """Weights by term, worked out at first use and dropped when the documents change."""

    def __init__(self, index: LexicalIndex) -> None:
        super().__init__()
        self._index = index

    def __missing__(self, term: str) -> float:
        size, found = len(self._index), self._index.frequency(term)
        weight = math.log(1 + (size - found + 0.5) / (found + 0.5))
        if len(self) < _REMEMBERED:
            self[term] = weight
        return weight


class LexicalIndex:
    """Documents by integer slot, found by their terms.

    terms: text → terms; a document is the bag of the terms of its texts.
    """

    def __init__(self, terms: Callable[[str], Sequence[str]]) -> None:
        self._terms = terms
        self._postings: dict[str, _Posting] = {}
        self._lengths: npt.NDArray[np.float32] = np.zeros(_BLOCK, dtype=np.float32)
        self._shrink: npt.NDArray[np.float32] | None = None
        self._size = 0
        self._total = 0.0
        self._idf = _Idf(self)
        self._weights: dict[tuple[str, ...], Scores] = {}
        self._masses: dict[frozenset[str], float] = {}

    def __len__(self) -> int:
        return self._size

    def add(self, slot: int, texts: Iterable[str]) -> None:
        bag = self._bag(texts)
        self._reserve(slot)
        for term, count in bag.items():
            posting = self._postings.setdefault(term, _Posting())
            posting.slots.append(slot)
            posting.counts.append(count)
        length = sum(bag.values())
        self._lengths[slot] = length
        self._total += length
        self._size += 1
        self._forget()

    def remove(self, slot: int, texts: Iterable[str]) -> None:
        """Take a document out. `texts` must be those it was added with."""
        for term in self._bag(texts):
            posting = self._postings[term]
            posting.remove(slot)
            if not posting.slots:
                del self._postings[term]
        self._total -= float(self._lengths[slot])
        self._lengths[slot] = 0.0
        self._size -= 1
        self._forget()

    def _forget(self) -> None:
        self._shrink = None
        self._idf.clear()
        self._weights.clear()
        self._masses.clear()

    def idf(self, term: str) -> float:
        """Inverse document frequency: 0 < idf; unknown terms weigh most."""
        return self._idf[term]

    def weights(self, terms: tuple[str, ...]) -> Scores:
        """float32[len(terms)]: `idf` of each, worked out once between two changes."""
        found = self._weights.get(terms)
        if found is None:
            found = np.array([self._idf[term] for term in terms], dtype=np.float32)
            if len(self._weights) < _REMEMBERED:
                self._weights[terms] = found
        return found

    def mass(self, terms: frozenset[str]) -> float:
        """The sum of `idf`, worked out once between two changes."""
        found = self._masses.get(terms)
        if found is None:
            found = sum(map(self._idf.__getitem__, terms))
            if len(self._masses) < _REMEMBERED:
                self._masses[terms] = found
        return found

    def frequency(self, term: str) -> int:
        """How many documents hold the term."""
        posting = self._postings.get(term)
        return len(posting.slots) if posting else 0

    def knows(self, term: str) -> bool:
        return term in self._postings

    def scores(self, texts: Iterable[str]) -> Scores:
        """BM25 by slot; 0 for free slots and for documents without a common term."""
        bag = self._bag(texts) if self._postings else Counter[str]()
        useful = self._useful(bag)
        if not useful:
            return np.zeros(len(self._lengths), dtype=np.float32)
        postings = [self._postings[term] for term, _ in useful]
        slots = np.concatenate([np.frombuffer(one.slots, dtype=np.int32) for one in postings])
        counts = np.concatenate([np.frombuffer(one.counts, dtype=np.float32) for one in postings])
        worth = np.repeat(
            [min(times, 2) * self.idf(term) for term, times in useful],
            [len(one.slots) for one in postings],
        )
        shares = worth * counts * (_K1 + 1) / (counts + self._shrinkage()[slots])
        return np.bincount(slots, shares, len(self._lengths)).astype(np.float32)

    def _shrinkage(self) -> Scores:
        """By slot: how much a count weighs in a document of that length."""
        if self._shrink is None:
            average = self._total / self._size or 1.0
            self._shrink = _K1 * (1 - _B + _B * self._lengths / average)
        return self._shrink

    def _useful(self, bag: Counter[str]) -> list[tuple[str, int]]:
        """Known terms; the very common ones only when there is nothing else."""
        known = [(term, n) for term, n in bag.items() if term in self._postings]
        common = max(_COMMON_COUNT, int(self._size * _COMMON_SHARE))
        rare = [(term, n) for term, n in known if len(self._postings[term].slots) <= common]
        return rare or known

    def _bag(self, texts: Iterable[str]) -> Counter[str]:
        return Counter(term for text in texts for term in self._terms(text))

    def _reserve(self, slot: int) -> None:
        if slot >= len(self._lengths):
            blocks = max(slot // _BLOCK + 1, 2 * len(self._lengths) // _BLOCK)
            grown = np.zeros(blocks * _BLOCK, dtype=np.float32)
            grown[: len(self._lengths)] = self._lengths
            self._lengths = grown


def best(scores: Scores, limit: int) -> list[int]:
    """Slots of the highest scores above 0, best first; the lower slot first among equals."""
    blocks = scores.reshape(-1, _BLOCK)
    highest = blocks.max(axis=1)
    least = np.partition(highest, -limit)[-limit] if len(highest) > limit else 0.0
    promising = np.flatnonzero((highest >= least) & (highest > 0))
    row, column = np.nonzero((blocks[promising] >= least) & (blocks[promising] > 0))
    found = promising[row] * _BLOCK + column
    ordered: list[int] = found[np.lexsort((found, -scores[found]))][:limit].tolist()
    return ordered
