"""已解决 / 没解决, corrections and citations: each person has one verdict per decision."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.actor import Actor
from core.db import UnitOfWork
from core.errors import NotFound
from knowledge import decisions, queries
from knowledge.feedback import cited, correct, heard_feedback
from knowledge.records import FeedbackRow
from tests.knowledge_base.conftest import decided, published


async def test_pressing_twice_counts_once_and_a_changed_mind_moves_the_count(
    uow: UnitOfWork,
) -> None:
    article = await published(uow)
    decision_id = await decided(uow, article)
    seen = []
    for is_helpful in (True, True, False, True):
        async with uow.write() as tx:
            await heard_feedback(tx, decision_id, is_helpful=is_helpful)
        async with uow.read() as tx:
            view = await queries.get_article(tx, article.id)
            seen.append((view.helpful, view.unhelpful))
    assert seen == [(1, 0), (1, 0), (0, 1), (1, 0)]
    async with uow.read() as tx:
        assert (await decisions.get_decision(tx, decision_id)).verdict == "solved"


async def test_feedback_on_an_unknown_decision_is_refused(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        with pytest.raises(NotFound):
            await heard_feedback(tx, "nothing", is_helpful=True)


async def test_a_citation_belongs_to_the_last_question_left_open(
    uow: UnitOfWork, author: Actor
) -> None:
    article = await published(uow)
    await decided(uow, None, session_id="s1", question="第一个问题")
    last = await decided(uow, None, session_id="s1", question="第二个问题")
    await decided(uow, article, session_id="s1", question="答过的问题")
    async with uow.write() as tx:
        await cited(tx, "s1", article.id, by=author.key)
        await cited(tx, "other", article.id, by=author.key)
    async with uow.read() as tx:
        (row,) = await tx.db.scalars(select(FeedbackRow))
    assert (row.decision_id, row.verdict, row.right_article_id) == (last, "cited", article.id)


async def test_a_correction_names_the_right_article_or_none(
    uow: UnitOfWork, reviewer: Actor
) -> None:
    article = await published(uow)
    decision_id = await decided(uow, article)
    async with uow.write() as tx:
        with pytest.raises(NotFound):
            await correct(tx, decision_id, "nowhere", by=reviewer)
        await correct(tx, decision_id, article.id, by=reviewer)
        await correct(tx, decision_id, None, by=reviewer)
    async with uow.read() as tx:
        (row,) = await tx.db.scalars(select(FeedbackRow))
    assert (row.verdict, row.right_article_id, row.by) == ("corrected", None, reviewer.key)
