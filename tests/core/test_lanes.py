"""Ordered work per address: nothing is left lying, nothing overtakes, the dead are replaced."""

from __future__ import annotations

import asyncio

import pytest

from core import lanes, outbox
from core.clock import ManualClock
from core.content import Address, Text
from core.db import UnitOfWork
from core.lanes import LEASE
from core.local import LocalWakeUp
from core.ports import OutboundItem, OutboundMessage, Receipt
from core.sender import OutboxSender

ADDRESS = Address(channel="terminal", account="a", user="u")


class _Platform:
    """Takes what it is given; dies with the process after `lives` messages."""

    def __init__(self, lives: int = 1000) -> None:
        self.got: list[str] = []
        self._lives = lives

    async def send(self, item: OutboundItem) -> Receipt:
        assert isinstance(item, OutboundMessage)
        if len(self.got) >= self._lives:
            raise asyncio.CancelledError
        self.got.append(item.message_id)
        return Receipt(item.message_id)


async def _owe(uow: UnitOfWork, *ids: str) -> None:
    async with uow.write() as tx:
        for one in ids:
            message = OutboundMessage(ADDRESS, one, Text(text="您好"))
            await outbox.enqueue(tx, one, message)


async def test_a_lane_with_new_work_stays_in_hand_until_there_is_none(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        await lanes.bump(tx, "in", [ADDRESS.key])
        lane = (await lanes.claim(tx, "in", worker="one", limit=5))[0]
        await lanes.bump(tx, "in", [ADDRESS.key])
        kept = await lanes.release(tx, lane)
        assert kept is not None
        assert await lanes.claim(tx, "in", worker="two", limit=5) == []
        assert await lanes.release(tx, kept) is None
        assert await lanes.next_ready_at(tx, "in") is None


async def test_a_lane_taken_over_is_not_given_back_by_the_late_worker(
    uow: UnitOfWork, clock: ManualClock
) -> None:
    async with uow.write() as tx:
        await lanes.bump(tx, "in", [ADDRESS.key])
        late = (await lanes.claim(tx, "in", worker="late", limit=5))[0]
    clock.advance(seconds=LEASE.total_seconds() + 1)
    async with uow.write() as tx:
        taken = (await lanes.claim(tx, "in", worker="next", limit=5))[0]
        assert await lanes.release(tx, late) is None
        await lanes.put_off(tx, late, tx.now)
    async with uow.write() as tx:
        assert await lanes.claim(tx, "in", worker="third", limit=5) == []
        assert await lanes.release(tx, taken) is None


async def test_more_parcels_than_are_read_at_once_all_leave_in_order(uow: UnitOfWork) -> None:
    ids = [f"m{number:02}" for number in range(45)]
    await _owe(uow, *ids)
    platform = _Platform()
    await OutboxSender(uow, platform, LocalWakeUp(), worker="w").drain()
    assert platform.got == ids
    async with uow.read() as tx:
        assert await outbox.pending(tx, ADDRESS.key) == []


async def test_what_was_sent_but_not_recorded_is_sent_again_under_the_same_ids(
    uow: UnitOfWork, clock: ManualClock
) -> None:
    await _owe(uow, "first", "second", "third")
    dying = _Platform(lives=2)
    with pytest.raises(asyncio.CancelledError):
        await OutboxSender(uow, dying, LocalWakeUp(), worker="dying").drain()
    assert dying.got == ["first", "second"]
    heir = _Platform()
    sender = OutboxSender(uow, heir, LocalWakeUp(), worker="heir")
    assert await sender.drain() == 0
    clock.advance(seconds=LEASE.total_seconds() + 1)
    await sender.drain()
    assert heir.got == ["first", "second", "third"]
