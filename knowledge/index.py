"""Vectors by integer row: FAISS, exact below a size and by cells above, changed in place."""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import numpy as np

from knowledge.encoders import Vectors

#: Above this many vectors the exact search is the slower part of a decision (measured).
EXACT_UP_TO = 20_000
#: Cells above that size, and how many of them a search looks into: 0.997 of the nearest found.
CELLS, LOOKED_INTO = 1024, 32
_TRAINED_PER_CELL = 20
#: faiss.DirectMap.Hashtable, which the type stubs leave out: rows found and removed at once.
_BY_HASH = 2


class VectorIndex:
    """Inner-product search over rows that come and go, each change in constant time.

    One FAISS cell is an exact search. Above `exact_up_to` rows the vectors are dealt once into
    `cells`, which takes about two seconds; a base that shrinks again keeps its cells.
    """

    def __init__(self, *, exact_up_to: int = EXACT_UP_TO, cells: int = CELLS) -> None:
        self._exact_up_to = exact_up_to
        self._cells = cells
        self._dim = 0
        self._rows: set[int] = set()
        self._index: faiss.IndexIVFFlat | None = None

    def __len__(self) -> int:
        return int(self._index.ntotal) if self._index is not None else 0

    @property
    def is_exact(self) -> bool:
        return self._index is None or self._index.nlist == 1

    def add(self, rows: Sequence[int], vectors: Vectors) -> None:
        """Take in new rows. A row must not be in the index yet."""
        if not len(rows):
            return
        if self._index is None:
            self._dim = vectors.shape[1]
            self._index = _cells(np.zeros((1, self._dim), dtype=np.float32))
        ids = np.asarray(rows, dtype=np.int64)
        self._rows.update(rows)
        self._index.add_with_ids(np.ascontiguousarray(vectors, dtype=np.float32), ids)
        if self.is_exact and len(self) > self._exact_up_to:
            self._index = self._dealt()

    def remove(self, rows: Sequence[int]) -> None:
        """Take rows out; unknown ones are ignored."""
        if self._index is not None and len(rows):
            self._rows.difference_update(rows)
            gone = np.asarray(rows, dtype=np.int64)
            self._index.remove_ids(faiss.IDSelectorArray(gone))

    def search(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """(row, cosine) best first, the lower row first among equals; at most `limit`."""
        if self._index is None or not len(self):
            return []
        scores, rows = self._index.search(vector[None, :], min(limit, len(self)))
        found = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        return sorted((pair for pair in found if pair[0] >= 0), key=lambda p: (-p[1], p[0]))

    def vectors(self, rows: Sequence[int]) -> Vectors:
        """float32[len(rows), dim] as added."""
        if self._index is None or not len(rows):
            return np.zeros((0, self._dim), dtype=np.float32)
        stored: Vectors = self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        return stored

    def _dealt(self) -> faiss.IndexIVFFlat:
        rows = sorted(self._rows)
        stored = self.vectors(rows)
        index = _cells(_centres(stored, min(self._cells, len(rows))))
        index.add_with_ids(stored, np.asarray(rows, dtype=np.int64))
        return index


def _centres(vectors: Vectors, cells: int) -> Vectors:
    wanted = min(len(vectors), cells * _TRAINED_PER_CELL)
    sample = vectors[np.linspace(0, len(vectors) - 1, wanted).astype(np.int64)]
    grouping = faiss.Kmeans(
        vectors.shape[1], cells, niter=8, spherical=True, seed=1, min_points_per_centroid=1
    )
    grouping.train(np.ascontiguousarray(sample))
    return np.asarray(grouping.centroids, dtype=np.float32)


def _cells(centres: Vectors) -> faiss.IndexIVFFlat:
    cells, dim = centres.shape
    quantizer = faiss.IndexFlatIP(dim)
    quantizer.add(np.ascontiguousarray(centres))
    index = faiss.IndexIVFFlat(quantizer, dim, cells, faiss.METRIC_INNER_PRODUCT)
    index.nprobe = min(LOOKED_INTO, cells)
    index.set_direct_map_type(_BY_HASH)
    return index
