"""Ratings: once, in time, and only by whom they were asked of."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core import outbox
from core.content import Menu
from core.conversations.deliveries import delivered
from core.conversations.threads import get_thread
from core.db import UnitOfWork
from core.errors import Conflict, NotFound
from core.ports import HandoverCommand, OutboundMessage, Receipt
from core.ratings.models import RatingRow
from core.ratings.service import explain, give, of_session
from core.sessions import native
from core.sessions import service as sessions
from tests.core.sessions.people import SYSTEM, a_servicer, a_waiting_session, an_account


async def an_asked_rating(uow: UnitOfWork) -> tuple[str, str]:
    """(rating, customer) of a session that was served and ended."""
    await an_account(uow)
    await a_servicer(uow, "one")
    session = await a_waiting_session(uow, "wm1")
    async with uow.write() as tx:
        await sessions.close(tx, session.id, reason="done", by=SYSTEM)
    async with uow.read() as tx:
        view = await of_session(tx, session.id)
    return view.id, session.customer_id


async def test_a_rating_is_given_once_and_explained_by_its_customer_only(uow: UnitOfWork) -> None:
    rating_id, customer_id = await an_asked_rating(uow)
    async with uow.write() as tx:
        with pytest.raises(NotFound):  # there is nothing to explain yet
            await explain(tx, rating_id, customer_id=customer_id, reason="回复太慢")
        assert (await give(tx, rating_id, 2))[1]
        assert not (await give(tx, rating_id, 5))[1]
        with pytest.raises(NotFound):
            await explain(tx, rating_id, customer_id="somebody else", comment="不是我说的")
        mine = customer_id
        assert await explain(tx, rating_id, customer_id=mine, reason="回复太慢")
        assert not await explain(tx, rating_id, customer_id=mine, reason="回复太慢")
        assert await explain(tx, rating_id, customer_id=mine, comment="等太久")
        assert not await explain(tx, rating_id, customer_id=mine, comment="再说一句")
    async with uow.read() as tx:
        row = await tx.db.scalar(select(RatingRow).where(RatingRow.id == rating_id))
    assert row is not None
    assert (row.score, row.reasons, row.comment) == (2, ["回复太慢"], "等太久")


async def test_a_rating_is_valid_for_two_days(uow: UnitOfWork) -> None:
    rating_id, _ = await an_asked_rating(uow)
    uow.clock.advance(hours=49)  # type: ignore[attr-defined]  # the fixture's clock
    async with uow.write() as tx:
        with pytest.raises(Conflict, match="rating_expired"):
            await give(tx, rating_id, 5)


@pytest.mark.parametrize(("left", "is_asked"), [(2, True), (0, False)])
async def test_a_native_session_that_ended_without_a_code_is_rated_by_an_ordinary_message(
    uow: UnitOfWork, left: int, is_asked: bool
) -> None:
    await an_account(uow, native=True)
    await a_servicer(uow, "one")
    session = await a_waiting_session(uow, "wm1")
    async with uow.write() as tx:
        thread = await get_thread(tx, session.conversation_id)
        thread.conversation.window_left = left
        await native.ended(tx, thread, await native.current(tx, thread), (None, None))
    async with uow.read() as tx:
        window = (await get_thread(tx, session.conversation_id)).window
        menus = [one for one in await outbox.pending(tx, thread.address.key) if is_menu(one)]
    assert [one.takes_slot for one in menus] == [True] * is_asked
    assert window.left == max(0, left - 1)


def is_menu(parcel: outbox.Parcel) -> bool:
    return isinstance(parcel.item, OutboundMessage) and isinstance(parcel.item.content, Menu)


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ({"farewell": "sent", "by": "code"}, 4),
        ({"farewell": "sent"}, 3),
        ({"farewell": "refused"}, 4),
    ],
)
async def test_a_farewell_whose_code_was_refused_counts_as_a_message(
    uow: UnitOfWork, facts: dict[str, str], left: int
) -> None:
    await an_account(uow, native=True)
    await a_servicer(uow, "one")
    session = await a_waiting_session(uow, "wm1")
    async with uow.write() as tx:
        await sessions.close(tx, session.id, reason="done", by=SYSTEM)
        thread = await get_thread(tx, session.conversation_id)
        ending = (await outbox.pending(tx, thread.address.key))[-1]
        assert isinstance(ending.item, HandoverCommand)
        assert ending.item.may_say_plainly
        await delivered(tx, ending, Receipt(facts=facts))
    async with uow.read() as tx:
        assert (await get_thread(tx, session.conversation_id)).window.left == left
