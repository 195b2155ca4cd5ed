"""News of articles: noted at once, taken in apart, publishes before imports, failures again."""

from __future__ import annotations

import asyncio

import pytest

from core.db import UnitOfWork
from core.events import ArticleChanged
from knowledge.answerer import Answerer
from knowledge.backlog import Backlog
from knowledge.encoders import EncoderError
from tests.knowledge_base.conftest import GramEncoder, published
from tests.waiting import eventually

IMPORT = [f"import-{number}" for number in range(100)]


def taken(backlog: Backlog) -> list[str]:
    with backlog.next() as step:
        return list(step.article_ids)


def test_a_publish_does_not_wait_for_an_import() -> None:
    backlog = Backlog()
    backlog.add(IMPORT)
    begun = taken(backlog)
    backlog.add(["published", IMPORT[-1]])
    assert taken(backlog) == ["published", IMPORT[-1]]
    rest: list[str] = []
    while backlog:
        rest += taken(backlog)
    assert sorted({*begun, *rest} | {IMPORT[-1]}) == sorted(IMPORT)
    assert len(rest) == len(set(rest))


def test_what_fails_waits_behind_what_can_be_done() -> None:
    backlog = Backlog()
    backlog.add(["broken"], is_engine_old=True)
    with pytest.raises(EncoderError), backlog.next():
        raise EncoderError
    backlog.add(["good"])
    with backlog.next() as step:
        assert (step.article_ids, step.is_engine_old) == (["good"], True)
    assert taken(backlog) == ["broken"]
    assert not backlog


async def test_an_article_that_a_broken_model_could_not_take_in_is_taken_in_later(
    uow: UnitOfWork,
    encoder: GramEncoder,
    answerer: Answerer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("knowledge.answerer._AGAIN_S", 0.01)
    await answerer.start()
    following = asyncio.create_task(answerer.follow())
    encoder.is_broken = True
    view = await published(uow, question="怎么重置密码？")
    answerer.hear([ArticleChanged(article_id=view.id, is_live=True)])

    async def was_tried() -> bool:
        return encoder.refused > 1

    async def is_taken_in() -> bool:
        return (len(answerer), answerer.waiting) == (1, 0)

    await eventually(was_tried)
    assert (len(answerer), following.done()) == (0, False)
    encoder.is_broken = False
    await eventually(is_taken_in)
    following.cancel()
