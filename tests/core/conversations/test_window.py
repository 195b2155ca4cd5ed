"""The reply window's ledger: five messages, forty-eight hours, and what the platform counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import outbox
from core.accounts.limits import AccountLimits
from core.accounts.service import register
from core.clock import ManualClock
from core.content import Address, Text
from core.conversations.deliveries import delivered
from core.conversations.service import Heard, Speech, hear, say
from core.conversations.threads import ensure_thread
from core.conversations.window import Window, opened
from core.db import UnitOfWork
from core.errors import WindowClosed
from core.ports import Receipt
from core.views import Delivery, Sender

KF = AccountLimits(window_messages=5, window_s=48 * 3600)
ADDRESS = Address("wecom_kf", "wk1", "wm1")
START = ManualClock().now()


async def an_account(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        await register(tx, channel="wecom_kf", account="wk1", name="支持", limits=KF)


async def customer_writes(uow: UnitOfWork, number: int, at: timedelta) -> Window:
    async with uow.write() as tx:
        thread = await ensure_thread(tx, ADDRESS)
        line = Heard(f"in{number}", Text(text=f"第 {number} 句"), START + at)
        await hear(tx, thread, None, line)
        return thread.window


async def we_say(uow: UnitOfWork, words: str, **more: Any) -> list[Delivery]:
    async with uow.write() as tx:
        thread = await ensure_thread(tx, ADDRESS)
        speech = Speech([Text(text=words)], Sender.BOT, **more)
        return [view.delivery for view in await say(tx, thread, None, speech)]


async def test_the_sixth_message_is_refused_until_the_customer_writes(uow: UnitOfWork) -> None:
    await an_account(uow)
    await customer_writes(uow, 1, timedelta(0))
    for _ in range(5):
        assert await we_say(uow, "好的") == [Delivery.PENDING]
    with pytest.raises(WindowClosed) as refusal:
        await we_say(uow, "再说一句")
    assert refusal.value.facts["left"] == 0
    assert await we_say(uow, "先留着", hold_if_closed=True) == [Delivery.HELD]
    uow.clock.advance(minutes=1)  # type: ignore[attr-defined]  # the fixture's clock is manual
    window = await customer_writes(uow, 2, timedelta(minutes=1))
    assert window.left == 4  # the held one went first


async def test_lines_written_while_we_were_down_open_one_window_not_several(
    uow: UnitOfWork,
) -> None:
    """The platform counts from the customer's last line, whenever we come to read it."""
    await an_account(uow)
    uow.clock.advance(minutes=10)  # type: ignore[attr-defined]  # we come back late
    left = []
    for number in range(1, 7):
        await customer_writes(uow, number, timedelta(seconds=number))
        left.append(await we_say(uow, f"答 {number}", hold_if_closed=True))
    assert left == [[Delivery.PENDING]] * 5 + [[Delivery.HELD]]


async def test_a_long_answer_takes_one_slot_for_each_part(uow: UnitOfWork) -> None:
    await an_account(uow)
    await customer_writes(uow, 1, timedelta(0))
    parts = await we_say(uow, "很长的说明。" * 500)
    assert len(parts) == 3
    async with uow.read() as tx:
        assert (await ensure_thread(tx, ADDRESS)).window.left == 2


@given(
    said=st.lists(st.integers(1, 3), max_size=8),
    reserve=st.integers(0, 2),
    hours=st.floats(0, 96),
)
def test_the_ledger_never_goes_below_zero_nor_beyond_its_time(
    said: list[int], reserve: int, hours: float
) -> None:
    window, now = opened(KF, START), START + timedelta(hours=hours)
    total = 0
    for count in said:
        if window.allows(count, now, reserve=reserve):
            window = window.take(count)
            total += count
    assert total + reserve <= 5 or total == 0
    assert (window.room(now) or 0) >= 0
    if hours >= 48:
        assert total == 0


async def test_what_the_channel_cuts_into_parts_takes_as_many_slots(uow: UnitOfWork) -> None:
    await an_account(uow)
    await customer_writes(uow, 1, timedelta(0))
    await we_say(uow, "一个很长的菜单")
    async with uow.write() as tx:
        parcel = (await outbox.pending(tx, ADDRESS.key))[0]
        await delivered(tx, parcel, Receipt(None, {"parts": "3"}))
    async with uow.read() as tx:
        assert (await ensure_thread(tx, ADDRESS)).window.left == 2
