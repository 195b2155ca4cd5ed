"""Texts to vectors, each text embedded once: memory, then the store, then the model."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from core.ports import refuse_inside_write_block
from knowledge.encoders import Encoder, EncoderError, Role, Vectors
from knowledge.recent import Recent


class VectorStore(Protocol):
    """Where vectors outlive the process, keyed by model name and `text_key`."""

    async def load(self, model: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Little-endian float32 bytes of those keys that are stored."""
        ...

    async def save(self, model: str, vectors: Mapping[str, bytes]) -> None: ...


Progress = Callable[[int, int], None]
"""Called with (texts done, texts in all)."""

#: Texts embedded between two saves and two progress reports.
BULK = 64


def text_key(text: str, role: Role) -> str:
    """Hash under which a text's vector is kept: 40 hex digits."""
    return hashlib.blake2b(f"{role}\0{text}".encode(), digest_size=20).hexdigest()


class Embedder:
    """The front of an `Encoder`: least-recently-used memory, persistent store, bounded wait.

    wait_s: a single query that takes longer raises TimeoutError; bulk work has no bound.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        store: VectorStore | None = None,
        memory: int = 4096,
        wait_s: float = 3.0,
    ) -> None:
        self._encoder = encoder
        self._store = store
        self._memory: Recent[str, bytes] = Recent(memory)
        self._wait_s = wait_s

    @property
    def model(self) -> str:
        return self._encoder.name

    async def query(self, text: str) -> Vectors:
        """float32[dim] of one customer's text.

        Raises: TimeoutError when the model does not answer in time; EncoderError.
        """
        key = text_key(text, Role.QUERY)
        raw = self._memory.get(key)
        if raw is None:
            refuse_inside_write_block("the embedder")
            async with asyncio.timeout(self._wait_s):
                raw = (await self._encoder.encode([text], Role.QUERY))[0].astype("<f4").tobytes()
            self._memory.put(key, raw)
        return np.frombuffer(raw, dtype="<f4")

    async def embed(
        self, texts: Sequence[str], role: Role, *, progress: Progress | None = None
    ) -> Vectors:
        """float32[n, dim]; equal texts are embedded once, stored ones not at all."""
        refuse_inside_write_block("the embedder")
        keys = [text_key(text, role) for text in texts]
        known = await self._known(keys)
        missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in known}
        missing = dict(sorted(missing.items(), key=lambda pair: len(pair[1])))  # little padding
        for start in range(0, len(missing), BULK):
            part = dict(list(missing.items())[start : start + BULK])
            known |= await self._embed_new(part, role)
            if progress is not None:
                progress(min(start + BULK, len(missing)), len(missing))
        rows = [np.frombuffer(known[key], dtype="<f4") for key in keys]
        if len({len(row) for row in rows}) > 1:
            raise EncoderError("stored and fresh vectors differ in length: a changed model?")
        return np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32)

    async def close(self) -> None:
        await self._encoder.close()

    async def _known(self, keys: Sequence[str]) -> dict[str, bytes]:
        known = {key: raw for key in set(keys) if (raw := self._memory.get(key)) is not None}
        missing = [key for key in dict.fromkeys(keys) if key not in known]
        if self._store is not None and missing:
            known |= await self._store.load(self.model, missing)
        return known

    async def _embed_new(self, texts: Mapping[str, str], role: Role) -> dict[str, bytes]:
        rows = await self._encoder.encode(list(texts.values()), role, bulk=True)
        fresh = {k: r.astype("<f4").tobytes() for k, r in zip(texts, rows, strict=True)}
        if self._store is not None:
            await self._store.save(self.model, fresh)
        return fresh
