from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.db import Tx
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.reviews import service
from core.reviews.service import ScoreItem, total_of
from core.tickets import service as tickets
from core.tickets.states import Action
from tests.core.tickets.conftest import House

ITEMS = (
    ScoreItem(key="attitude", title="态度", weight=40),
    ScoreItem(key="solution", title="方案", weight=50, best=10),
    ScoreItem(key="safety", title="合规", weight=10, best=1, is_critical=True),
)


@pytest.mark.parametrize(
    ("scores", "total"),
    [
        ({"attitude": 5, "solution": 10, "safety": 1}, (100.0, False)),
        ({"attitude": 4, "solution": 7, "safety": 1}, (77.0, False)),
        ({"attitude": 5, "solution": 10, "safety": 0}, (0.0, True)),
    ],
)
def test_totals_computed_by_hand(scores: dict[str, int], total: tuple[float, bool]) -> None:
    assert total_of(ITEMS, scores) == total


@pytest.mark.parametrize(
    "scores",
    [
        {},
        {"attitude": 6, "solution": 1, "safety": 1},
        {"attitude": 1, "solution": 1, "safety": 1, "x": 1},
    ],
)
def test_incomplete_and_impossible_scores_are_refused(scores: dict[str, int]) -> None:
    with pytest.raises(Invalid, match="invalid_scores"):
        total_of(ITEMS, scores)


async def test_a_ticket_is_drawn_scored_corrected_and_objected_to(
    house: House, clock: ManualClock
) -> None:
    ticket = await house.ticket(servicer_id=house.anna.servicer_id)
    since = clock.now() - timedelta(days=7)
    good = {"attitude": 5, "solution": 10, "safety": 1}
    async with house.uow.write() as tx:
        assert await service.sample(tx, "ticket", since=since, size=10, by=house.chief) == ()
        await tickets.move(tx, ticket.id, Action.RESOLVE, by=house.anna)
        drawn = await service.sample(tx, "ticket", since=since, size=10, by=house.chief)
        assert [one.subject_id for one in drawn] == [ticket.id]
        card = await service.create_card(tx, "标准", ITEMS, by=house.chief)
        first = await service.review(tx, ("ticket", ticket.id), card.id, good, by=house.chief)
        second = await service.review(
            tx, ("ticket", ticket.id), card.id, good | {"attitude": 3}, by=house.chief
        )
        assert (second.id, second.total, second.version) == (first.id, 84.0, 2)
        assert second.servicer_id == house.anna.servicer_id
        assert await service.sample(tx, "ticket", since=since, size=10, by=house.chief) == ()
        with pytest.raises(Forbidden):
            await service.appeal(tx, first.id, "我不同意", by=house.bert)
        await service.appeal(tx, first.id, "客户当时很满意", by=house.anna)
        done = await service.answer_appeal(tx, first.id, "维持", by=house.chief)
        assert (done.appeal, done.appeal_answer) == ("客户当时很满意", "维持")
        with pytest.raises(Conflict):
            await service.appeal(tx, first.id, "再来", by=house.anna)
    async with house.uow.read() as tx:
        assert [one.id for one in (await service.list_reviews(tx, by=house.anna)).items] == [
            first.id
        ]
        assert (
            await service.list_reviews(tx, by=house.bert, servicer_id=house.anna.servicer_id)
        ).items == ()


async def test_who_may_review_what(house: House) -> None:
    mine = await house.ticket(servicer_id=house.chief.servicer_id)
    nobodys = await house.ticket()
    scores = {"attitude": 5, "solution": 10, "safety": 1}
    async with house.uow.write() as tx:
        card = await service.create_card(tx, "标准", ITEMS, by=house.chief)
        with pytest.raises(Forbidden):
            await service.review(tx, ("ticket", mine.id), card.id, scores, by=house.anna)
        with pytest.raises(Forbidden, match="own_work"):
            await service.review(tx, ("ticket", mine.id), card.id, scores, by=house.chief)
        with pytest.raises(Conflict, match="nobody_to_review"):
            await service.review(tx, ("ticket", nobodys.id), card.id, scores, by=house.chief)
        with pytest.raises(NotFound):
            await service.review(tx, ("session", "none"), card.id, scores, by=house.chief)
        with pytest.raises(Invalid, match="weights_not_100"):
            await service.create_card(tx, "坏", ITEMS[:2], by=house.chief)
        await service.retire_card(tx, card.id, by=house.chief)
        other = await house_ticket_of_anna(tx, house)
        with pytest.raises(Conflict, match="card_retired"):
            await service.review(tx, ("ticket", other), card.id, scores, by=house.chief)


async def house_ticket_of_anna(tx: Tx, house: House) -> str:
    draft = tickets.TicketDraft(
        "x", house.customer.customer_id, servicer_id=house.anna.servicer_id
    )
    return (await tickets.create(tx, draft, by=house.anna)).id
