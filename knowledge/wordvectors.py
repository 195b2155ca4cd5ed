"""A small table of word vectors: how near two words are, where a sentence vector blurs it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from knowledge.recent import Recent
from knowledge.text import folded_words

Rows = npt.NDArray[np.float32]

#: Cosines at and below LOW count as strangers, at and above HIGH as the same word.
LOW, HIGH = 0.35, 0.9
#: Rows made up for words outside the table that are kept.
_REMEMBERED = 4096


class WordVectors:
    """Words → unit vectors. Unknown words are made of their characters, or equal only themselves.

    words: the table's words. vectors: float[n, dim], any length.
    """

    def __init__(self, table: Sequence[str], vectors: npt.NDArray[np.number]) -> None:
        rows = vectors.astype(np.float32)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
        self._rows = rows
        self._at = {word: number for number, word in enumerate(table)}
        self._invented: Recent[str, Rows] = Recent(_REMEMBERED)

    @classmethod
    @lru_cache(maxsize=1)
    def shipped(cls) -> WordVectors:
        """Frequent Chinese words through the bundled model, reduced to 64 dimensions."""
        with (resources.files("knowledge") / "data" / "words.npz").open("rb") as file:
            data = np.load(file, allow_pickle=False)
            return cls(bytes(data["words"]).decode().split("\n"), data["vectors"])

    @property
    def width(self) -> int:
        return int(self._rows.shape[1])

    def of(self, text: str) -> Rows:
        """float32[words of the text, dim], each distinct word once, in order."""
        distinct = list(dict.fromkeys(folded_words(text)))
        at = [self._at.get(word, -1) for word in distinct]
        rows: Rows = self._rows[at]
        if -1 in at:
            for number, found in enumerate(at):
                if found < 0:
                    rows[number] = self._stranger(distinct[number])
        return rows

    def _stranger(self, word: str) -> Rows:
        """A row for a word outside the table, made up once."""
        row = self._invented.get(word)
        if row is None:
            row = self._made_up(word)
            self._invented.put(word, row)
        return row

    def _made_up(self, word: str) -> Rows:
        """A row for a word outside the table: of its characters, or one that nothing is near."""
        parts = [at for char in word if (at := self._at.get(char)) is not None]
        if len(parts) == len(word):
            row = self._rows[parts].sum(axis=0)
        else:
            seed = np.random.default_rng(zlib.crc32(word.encode()))
            row = seed.standard_normal(self._rows.shape[1], dtype=np.float32)
        return np.asarray(row / max(float(np.linalg.norm(row)), 1e-6), dtype=np.float32)


def nearness(cosines: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Cosines of words stretched to 0…1."""
    near: npt.NDArray[np.float32] = np.clip((cosines - LOW) / (HIGH - LOW), 0.0, 1.0)
    return near
