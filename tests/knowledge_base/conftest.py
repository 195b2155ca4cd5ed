"""People, a small model without weights, and articles made in one line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import pytest

from core.actor import Actor
from core.clock import ManualClock
from core.db import UnitOfWork, make_engine
from core.permissions import permissions_of
from core.views import Role
from knowledge import service
from knowledge.answerer import Answerer
from knowledge.chat_parts import Attachments
from knowledge.decisions import FaqDecision, Offer, record
from knowledge.embedder import Embedder
from knowledge.encoders import EncoderError, Vectors, normalised
from knowledge.encoders import Role as TextRole
from knowledge.retriever import Band
from knowledge.text import grams
from knowledge.vector_store import DatabaseVectors
from knowledge.views import ArticleView


class GramEncoder:
    """Bags of hashed n-grams: alike texts get alike vectors. Counts what it was asked.

    refused: how often it was asked while broken.
    """

    name = "test/grams"

    def __init__(self) -> None:
        self.encoded: list[str] = []
        self.is_broken = False
        self.refused = 0

    async def encode(self, texts: Sequence[str], role: TextRole, *, bulk: bool = False) -> Vectors:
        if self.is_broken:
            self.refused += 1
            raise EncoderError("broken for the test")
        self.encoded += texts
        rows = np.full((len(texts), 256), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for gram in grams(text):
                row[int.from_bytes(gram.encode()[-3:], "big") % 251] += 1
        return normalised(rows)

    async def close(self) -> None:
        pass


def person(name: str, role: Role) -> Actor:
    return Actor(f"user-{name}", None, name, role, permissions_of(role))


@pytest.fixture
def author() -> Actor:
    return person("author", Role.SERVICER)


@pytest.fixture
def reviewer() -> Actor:
    return person("reviewer", Role.SUPERVISOR)


@pytest.fixture
def encoder() -> GramEncoder:
    return GramEncoder()


@pytest.fixture
async def answerer(uow: UnitOfWork, encoder: GramEncoder) -> AsyncIterator[Answerer]:
    """Not started: the test decides when."""
    made = Answerer(uow, Embedder(encoder, store=DatabaseVectors(uow)))
    yield made
    await made.close()


async def drafted(uow: UnitOfWork, by: Actor, **fields: Any) -> ArticleView:
    values = {"question": "忘记密码怎么办？", "answer": "点击忘记密码。"} | fields
    external_id = values.pop("external_id", None)
    async with uow.write() as tx:
        content = service.checked_content(values)
        return await service.create(tx, content, by=by, external_id=external_id)


async def published(uow: UnitOfWork, **fields: Any) -> ArticleView:
    view = await drafted(uow, Actor.system("editor"), **fields)
    async with uow.write() as tx:
        return await service.publish(
            tx, view.id, version=view.version, by=Actor.system("chief"), second_person=False
        )


@pytest.fixture
async def sqlite_uow(sqlite_url: str, clock: ManualClock) -> AsyncIterator[UnitOfWork]:
    """For tests of size, where one database is enough."""
    made = UnitOfWork(make_engine(sqlite_url), clock)
    yield made
    await made.close()


async def decided(
    uow: UnitOfWork,
    article: ArticleView | None,
    *,
    question: str = "密码忘了",
    session_id: str | None = None,
    band: Band = Band.HANDOFF,
    why: str = "unsure",
) -> str:
    """A decision on the record: answered with the article, or left open."""
    offers = (
        (Offer(article.id, article.external_id, article.question, "", Attachments(), 1, 1.0, {}),)
        if article is not None
        else ()
    )
    decision = FaqDecision(
        question=question,
        cleaned=question,
        band=Band.ANSWER if article is not None else band,
        why=why,
        confidence=0.9,
        threshold=0.8,
        gate=None,
        offers=offers,
        model="test",
        calibration_id=None,
        audience="",
        elapsed_ms=1.0,
    )
    async with uow.write() as tx:
        return await record(tx, decision, session_id=session_id)
