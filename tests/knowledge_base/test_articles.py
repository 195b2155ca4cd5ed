"""Draft, review, publish, roll back: who may, and what customers see meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.actor import Actor
from core.clock import ManualClock
from core.db import UnitOfWork
from core.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from core.event_log import EventRow
from knowledge import queries, service
from knowledge.content import ArticleState
from knowledge.queries import ArticleFilter
from tests.knowledge_base.conftest import drafted, published


async def _events(uow: UnitOfWork, kind: str) -> list[dict[str, object]]:
    async with uow.read() as tx:
        rows = await tx.db.scalars(
            select(EventRow).where(EventRow.type == kind).order_by(EventRow.id)
        )
        return [row.payload for row in rows]


async def test_the_author_of_a_draft_may_not_publish_it_and_a_second_person_may(
    uow: UnitOfWork, reviewer: Actor, author: Actor
) -> None:
    own = await drafted(uow, reviewer)
    async with uow.write() as tx:
        own = await service.submit(tx, own.id, version=own.version, by=reviewer)
        with pytest.raises(Forbidden) as refused:
            await service.publish(tx, own.id, version=own.version, by=reviewer)
        assert refused.value.code == "same_person"
        with pytest.raises(Forbidden):
            await service.publish(tx, own.id, version=own.version, by=author)
        second = Actor("user-second", None, "second", None, reviewer.permissions)
        shown = await service.publish(tx, own.id, version=own.version, by=second)
    assert (shown.state, shown.is_live, shown.live_number) == (ArticleState.PUBLISHED, True, 1)


async def test_customers_keep_seeing_the_published_text_while_a_draft_is_edited(
    uow: UnitOfWork, author: Actor, reviewer: Actor
) -> None:
    shown = await published(uow, answer="旧答案")
    async with uow.write() as tx:
        edited = await service.edit(
            tx, shown.id, {"answer": "新答案"}, version=shown.version, by=author
        )
    assert edited.answer == "旧答案"
    assert edited.open is not None
    assert edited.open.content.answer == "新答案"
    assert len(await _events(uow, "article.changed")) == 1
    async with uow.write() as tx:
        waiting = await service.submit(tx, shown.id, version=edited.version, by=author)
        after = await service.publish(tx, shown.id, version=waiting.version, by=reviewer)
    assert (after.answer, after.live_number, after.open) == ("新答案", 2, None)
    assert len(await _events(uow, "article.changed")) == 2


async def test_an_edit_over_somebody_elses_edit_is_refused(uow: UnitOfWork, author: Actor) -> None:
    draft = await drafted(uow, author)
    async with uow.write() as tx:
        await service.edit(tx, draft.id, {"answer": "甲"}, version=draft.version, by=author)
    async with uow.write() as tx:
        with pytest.raises(Conflict):
            await service.edit(tx, draft.id, {"answer": "乙"}, version=draft.version, by=author)
    async with uow.read() as tx:
        assert (await queries.get_article(tx, draft.id)).answer == "甲"


async def test_rolling_back_publishes_the_old_text_as_a_new_revision_and_keeps_the_open_one(
    uow: UnitOfWork, author: Actor, reviewer: Actor
) -> None:
    first = await published(uow, answer="一")
    async with uow.write() as tx:
        view = await service.edit(tx, first.id, {"answer": "二"}, version=first.version, by=author)
        view = await service.submit(tx, view.id, version=view.version, by=author)
        view = await service.publish(tx, view.id, version=view.version, by=reviewer)
        view = await service.edit(tx, view.id, {"answer": "三"}, version=view.version, by=author)
        with pytest.raises(InvalidTransition):
            await service.roll_back(tx, view.id, 3, version=view.version, by=reviewer)
        view = await service.roll_back(tx, view.id, 1, version=view.version, by=reviewer)
    assert (view.answer, view.live_number, view.open_number) == ("一", 4, 3)
    async with uow.write() as tx:
        view = await service.submit(tx, view.id, version=view.version, by=author)
        view = await service.publish(tx, view.id, version=view.version, by=reviewer)
        assert (view.answer, view.live_number) == ("三", 3)
        view = await service.edit(tx, view.id, {"answer": "五"}, version=view.version, by=author)
        assert view.open_number == 5
        history = await queries.revisions(tx, view.id)
    assert [(r.number, r.content.answer) for r in history] == [
        (5, "五"), (4, "一"), (3, "三"), (2, "二"), (1, "一"),
    ]  # fmt: skip


async def test_a_rejected_draft_goes_back_with_its_reason(
    uow: UnitOfWork, author: Actor, reviewer: Actor
) -> None:
    draft = await drafted(uow, author)
    async with uow.write() as tx:
        with pytest.raises(InvalidTransition):
            await service.reject(tx, draft.id, note="太短", version=draft.version, by=reviewer)
        view = await service.submit(tx, draft.id, version=draft.version, by=author)
        view = await service.reject(tx, draft.id, note="太短", version=view.version, by=reviewer)
        assert view.open is not None
        assert (view.open.state, view.open.note) == ("rejected", "太短")
        view = await service.edit(
            tx, draft.id, {"answer": "长一些"}, version=view.version, by=author
        )
        assert view.open is not None
        assert view.open.state == "draft"


async def test_archiving_silences_an_article_and_restoring_brings_it_back(
    uow: UnitOfWork, reviewer: Actor
) -> None:
    shown = await published(uow)
    async with uow.write() as tx:
        gone = await service.archive(tx, shown.id, version=shown.version, by=reviewer)
        again = await service.archive(tx, shown.id, version=gone.version, by=reviewer)
    assert again.version == gone.version
    async with uow.write() as tx:
        back = await service.restore(tx, shown.id, version=gone.version, by=reviewer)
    assert (gone.is_live, back.is_live) == (False, True)
    changes = await _events(uow, "article.changed")
    assert [change["is_live"] for change in changes] == [True, False, True]


async def test_deleting_removes_a_draft_and_archives_what_was_published(
    uow: UnitOfWork, author: Actor, reviewer: Actor
) -> None:
    draft = await drafted(uow, author)
    shown = await published(uow)
    async with uow.write() as tx:
        await service.delete(tx, draft.id, by=author)
        with pytest.raises(Forbidden):
            await service.delete(tx, shown.id, by=author)
        await service.delete(tx, shown.id, by=reviewer)
    async with uow.read() as tx:
        with pytest.raises(NotFound):
            await queries.get_article(tx, draft.id)
        assert (await queries.get_article(tx, shown.id)).state == ArticleState.ARCHIVED


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"question": "  "}, "question"),
        ({"question": "问" * 501}, "question"),
        ({"tags": ["x" * 65]}, "tags.0"),
        ({"nonsense": 1}, "nonsense"),
        (
            {"effective_at": "2026-03-02T00:00:00Z", "expires_at": "2026-03-01T00:00:00Z"},
            "",
        ),
    ],
)
def test_content_that_cannot_be_is_refused_by_field(fields: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        service.checked_content({"question": "问", "answer": "答"} | fields)
    assert refused.value.facts["field"] == field


async def test_lists_page_by_the_latest_change_and_filter_by_subtree(
    uow: UnitOfWork, clock: ManualClock
) -> None:
    for number, category in enumerate(["账号", "账号/登录", "账号权限", "打印"]):
        await published(uow, question=f"问题{number}", category=category)
        clock.advance(seconds=1)
    async with uow.read() as tx:
        first = await queries.list_articles(tx, ArticleFilter(), limit=3)
        rest = await queries.list_articles(tx, ArticleFilter(), limit=3, cursor=first.next_cursor)
        below = await queries.list_articles(tx, ArticleFilter(category="账号"))
        found = await queries.list_articles(tx, ArticleFilter(text="题2"))
        wild = await queries.list_articles(tx, ArticleFilter(text="%"))
    assert [v.question for v in (*first.items, *rest.items)] == [
        "问题3",
        "问题2",
        "问题1",
        "问题0",
    ]
    shown = [view.question[-1] for view in (*first.items, *rest.items)]
    assert shown == ["3", "2", "1", "0"]
    assert [view.category for view in below.items] == ["账号/登录", "账号"]
    assert [view.question for view in found.items] == ["问题2"]
    assert wild.items == ()


async def test_dates_set_timers_that_tell_the_owner_and_then_silence_the_article(
    uow: UnitOfWork, clock: ManualClock
) -> None:
    from core.timers.service import claim_due, finish
    from knowledge import lifetimes

    now = clock.now()
    shown = await published(
        uow, effective_at=now + timedelta(days=1), expires_at=now + timedelta(days=30)
    )
    assert not shown.is_live
    seen: list[object] = []
    for days in (1, 15, 14):
        clock.advance(days=days)
        async with uow.write() as tx:
            for timer in await claim_due(tx, limit=10):
                await lifetimes.ring(tx, timer)
                await finish(tx, timer)
                seen.append(timer.kind)
        async with uow.read() as tx:
            seen.append((await queries.get_article(tx, shown.id)).is_live)
    assert seen == ["article.begins", True, "article.expires_soon", True, "article.expires", False]
    changes = await _events(uow, "article.changed")
    assert [change["is_live"] for change in changes] == [False, True, False]
    alarms = await _events(uow, "alarm.raised")
    assert [alarm["code"] for alarm in alarms] == ["article_expires_soon"]
