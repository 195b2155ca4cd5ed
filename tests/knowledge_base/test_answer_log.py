"""The answer log and the bot's figures, by hand-computed cases."""

from __future__ import annotations

from datetime import timedelta

from core.actor import Actor
from core.clock import ManualClock
from core.db import UnitOfWork
from knowledge.answer_log import LogFilter, bot_figures, list_decisions
from knowledge.feedback import correct, heard_feedback
from knowledge.retriever import Band
from tests.knowledge_base.conftest import decided, published


async def test_the_log_pages_newest_first_and_filters(uow: UnitOfWork, clock: ManualClock) -> None:
    article = await published(uow)
    ids = []
    for number in range(4):
        ids.append(await decided(uow, article if number % 2 else None, question=f"问题{number}"))
        clock.advance(minutes=1)
    async with uow.write() as tx:
        await heard_feedback(tx, ids[1], is_helpful=False)
    async with uow.read() as tx:
        first = await list_decisions(tx, LogFilter(), limit=3)
        rest = await list_decisions(tx, LogFilter(), limit=3, cursor=first.next_cursor)
        answered = await list_decisions(tx, LogFilter(article_id=article.id))
        bad = await list_decisions(tx, LogFilter(verdict="unsolved"))
        unjudged = await list_decisions(tx, LogFilter(band="answer", verdict="none"))
        recent = await list_decisions(tx, LogFilter(since=clock.now() - timedelta(minutes=2)))
        found = await list_decisions(tx, LogFilter(text="题2"))
    assert [view.id for view in (*first.items, *rest.items)] == ids[::-1]
    assert [view.id for view in answered.items] == [ids[3], ids[1]]
    assert [(view.id, view.verdict) for view in bad.items] == [(ids[1], "unsolved")]
    assert [view.id for view in unjudged.items] == [ids[3]]
    assert [view.id for view in recent.items] == [ids[3], ids[2]]
    assert [view.id for view in found.items] == [ids[2]]


async def test_figures_count_what_was_judged_and_what_was_saved(
    uow: UnitOfWork, clock: ManualClock, reviewer: Actor
) -> None:
    begin = clock.now()
    account = await published(uow, category="账号")
    other = await published(uow, question="别的", category="打印")
    right = [await decided(uow, account) for _ in range(3)]
    wrong = [await decided(uow, account), await decided(uow, other)]
    unjudged = await decided(uow, other)
    await decided(uow, None, band=Band.HANDOFF)
    await decided(uow, None, band=Band.MENU)
    await decided(uow, account, why="chosen")  # picked by the customer from that menu
    async with uow.write() as tx:
        for decision_id in right[:2]:
            await heard_feedback(tx, decision_id, is_helpful=True)
        await correct(tx, right[2], account.id, by=reviewer)
        await heard_feedback(tx, wrong[0], is_helpful=False)
        # the customer was content, but a servicer knows better: it counts as wrong
        await heard_feedback(tx, wrong[1], is_helpful=True)
        await correct(tx, wrong[1], account.id, by=reviewer)
    clock.advance(seconds=1)
    await decided(uow, account)  # later than the span
    async with uow.read() as tx:
        figures = await bot_figures(tx, begin, clock.now(), handling_s=100)
        nothing = await bot_figures(tx, begin - timedelta(days=2), begin - timedelta(days=1))
    assert unjudged
    assert (figures.questions, figures.answered) == (8, 6)
    assert (figures.offered, figures.handed_off) == (1, 1)
    assert figures.hit_rate.value == 6 / 8
    assert (figures.precision.right, figures.precision.given) == (3, 5)
    assert figures.precision.low < 0.6 < figures.precision.high
    assert (figures.saved, figures.saved_s) == (4, 400)
    assert [(c.category, c.answers, c.precision.right, c.precision.given)
            for c in figures.by_category] == [("账号", 4, 3, 4), ("打印", 2, 0, 1)]  # fmt: skip
    assert (nothing.questions, nothing.hit_rate.low, nothing.hit_rate.high) == (0, 0.0, 1.0)
