"""The vectors of texts in the database, so that a restart embeds nothing twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import func, select

from core.db import UnitOfWork
from knowledge.models import VectorRow

_KEYS_AT_ONCE: Final = 2000


class DatabaseVectors:
    """`knowledge.embedder.VectorStore` over the table `article_vectors`."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def load(self, model: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        found: dict[str, bytes] = {}
        async with self._uow.read() as tx:
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                part = keys[start : start + _KEYS_AT_ONCE]
                rows = await tx.db.execute(
                    select(VectorRow.key, VectorRow.vector).where(
                        VectorRow.model == model, VectorRow.key.in_(part)
                    )
                )
                found |= rows.all()
        return found

    async def save(self, model: str, vectors: Mapping[str, bytes]) -> None:
        """Keep vectors; those that another process kept meanwhile stay as they are."""
        if not vectors:
            return
        rows = [{"model": model, "key": k, "vector": v} for k, v in vectors.items()]
        async with self._uow.write() as tx:
            await tx.db.execute(tx.upsert(VectorRow).on_conflict_do_nothing(), rows)

    async def count(self) -> dict[str, int]:
        """How many vectors are kept, by model."""
        async with self._uow.read() as tx:
            rows = await tx.db.execute(
                select(VectorRow.model, func.count()).group_by(VectorRow.model)
            )
            return dict(rows.all())
