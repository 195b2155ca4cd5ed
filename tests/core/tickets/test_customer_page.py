from __future__ import annotations

import pytest

from core.clock import ManualClock
from core.customers import merge
from core.errors import Conflict, Forbidden, Invalid
from core.links import LinkRefused
from core.sealing import KeyRing
from core.tickets import customer_page, entries, filters, service, similar
from core.tickets.filters import FilterDraft
from core.tickets.states import Action
from core.views import TicketState
from core.words import likeness, words_of
from tests.core import seed
from tests.core.tickets.conftest import BOSS, House

KEYS = KeyRing.from_secrets(["a secret of sixteen"])


async def test_the_link_opens_the_page_and_shows_only_what_is_public(
    house: House, clock: ManualClock
) -> None:
    made = await house.ticket()
    async with house.uow.write() as tx:
        token = await customer_page.link_token(tx, KEYS, made)
        await entries.note(tx, made.id, "内部", by=house.anna)
        await service.move(tx, made.id, Action.ACCEPT, by=house.anna)
        ticket_id, who = await customer_page.opened_by(tx, KEYS, token)
        page = await customer_page.page(tx, ticket_id, who)
        lines = await customer_page.history(tx, ticket_id, who)
    assert (page.number, page.state, page.can_reply, page.can_rate) == (
        made.number,
        TicketState.OPEN,
        True,
        False,
    )
    assert [step.key for step in page.progress if step.at] == ["submitted", "accepted"]
    assert page.actions == ("nudge",)
    assert "内部" not in str(lines)
    assert {line.author_id for line in lines} == {""}
    clock.advance(days=91)
    async with house.uow.read() as tx:
        with pytest.raises(LinkRefused):
            await customer_page.opened_by(tx, KEYS, token)


async def test_a_link_made_before_a_merge_still_opens(house: House) -> None:
    made = await house.ticket()
    async with house.uow.write() as tx:
        token = await customer_page.link_token(tx, KEYS, made)
        other = await seed.customer(tx, "同一人")
        await merge.merge(tx, other, house.customer.customer_id, by=BOSS)
    async with house.uow.read() as tx:
        ticket_id, who = await customer_page.opened_by(tx, KEYS, token)
        assert (ticket_id, who.customer_id) == (made.id, other)
        assert (await customer_page.page(tx, ticket_id, who)).number == made.number


async def test_a_ticket_is_rated_once_after_it_was_resolved(house: House) -> None:
    made = await house.ticket()
    async with house.uow.write() as tx:
        with pytest.raises(Conflict, match="not_resolved"):
            await entries.rate(tx, made.id, 5, by=house.customer)
        await service.move(tx, made.id, Action.RESOLVE, by=house.anna)
        with pytest.raises(Invalid):
            await entries.rate(tx, made.id, 6, by=house.customer)
        rated = await entries.rate(tx, made.id, 4, by=house.customer, comment="不错")
        assert rated.rating_score == 4
        with pytest.raises(Conflict, match="already_rated"):
            await entries.rate(tx, made.id, 1, by=house.customer)


async def test_similar_tickets_share_words(house: House) -> None:
    same = await house.ticket(title="VPN 连接失败怎么办")
    await house.ticket(title="打印机卡纸")
    async with house.uow.read() as tx:
        found = await similar.similar(tx, "VPN连接失败")
        assert [one.ticket.id for one in found] == [same.id]
        assert await similar.similar(tx, "VPN连接失败", except_id=same.id) == ()
        assert await similar.similar(tx, "？！") == ()


async def test_saved_lists_are_private_unless_a_supervisor_shares(house: House) -> None:
    async with house.uow.write() as tx:
        mine = await filters.save(tx, FilterDraft("我的", {"states": ["new"]}), by=house.anna)
        with pytest.raises(Forbidden):
            await filters.save(tx, FilterDraft("大家的", {}, is_shared=True), by=house.anna)
        shared = await filters.save(tx, FilterDraft("大家的", {}, is_shared=True), by=house.chief)
        assert [one.id for one in await filters.list_filters(tx, by=house.anna)] == [
            shared.id,
            mine.id,
        ]
        assert [one.id for one in await filters.list_filters(tx, by=house.bert)] == [shared.id]
        with pytest.raises(Forbidden):
            await filters.remove(tx, mine.id, by=house.bert)
        await filters.remove(tx, mine.id, by=house.anna)


def test_likeness_is_between_nothing_and_all() -> None:
    words = words_of("数据上报失败 HTTP 500")
    assert likeness(words, words) == 1.0
    assert likeness(words, words_of("打印机")) == 0.0
    assert {"http", "500", "数据"} <= words
