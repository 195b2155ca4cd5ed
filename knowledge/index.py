"""Vectors by integer row: FAISS, exact below a size and HNSW above, changed in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import faiss
import numpy as np
import numpy.typing as npt

from knowledge.encoders import Vectors

Rows = npt.NDArray[np.int64]

#: Above this many vectors the exact search is the slower part of a decision (measured).
EXACT_UP_TO = 50_000


class VectorIndex:
    """Inner-product search over rows that come and go.

    Removed rows never answer again. Flat is exact; above `exact_up_to` rows HNSW takes over.
    """

    def __init__(self, *, exact_up_to: int = EXACT_UP_TO) -> None:
        self._exact_up_to = exact_up_to
        self._dim = 0
        self._flat: faiss.IndexIDMap2 | None = None

    def __len__(self) -> int:
        return int(self._flat.ntotal) if self._flat is not None else 0

    def add(self, rows: Sequence[int], vectors: Vectors) -> None:
        if not len(rows):
            return
        if self._flat is None:
            self._dim = vectors.shape[1]
            self._flat = faiss.IndexIDMap2(faiss.IndexFlatIP(self._dim))
        self._flat.add_with_ids(np.ascontiguousarray(vectors), np.asarray(rows, dtype=np.int64))

    def remove(self, rows: Iterable[int]) -> None:
        if self._flat is not None:
            self._flat.remove_ids(faiss.IDSelectorBatch(np.fromiter(rows, dtype=np.int64)))

    def search(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """(row, cosine) best first; at most `limit`."""
        if self._flat is None or not len(self):
            return []
        scores, rows = self._flat.search(vector[None, :], min(limit, len(self)))
        found = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        return [(row, score) for row, score in found if row >= 0]

    def vectors(self, rows: Sequence[int]) -> Vectors:
        """float32[len(rows), dim] as added."""
        if self._flat is None or not len(rows):
            return np.zeros((0, self._dim), dtype=np.float32)
        stored: Vectors = self._flat.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        return stored
