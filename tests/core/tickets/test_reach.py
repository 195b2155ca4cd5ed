"""Whether a customer reads in chat what is written on their ticket."""

from __future__ import annotations

from core.accounts.limits import AccountLimits
from core.accounts.service import ensure_known
from core.clock import ManualClock
from core.content import Address, Text
from core.conversations import service as conversations
from core.conversations.service import Heard, Speech
from core.conversations.threads import ensure_thread
from core.sessions import service as sessions
from core.tickets.reach import Reach, reach_of
from core.views import Sender, ServiceMode, SessionState, TicketView
from tests.core.tickets.conftest import House

DOOR = Address("wecom_kf", "kf", "wm-li")
LIMITS = AccountLimits(window_messages=5, window_s=48 * 3600)


async def reach(house: House, ticket: TicketView) -> Reach:
    async with house.uow.read() as tx:
        return await reach_of(tx, ticket)


async def test_the_window_and_whoever_serves_say_what_the_customer_reads(
    house: House, clock: ManualClock
) -> None:
    ticket = await house.ticket()
    assert await reach(house, ticket) is Reach.NOWHERE
    async with house.uow.write() as tx:
        await ensure_known(tx, channel=DOOR.channel, account=DOOR.account, limits=LIMITS)
        thread = await ensure_thread(tx, DOOR)
        thread.conversation.customer_id = ticket.customer_id
        await conversations.hear(tx, thread, None, Heard("in1", Text(text="在吗"), tx.now))
    assert await reach(house, ticket) is Reach.NOW
    async with house.uow.write() as tx:
        said = [Text(text=str(number)) for number in range(4)]
        await conversations.say(tx, await ensure_thread(tx, DOOR), None, Speech(said, Sender.BOT))
    assert await reach(house, ticket) is Reach.HELD  # the last slot is for people
    async with house.uow.write() as tx:
        thread = await ensure_thread(tx, DOOR)
        await conversations.hear(tx, thread, None, Heard("in2", Text(text="喂"), tx.now))
    assert await reach(house, ticket) is Reach.NOW
    clock.advance(hours=49)
    assert await reach(house, ticket) is Reach.HELD
    async with house.uow.write() as tx:
        session = await sessions.open_session(tx, await ensure_thread(tx, DOOR))
        session.mode, session.state = ServiceMode.NATIVE, SessionState.SERVING
    assert await reach(house, ticket) is Reach.NATIVE
