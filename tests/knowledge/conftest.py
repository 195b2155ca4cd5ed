"""A tiny encoder that is deterministic and quick: characters hashed into a vector."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from knowledge.embedder import Embedder
from knowledge.encoders import Role, Vectors, normalised
from knowledge.text import grams

DIM = 48


class HashEncoder:
    """Counts what it is asked, so that a test can see what was embedded twice."""

    name = "hash-1"

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def encode(self, texts: Sequence[str], role: Role, *, bulk: bool = False) -> Vectors:
        self.texts += texts
        return normalised([self._vector(text, role) for text in texts])

    def _vector(self, text: str, role: Role) -> Vectors:
        row = np.full(DIM, 0.3 if role is Role.QUERY else 0.31, dtype=np.float32)
        for gram in grams(text):
            row[zlib.crc32(gram.encode()) % DIM] += 1.0
        return row

    async def close(self) -> None:
        pass


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
async def embedder(encoder: HashEncoder) -> AsyncIterator[Embedder]:
    front = Embedder(encoder)
    yield front
    await front.close()
