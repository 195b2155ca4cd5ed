"""A model that is away at the start is waited for; nothing else is."""

from __future__ import annotations

import asyncio

import pytest

from bot.loading import load
from core.db import UnitOfWork
from knowledge.answerer import Answerer
from knowledge.embedder import Embedder
from knowledge.vector_store import DatabaseVectors
from tests.knowledge_base.conftest import GramEncoder, published
from tests.waiting import eventually


async def test_the_articles_are_loaded_once_the_model_is_back(
    uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.loading._AGAIN_S", 0.01)
    await published(uow, question="怎么重置密码？")
    encoder = GramEncoder()
    encoder.is_broken = True
    answerer = Answerer(uow, Embedder(encoder, store=DatabaseVectors(uow)))
    loading = asyncio.create_task(load(answerer))

    async def was_refused() -> bool:
        return encoder.refused > 1

    await eventually(was_refused)
    assert (loading.done(), len(answerer)) == (False, 0)
    encoder.is_broken = False
    await loading
    assert len(answerer) == 1
