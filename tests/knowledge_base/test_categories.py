"""The category tree: nodes come with their parents and move with their articles."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.actor import Actor
from core.clock import ManualClock
from core.db import UnitOfWork
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.events import ArticleChanged
from core.timers.service import claim_due
from knowledge import categories, queries
from knowledge.jobs import timer_jobs
from tests.knowledge_base.conftest import published


async def _tree(uow: UnitOfWork) -> list[tuple[str, int]]:
    async with uow.read() as tx:
        return [(node.path, node.articles) for node in await categories.list_categories(tx)]


async def test_a_node_moves_with_everything_below_and_the_indexes_hear_of_it(
    uow: UnitOfWork, reviewer: Actor, author: Actor
) -> None:
    deep = await published(uow, category="账号/登录/密码")
    other = await published(uow, category="账号权限")
    async with uow.write() as tx:
        with pytest.raises(Forbidden):
            await categories.move_category(tx, "账号", to="用户", by=author)
        with pytest.raises(Invalid):
            await categories.move_category(tx, "账号", to="账号/下级", by=reviewer)
        with pytest.raises(Conflict):
            await categories.move_category(tx, "账号", to="账号权限", by=reviewer)
        with pytest.raises(NotFound):
            await categories.move_category(tx, "没有", to="x", by=reviewer)
        await categories.move_category(tx, "账号/登录", to="系统/登录", by=reviewer)
        assert [e.article_id for e in tx.emitted if isinstance(e, ArticleChanged)] == [deep.id]
    assert sorted(await _tree(uow)) == [
        ("系统", 1), ("系统/登录", 1), ("系统/登录/密码", 1), ("账号", 0), ("账号权限", 1),
    ]  # fmt: skip
    async with uow.read() as tx:
        assert (await queries.get_article(tx, deep.id)).category == "系统/登录/密码"
        assert (await queries.get_article(tx, other.id)).category == "账号权限"


async def test_a_node_that_goes_leaves_its_articles_to_its_parent(
    uow: UnitOfWork, reviewer: Actor
) -> None:
    for path in ("甲/乙", "甲/乙/丙", "丁"):
        await published(uow, category=path)
    async with uow.write() as tx:
        await categories.delete_category(tx, "甲/乙", by=reviewer)
        await categories.delete_category(tx, "丁", by=reviewer)
    assert await _tree(uow) == [("甲", 2), ("甲/丙", 1)]


async def test_siblings_keep_the_order_that_people_gave_them(
    uow: UnitOfWork, author: Actor
) -> None:
    async with uow.write() as tx:
        await categories.create_category(tx, "乙", position=1, by=author)
        await categories.create_category(tx, " 甲 / 子 ", position=0, by=author)
        await categories.create_category(tx, "丙", position=0, by=author)
        with pytest.raises(Conflict):
            await categories.create_category(tx, "乙", by=author)
        with pytest.raises(Invalid):
            await categories.create_category(tx, "/".join("abcdef"), by=author)
    assert [path for path, _ in await _tree(uow)] == ["丙", "甲", "甲/子", "乙"]


async def test_a_node_that_is_dragged_takes_its_place_and_the_others_make_room(
    uow: UnitOfWork, author: Actor, reviewer: Actor
) -> None:
    async with uow.write() as tx:
        for path in ("a", "b", "c", "a/x"):
            await categories.create_category(tx, path, by=author)
        await categories.move_category(tx, "c", to="c", position=0, by=reviewer)
        await categories.move_category(tx, "a/x", to="x", position=2, by=reviewer)
    assert [path for path, _ in await _tree(uow)] == ["c", "a", "x", "b"]
    async with uow.write() as tx:
        await categories.move_category(tx, "c", to="c", position=3, by=reviewer)
    assert [path for path, _ in await _tree(uow)] == ["a", "x", "b", "c"]


async def test_the_timer_jobs_end_their_timers(uow: UnitOfWork, clock: ManualClock) -> None:
    await published(uow, expires_at=clock.now() + timedelta(days=1))
    clock.advance(days=2)
    async with uow.write() as tx:
        due = await claim_due(tx, limit=10)
    assert {timer.kind for timer in due} == {"article.expires_soon", "article.expires"}
    for timer in due:
        await timer_jobs(uow)[timer.kind](timer)
    clock.advance(days=1)
    async with uow.write() as tx:
        assert await claim_due(tx, limit=10) == []
