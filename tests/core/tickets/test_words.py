"""Lists by words of the title."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import ManualClock
from core.tickets import queries, service, words
from core.tickets.queries import TicketFilter
from core.tickets.similar import similar
from core.tickets.words import Lead, lead
from core.views import Priority, TicketState
from core.words import words_of
from tests.core.tickets.conftest import BOSS, House

TITLES = ("数据上报失败 HTTP 500", "数据导出失败", "VPN 连不上", "打印机没纸")


async def found(house: House, q: str, **more: object) -> list[str]:
    async with house.uow.read() as tx:
        wanted = TicketFilter(q=q, **more)  # type: ignore[arg-type]
        page = await queries.list_tickets(tx, wanted)
        counted = sum((await queries.counts_by_state(tx, wanted)).values())
    assert counted == len(page.items)
    return [one.title for one in page.items]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("数据", TITLES[1::-1]),
        ("数据 失败", TITLES[1::-1]),
        ("据上报", TITLES[:1]),
        ("http", TITLES[:1]),
        ("失败 500", TITLES[:1]),
        ("纸", TITLES[3:]),
        ("上报数据", ()),
        ("没有这个", ()),
    ],
)
async def test_titles_are_found_by_their_words(
    house: House, q: str, expected: tuple[str, ...]
) -> None:
    for title in TITLES:
        await house.ticket(title=title)
    assert await found(house, q) == list(expected)
    states = (TicketState.NEW, TicketState.OPEN)
    assert await found(house, q, states=states) == list(expected)
    assert await found(house, q, states=(TicketState.CLOSED,)) == []


async def test_a_changed_title_is_found_by_its_new_words_only(house: House) -> None:
    made = await house.ticket(title="报表空白")
    async with house.uow.write() as tx:
        await service.change(tx, made.id, {"title": "导出卡住"}, version=made.version, by=BOSS)
        assert await lead(tx, words_of("导出 报表")) == Lead("报表", is_common=False)
    assert await found(house, "导出") == ["导出卡住"]
    assert await found(house, "报表") == []


@given(st.text(alphabet="数据上报失败", min_size=2), st.data())
def test_any_part_of_a_chinese_run_has_only_words_of_the_whole(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 2))
    end = data.draw(st.integers(start + 2, len(text)))
    assert words_of(text[start:end]) <= words_of(text)


async def test_similar_tickets_are_found_by_their_rare_words_however_old(house: House) -> None:
    old = await house.ticket(title="前置机证书过期导致上报失败")
    for number in range(120):
        await house.ticket(title=f"上报失败 {number}")
    async with house.uow.read() as tx:
        found = await similar(tx, "上报失败，好像是前置机证书过期", except_id="")
    assert found[0].ticket.id == old.id
    assert found[0].score > 0.5


async def test_tags_are_found_whole_and_follow_their_ticket(house: House) -> None:
    made = await house.ticket(title="报表空白", tags=("上门", "VIP"))
    await house.ticket(title="上门培训")
    assert await found(house, "", tag="上门") == ["报表空白"]
    assert await found(house, "空白", tag="VIP") == ["报表空白"]
    assert await found(house, "培训", tag="VIP") == []
    assert await found(house, "", tag="上") == []
    async with house.uow.write() as tx:
        await service.change(tx, made.id, {"tags": ["回访"]}, version=made.version, by=BOSS)
    assert await found(house, "", tag="上门") == []
    assert await found(house, "", tag="回访", states=(TicketState.NEW,)) == ["报表空白"]


async def test_days_find_exactly_the_tickets_of_those_days(
    house: House, clock: ManualClock
) -> None:
    moments = []
    for title in ("第一张", "第二张", "第三张"):
        await house.ticket(title=title)
        moments.append(clock.now())
        clock.advance(days=1)
    first, second, third = moments
    assert await found(house, "", created_from=second) == ["第三张", "第二张"]
    assert await found(house, "", created_until=second) == ["第一张"]
    assert await found(house, "", created_from=first, created_until=third) == ["第二张", "第一张"]
    later = first + timedelta(microseconds=1)
    assert await found(house, "", created_from=later, created_until=third) == ["第二张"]


async def test_a_single_character_is_sought_in_the_newest_titles_only(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("没纸", "纸张卡住", "别的"):
        await house.ticket(title=title)
    assert await found(house, "纸") == ["纸张卡住", "没纸"]
    monkeypatch.setattr(queries, "READ_THROUGH", 2)
    assert await found(house, "纸") == ["纸张卡住"]


@pytest.mark.parametrize("few", [0, 2, 100])
@pytest.mark.parametrize("common", [1, 100])
async def test_whatever_leads_to_them_the_same_tickets_are_found(
    house: House, monkeypatch: pytest.MonkeyPatch, few: int, common: int
) -> None:
    """few, common: with so few tickets a state is read itself, with so many a word is common."""
    monkeypatch.setattr(queries, "FEW", few)
    monkeypatch.setattr(words, "_COUNTED", common)
    anna = house.anna.servicer_id
    await house.ticket(title="系统上报失败", tags=("上门",), servicer_id=anna)
    await house.ticket(title="系统上报失败 二", tags=("上门",))
    await house.ticket(title="系统上报失败 三", servicer_id=anna, priority=Priority.URGENT)
    both = ["系统上报失败 二", "系统上报失败"]
    assert await found(house, "系统上报", tag="上门") == both
    assert await found(house, "上报", tag="上门", states=(TicketState.NEW,)) == both
    assert await found(house, "", tag="上门", servicer_id=anna) == both[1:]
    assert await found(house, "上报", tag="上门", is_unassigned=True) == both[:1]
    assert await found(house, "失败", priorities=(Priority.URGENT,)) == ["系统上报失败 三"]
    assert await found(house, "失败", tag="上门", customer_id="x") == []
