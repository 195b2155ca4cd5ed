"""What publishing would change is known before it is done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.actor import Actor
from core.clock import ManualClock
from core.db import UnitOfWork
from knowledge import regression
from knowledge.answerer import Answerer
from knowledge.content import ArticleContent
from knowledge.embedder import Embedder
from knowledge.known import put_known
from tests.knowledge_base.conftest import GramEncoder, published


@pytest.fixture
def answerer(uow: UnitOfWork) -> Answerer:
    return Answerer(uow, Embedder(GramEncoder()), overrides=lambda: (0.0, 0.0))


async def test_questions_that_change_their_answer_are_named_and_judged(
    uow: UnitOfWork, answerer: Answerer, reviewer: Actor
) -> None:
    reset = await published(uow, question="怎么重置登录密码？")
    other = await published(uow, question="怎么打印接种证明？")
    async with uow.write() as tx:
        await put_known(tx, "登录密码重置", reset.id, by=reviewer)
        await put_known(tx, "接种证明打印", other.id, by=reviewer)
    await answerer.start()
    stolen = ArticleContent(question="登录密码重置", answer="别的答案")
    found = await regression.impact(uow, answerer, "new-article", stolen)
    assert found.asked == 2  # the new article's question is known already
    (change,) = found.changed
    assert (change.question, change.kind) == ("登录密码重置", "worse")
    assert (change.before.article_id, change.after.article_id) == (reset.id, "new-article")
    assert change.after.title == "登录密码重置"
    harmless = ArticleContent(question="食堂几点开门", answer="八点")
    quiet = await regression.impact(uow, answerer, "new-article", harmless)
    assert [item.question for item in quiet.changed] == ["食堂几点开门"]
    gone = await regression.impact(uow, answerer, reset.id, None)
    assert {item.kind for item in gone.changed} == {"worse"}
    assert (await answerer.decide("登录密码重置")).offers[0].article_id == reset.id


async def test_a_scheduled_article_and_one_for_some_are_weighed_where_they_will_answer(
    uow: UnitOfWork, answerer: Answerer, reviewer: Actor, clock: ManualClock
) -> None:
    reset = await published(uow, question="怎么重置登录密码？")
    async with uow.write() as tx:
        await put_known(tx, "登录密码重置", reset.id, by=reviewer)
    await answerer.start()
    stolen = {"question": "登录密码重置", "answer": "别的答案"}
    later = ArticleContent(**stolen, effective_at=clock.now() + timedelta(days=7))
    (change,) = (await regression.impact(uow, answerer, "new", later)).changed
    assert (change.before.article_id, change.after.article_id) == (reset.id, "new")
    for_some = ArticleContent(**stolen, audience=("hospital",))
    (change,) = (await regression.impact(uow, answerer, "new", for_some)).changed
    assert (change.before.article_id, change.after.article_id) == (reset.id, "new")


async def test_a_large_base_is_compared_among_competitors_only(
    uow: UnitOfWork, answerer: Answerer, reviewer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    reset = await published(uow, question="怎么重置登录密码？")
    for number in range(20):
        await published(uow, question=f"第{number}种报表怎么导出")
    async with uow.write() as tx:
        await put_known(tx, "登录密码重置", reset.id, by=reviewer)
    await answerer.start()
    monkeypatch.setattr(regression, "WHOLE_BASE", 5)
    stolen = ArticleContent(question="登录密码重置", answer="别的答案")
    (change,) = (await regression.impact(uow, answerer, "new", stolen)).changed
    assert (change.before.article_id, change.after.article_id) == (reset.id, "new")
