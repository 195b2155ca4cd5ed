"""Questions nobody answered become a queue with owners, drafts and measured effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.jobs import learning, recurring
from core.actor import Actor
from core.audit.queries import list_audit
from core.clock import ManualClock
from core.db import Tx, UnitOfWork
from core.errors import Conflict, Forbidden, InvalidTransition
from core.local import LocalWakeUp
from core.timers.runner import TimerRunner
from knowledge import gaps, queries, service
from knowledge.answerer import Answerer
from knowledge.embedder import Embedder
from knowledge.feedback import cited, heard_feedback
from knowledge.mining import best_answer, mine
from knowledge.retriever import Band
from tests.knowledge_base.conftest import GramEncoder, decided, published

ANSWERS = {
    "s1": "电子健康证在“证件管理”里补打，需要重新上传照片。我电话13812345678",
    "s2": "补打：证件管理里补打，重新上传照片即可。",
    "s3": "不清楚",
}


async def people(tx: Tx, session_ids: Sequence[str]) -> Mapping[str, str]:
    del tx
    return {key: ANSWERS[key] for key in session_ids if key in ANSWERS}


async def listed(uow: UnitOfWork, **filters: Any) -> list[gaps.GapView]:
    async with uow.read() as tx:
        return list((await gaps.list_gaps(tx, **filters)).items)


@pytest.fixture
def embedder(encoder: GramEncoder) -> Embedder:
    return Embedder(encoder)


async def _asked(uow: UnitOfWork, clock: ManualClock) -> None:
    """Two kinds of unknown questions, small talk, and one that was answered in the end."""
    article = await published(uow, question="怎么打印接种证明？")
    for session, question in (
        ("s1", "电子健康证怎么补打"),
        ("s2", "健康证电子版怎么补打呢"),
        ("s3", "电子健康证补打怎么弄"),
        ("s4", "发票抬头写错了怎么改"),
        ("s5", "发票的抬头怎么改"),
        ("s6", "在吗"),
    ):
        await decided(uow, None, question=question, session_id=session)
        clock.advance(minutes=1)
    await decided(uow, None, question="接种证明去哪打印啊", session_id="s7", band=Band.MENU)
    unhelped = await decided(uow, article, question="发票抬头怎么修改", session_id="s8")
    solved = await decided(uow, article, question="接种证明打印", session_id="s9")
    cited_one = await decided(uow, None, question="接种证明的打印在哪里", session_id="s10")
    async with uow.write() as tx:
        await heard_feedback(tx, unhelped, is_helpful=False)
        await heard_feedback(tx, solved, is_helpful=True)
        await cited(tx, "s10", article.id, by="user-x")
    assert cited_one


async def test_misses_are_clustered_with_size_samples_and_the_best_human_answer(
    uow: UnitOfWork, clock: ManualClock, embedder: Embedder
) -> None:
    await _asked(uow, clock)
    report = await mine(uow, embedder, people)
    found = await listed(uow)
    assert report.left_out == 2  # small talk, and the one a servicer answered from an article
    assert sorted((gap.size, len(gap.samples)) for gap in found) == [(1, 1), (3, 3), (3, 3)]
    health = next(gap for gap in found if "健康证" in gap.title)
    assert health.title in health.samples
    assert "证件管理" in health.best_answer
    assert "13812345678" not in health.best_answer
    assert health.best_session_id in {"s1", "s2"}
    invoice = next(gap for gap in found if "发票" in gap.title)
    assert "发票抬头怎么修改" in invoice.samples


async def test_what_people_said_answers_the_question_asked_last(
    uow: UnitOfWork, clock: ManualClock, embedder: Embedder
) -> None:
    for question in ("发票抬头写错了怎么改", "电子健康证怎么补打"):
        await decided(uow, None, question=question, session_id="s1")
        clock.advance(minutes=1)
    await mine(uow, embedder, people)
    answers = {gap.title: gap.best_answer for gap in await listed(uow)}
    assert "证件管理" in answers["电子健康证怎么补打"]
    assert answers["发票抬头写错了怎么改"] == ""


async def test_mining_again_changes_nothing_and_new_questions_join(
    uow: UnitOfWork, clock: ManualClock, embedder: Embedder
) -> None:
    await _asked(uow, clock)
    await mine(uow, embedder, people)
    before = await listed(uow)
    assert (await mine(uow, embedder, people)).questions == 0
    assert await listed(uow) == before
    clock.advance(days=1)
    await decided(uow, None, question="电子健康证补打怎么操作")
    assert (await mine(uow, embedder, people)).gaps == 0
    health = next(gap for gap in await listed(uow) if "健康证" in gap.title)
    assert health.size == 4
    assert health.last_asked_at == clock.now()


async def test_one_click_drafts_an_article_and_later_its_effect_is_counted(
    uow: UnitOfWork, clock: ManualClock, embedder: Embedder, author: Actor, reviewer: Actor
) -> None:
    await _asked(uow, clock)
    await mine(uow, embedder, people)
    gap = next(gap for gap in await listed(uow) if "健康证" in gap.title)
    due = clock.now() + timedelta(days=3)
    async with uow.write() as tx:
        gap = await gaps.assign(
            tx, gap.id, owner_id=author.user_id, due_at=due, version=gap.version, by=author
        )
        with pytest.raises(Conflict):
            await gaps.dismiss(tx, gap.id, version=gap.version - 1, by=author)
        draft = await gaps.draft(tx, gap.id, version=gap.version, by=author)
        with pytest.raises(InvalidTransition):
            await gaps.draft(tx, gap.id, version=gap.version + 1, by=author)
    assert (draft.question, draft.state, draft.owner_id) == (gap.title, "draft", author.user_id)
    assert len(draft.similar) == 2
    assert [g.article_id for g in await listed(uow, state="drafted")] == [draft.id]
    async with uow.write() as tx:
        view = await service.submit(tx, draft.id, version=draft.version, by=author)
        live = await service.publish(tx, draft.id, version=view.version, by=reviewer)
    assert [g.absorbed for g in await listed(uow, state="closed")] == [0]
    clock.advance(days=1)
    for _ in range(3):
        await decided(uow, live, question="健康证补打")
    await mine(uow, embedder, people)
    (closed,) = await listed(uow, state="closed")
    assert (closed.id, closed.absorbed, closed.due_at) == (gap.id, 3, due)
    async with uow.read() as tx:
        assert (await queries.get_article(tx, live.id)).absorbed == 3


async def test_gaps_page_by_size(uow: UnitOfWork, clock: ManualClock, embedder: Embedder) -> None:
    await _asked(uow, clock)
    await mine(uow, embedder, people)
    async with uow.read() as tx:
        first = await gaps.list_gaps(tx, limit=2)
        rest = await gaps.list_gaps(tx, limit=2, cursor=first.next_cursor)
    assert [gap.size for gap in (*first.items, *rest.items)] == [3, 3, 1]
    assert rest.next_cursor is None


def test_the_best_answer_is_the_one_that_agrees_with_the_others() -> None:
    assert best_answer(ANSWERS) in {"s1", "s2"}
    assert best_answer({"a": " "}) is None
    assert best_answer({}) is None


async def test_questions_are_sorted_now_when_somebody_asks_for_it(
    uow: UnitOfWork, clock: ManualClock, embedder: Embedder, author: Actor
) -> None:
    async def state() -> tuple[bool, bool, datetime | None]:
        async with uow.read() as tx:
            found = await gaps.mining_state(tx)
        return found.is_running, found.has_failed, found.next_at

    assert await state() == (False, False, None)
    jobs = recurring.jobs(uow, learning.rounds(uow, embedder, Answerer(uow, embedder)))
    runner = TimerRunner(uow, jobs, LocalWakeUp())
    async with uow.write() as tx:
        await gaps.mine_soon(tx, by=author)
        with pytest.raises(Forbidden):
            await gaps.mine_soon(tx, by=replace(author, permissions=frozenset()))
    assert await state() == (True, False, clock.now())
    await _asked(uow, clock)
    await runner.run_due()
    assert await state() == (False, False, clock.now() + timedelta(days=1))
    assert len(await listed(uow)) > 0
    async with uow.read() as tx:
        kept = (await list_audit(tx, action="gaps.")).items
    assert [(row.action, row.actor) for row in kept] == [("gaps.mining_asked", author.key)]
