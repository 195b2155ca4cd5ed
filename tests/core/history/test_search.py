"""Search over all history: what is found, in which order, and that the index follows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.content import plain_text
from core.conversations.queries import get_message
from core.conversations.receipts import mark_recalled
from core.db import UnitOfWork
from core.history import index, search
from core.history.search import Wanted
from core.retention import purge_events
from tests.admin_api.desk import Customer


async def _found(uow: UnitOfWork, *words: str, **more: object) -> list[str]:
    """All texts found, page by page."""
    texts, cursor = [], None
    while True:
        async with uow.read() as tx:
            wanted = Wanted(words, **more)  # type: ignore[arg-type]  # the keywords of a test
            page = await search.search(tx, wanted, cursor=cursor, limit=2)
        texts += [plain_text(line.message.content) for line in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return texts


async def test_every_word_must_be_there_newest_first(uow: UnitOfWork) -> None:
    wang, liu = Customer(uow, "wang"), Customer(uow, "liu")
    await wang.says("数据上报失败了", "重新上报，还是失败")
    await liu.says("上报成功", "错误代码 10060，ＶＰＮ断开", "刘洋在吗")
    assert await _found(uow, "上报") == []  # not indexed yet
    assert await index.follow(uow) == 5
    assert await index.follow(uow) == 0
    assert await _found(uow, "上报") == ["上报成功", "重新上报，还是失败", "数据上报失败了"]
    assert await _found(uow, "失败", "上报") == ["重新上报，还是失败", "数据上报失败了"]
    assert await _found(uow, "vpn", "10060") == ["错误代码 10060，ＶＰＮ断开"]
    assert await _found(uow, "洋") == ["刘洋在吗"]  # one character: no index helps
    assert await _found(uow, "报失") == ["数据上报失败了"]
    assert await _found(uow, "上报", "打印机") == []


async def test_filters_narrow_and_recalled_lines_are_gone(
    uow: UnitOfWork, clock: ManualClock
) -> None:
    wang, liu = Customer(uow, "wang"), Customer(uow, "liu", account="kf-two")
    await wang.says("证书过期")
    clock.advance(days=2)
    noon = clock.now()
    await liu.says("证书丢失", "证书吊销")
    await index.follow(uow)
    async with uow.read() as tx:
        (lost, *_) = (await search.search(tx, Wanted(["丢失"]))).items
    assert await _found(uow, "证书", since=noon) == ["证书吊销", "证书丢失"]
    assert await _found(uow, "证书", until=noon) == ["证书过期"]
    account_id = await _account_of(uow, lost.message.id)
    assert await _found(uow, "证书", account_id=account_id) == ["证书吊销", "证书丢失"]
    assert await _found(uow, "证书", servicer_id="nobody") == []
    async with uow.write() as tx:
        await mark_recalled(tx, await get_message(tx, lost.message.id), tx.now)
    assert await _found(uow, "证书", since=noon) == ["证书吊销"]


async def _account_of(uow: UnitOfWork, message_id: str) -> str:
    async with uow.read() as tx:
        return (await get_message(tx, message_id)).account_id


async def test_a_page_gives_up_in_time_and_the_next_goes_on(
    uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    wang = Customer(uow, "wang")
    await wang.says("最早的证书", *(f"证书 {number}" for number in range(5)))
    await index.follow(uow)
    monkeypatch.setattr(search, "MAX_EXAMINED", 2)
    monkeypatch.setattr(search, "_AT_ONCE", 2)
    async with uow.read() as tx:
        page = await search.search(tx, Wanted(["最早", "的证"]))
        empty = await search.search(tx, Wanted(["的"]))
    assert [line.text for line in page.items] == ["最早的证书"]
    assert (empty.items, empty.next_cursor is None) == ((), False)
    assert await _found(uow, "的") == ["最早的证书"]


async def test_the_index_is_built_anew_from_the_messages(uow: UnitOfWork) -> None:
    wang = Customer(uow, "wang")
    await wang.says("证书过期", "证书丢失")
    assert await index.rebuild(uow) == 2
    assert await _found(uow, "证书") == ["证书丢失", "证书过期"]
    await wang.says("证书吊销")
    assert await index.follow(uow) == 3  # the first two again: nothing changes by that
    assert await _found(uow, "证书") == ["证书吊销", "证书丢失", "证书过期"]


async def test_events_are_kept_until_the_index_has_read_them(uow: UnitOfWork) -> None:
    wang = Customer(uow, "wang")
    await wang.says("您好")
    await index.follow(uow)
    await wang.says("证书过期", "在吗")
    async with uow.write() as tx:
        await purge_events(tx, tx.now + timedelta(days=1))
    await index.follow(uow)
    async with uow.write() as tx:
        assert await purge_events(tx, tx.now + timedelta(days=1)) > 0
    assert await _found(uow, "证书") == ["证书过期"]
