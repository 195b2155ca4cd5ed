"""Two transactions that want the same rows wait for each other; neither is killed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import update

from core.accounts.limits import AccountLimits
from core.accounts.service import register
from core.clock import ManualClock
from core.content import Address, Text
from core.conversations.models import ConversationRow
from core.conversations.service import Heard, hear
from core.conversations.threads import Thread, ensure_thread
from core.db import Tx
from core.errors import Conflict
from core.ids import new_id
from core.remote_assistance import service as remote
from core.remote_assistance.service import Request
from core.remote_assistance.states import RemoteTool
from core.tickets import deadlines, entries, queries, service
from core.tickets.access import locked
from core.tickets.states import Action
from core.timers import service as timers
from core.timers.service import Timer
from core.views import TicketState
from tests.core.tickets.conftest import BOSS, House
from tests.rival import Rival

pytestmark = pytest.mark.postgres


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """SQLite has one writer: there is no order of locks to get wrong."""
    return postgres_url


async def thread_of(tx: Tx, house: House) -> Thread:
    limits = AccountLimits(window_messages=5, window_s=48 * 3600)
    await register(tx, channel="sandbox", account="kf-one", name="疾控", limits=limits)
    thread = await ensure_thread(tx, Address("sandbox", "kf-one", "wm-one"))
    await tx.db.execute(
        update(ConversationRow)
        .where(ConversationRow.id == thread.conversation.id)
        .values(customer_id=house.customer.customer_id, last_customer_at=tx.now)
    )
    return thread


async def due_timers(house: House) -> Sequence[Timer]:
    async with house.uow.write() as tx:
        return await timers.claim_due(tx, limit=10)


async def test_consent_is_asked_while_the_customer_hurries_the_ticket(house: House) -> None:
    ticket = await house.ticket()
    async with house.uow.write() as tx:
        await thread_of(tx, house)

    async def ask() -> None:
        async with house.uow.write() as tx:
            request = Request(RemoteTool.TODESK, "查看日志")
            await remote.ask(tx, ticket.id, request, by=house.anna)

    asking = Rival(house.uow, ask)
    async with house.uow.write() as tx:
        thread = await thread_of(tx, house)
        await hear(tx, thread, None, Heard(new_id(), Text(text="催单"), tx.now))
        await tx.db.flush()
        await asking.begins()
        await service.nudge(tx, ticket.id, by=house.customer)
    await asking.ends()
    async with house.uow.read() as tx:
        kinds = [one.kind for one in (await queries.entries(tx, ticket.id, by=BOSS)).items]
    assert kinds[-2:] == ["nudged", "remote_asked"]


async def test_a_deadline_passes_while_a_servicer_answers(
    house: House, clock: ManualClock
) -> None:
    ticket = await house.ticket()
    clock.advance(hours=1)
    due = await due_timers(house)
    run = deadlines.timer_batches(house.uow)["ticket.sla"]
    late = Rival(house.uow, lambda: run(due))
    async with house.uow.write() as tx:
        await locked(tx, ticket.id, by=house.anna)
        await late.begins()
        await entries.reply(tx, ticket.id, "在看", by=house.anna)
    await late.ends()
    async with house.uow.read() as tx:
        assert (await queries.get(tx, ticket.id, by=BOSS)).first_response_at == clock.now()


async def test_a_ticket_closes_itself_while_the_customer_reopens_it(
    house: House, clock: ManualClock
) -> None:
    ticket = await house.ticket()
    async with house.uow.write() as tx:
        await service.move(tx, ticket.id, Action.RESOLVE, by=house.anna, text="好了")
    clock.advance(days=4)
    (timer,) = [one for one in await due_timers(house) if one.kind == service.CLOSE_TIMER]
    job = deadlines.timer_jobs(house.uow)[timer.kind]
    closing = Rival(house.uow, lambda: job(timer))
    async with house.uow.write() as tx:
        await locked(tx, ticket.id, by=house.customer)
        await closing.begins()
        await service.move(tx, ticket.id, Action.REOPEN, by=house.customer)
    with pytest.raises(Conflict, match="timer_moved"):
        await closing.ends()
    async with house.uow.read() as tx:
        assert (await queries.get(tx, ticket.id, by=BOSS)).state is TicketState.OPEN
