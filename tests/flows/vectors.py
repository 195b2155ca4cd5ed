"""The demo's vectors, computed by the real model once and kept beside pytest's own cache."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from sqlalchemy import select

from bot.app import App, build
from bot.config import Settings
from core.db import UnitOfWork
from knowledge.models import VectorRow
from knowledge.vector_store import DatabaseVectors

_ROOT = Path(__file__).parents[2]
_CACHE = _ROOT / ".pytest_cache" / "wenqu"
#: What the vectors depend on, beside the texts (which are their keys).
_SOURCES = ("knowledge/encoders.py", "knowledge/embedder.py", "knowledge/data/demo_faq.jsonl")

_vectors: dict[str, dict[str, bytes]] = {}


def _file(model: str) -> Path:
    digest = hashlib.sha256(model.encode())
    for source in _SOURCES:
        digest.update((_ROOT / source).read_bytes())
    return _CACHE / f"vectors-{digest.hexdigest()[:20]}.json"


def vectors_of(model: str) -> dict[str, bytes]:
    """By key; empty when none were ever computed here."""
    if model not in _vectors and _file(model).is_file():
        kept = json.loads(_file(model).read_text())
        _vectors[model] = {key: bytes.fromhex(value) for key, value in kept.items()}
    return _vectors.get(model, {})


async def lend_vectors(app: App) -> None:
    await DatabaseVectors(app.uow).save(app.answerer.model, vectors_of(app.answerer.model))


async def keep_vectors(app: App) -> None:
    """Remember what this product has computed, here and for the next run."""
    model = app.answerer.model
    if vectors_of(model):
        return
    async with app.uow.read() as tx:
        rows = await tx.db.execute(select(VectorRow.key, VectorRow.vector))
        _vectors[model] = {row.key: row.vector for row in rows}
    _CACHE.mkdir(parents=True, exist_ok=True)
    part = _file(model).with_suffix(f".{id(app)}.part")
    part.write_text(json.dumps({key: one.hex() for key, one in _vectors[model].items()}))
    part.replace(_file(model))


async def lend_to_database(uow: UnitOfWork, settings: Settings) -> None:
    """The demo's vectors for a product that runs as a process of its own."""
    async with build(settings) as app:
        model = app.answerer.model
        if not vectors_of(model):
            await app.answerer.start()
            await keep_vectors(app)
    await DatabaseVectors(uow).save(model, vectors_of(model))
