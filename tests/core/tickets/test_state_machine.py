"""Random actions by every role: the table holds, and nothing is half done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import func, select
from typing_extensions import override

from core import schema
from core.actor import Actor
from core.calendars.queries import OFFICE_HOURS
from core.clock import ManualClock
from core.db import UnitOfWork, make_engine
from core.errors import DomainError
from core.event_log import EventRow
from core.local import LocalWakeUp
from core.sla import policies
from core.sla import queries as sla_queries
from core.sla.policies import PolicyDraft
from core.sla.views import ClockState, Measure, SlaClockView, SlaTargets
from core.tickets import deadlines, entries, queries, service
from core.tickets.access import By, CustomerActor, party_of
from core.tickets.service import TicketDraft
from core.tickets.states import CLOCK_RUNS, FINAL, TRANSITIONS, UNRESOLVED, Action
from core.timers.runner import TimerRunner
from core.views import Role, TicketState, TicketView
from tests.core import seed
from tests.core.calendars.test_arithmetic import inside

BOSS = Actor.system()


class TicketLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock()
        self.engine = make_engine("sqlite://")
        self.uow = UnitOfWork(self.engine, self.clock)
        self.loop.run_until_complete(self._open())

    async def _open(self) -> None:
        async with self.engine.begin() as connection:
            await connection.run_sync(schema.metadata.create_all)
        async with self.uow.write() as tx:
            servicer = await seed.servicer(tx, "安娜")
            chief = await seed.servicer(tx, "主管", role=Role.SUPERVISOR)
            customer = await seed.customer(tx)
            targets = SlaTargets(
                first_response_s=3600, next_response_s=3600, resolution_s=7 * 3600
            )
            await policies.create(tx, PolicyDraft("标准", targets), by=BOSS)
            self.ticket = await service.create(tx, TicketDraft("故障", customer), by=BOSS)
        self.people: tuple[By, ...] = (servicer, chief, CustomerActor(customer, "李医生"), BOSS)

    @override
    def teardown(self) -> None:
        self.loop.run_until_complete(self.uow.close())
        self.loop.close()

    async def _timers(self) -> None:
        jobs, batches = deadlines.timer_jobs(self.uow), deadlines.timer_batches(self.uow)
        await TimerRunner(self.uow, jobs, LocalWakeUp(), batches).run_due()

    @rule(minutes=st.integers(0, 600))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)
        self.loop.run_until_complete(self._timers())
        self.ticket = self.loop.run_until_complete(self._now())

    @rule(
        action=st.sampled_from(Action), who=st.integers(0, 3), text=st.sampled_from(["", "说明"])
    )
    def somebody_acts(self, action: Action, who: int, text: str) -> None:
        self.loop.run_until_complete(self._act(action, self.people[who], text))

    @rule(who=st.integers(0, 3))
    def somebody_writes(self, who: int) -> None:
        self.loop.run_until_complete(self._write(self.people[who]))

    async def _act(self, action: Action, by: By, text: str) -> None:
        before, events = self.ticket, await self._events()
        row = TRANSITIONS.get((before.state, action))
        allowed = row is not None and party_of(by) in row[1]
        try:
            async with self.uow.write() as tx:
                self.ticket = await service.move(tx, before.id, action, by=by, text=text)
        except DomainError as error:
            is_late = error.code == "reopen_too_late"
            assert is_late or not allowed
            assert await self._now() == before
            assert await self._events() == events
        else:
            assert allowed
            assert row is not None
            assert self.ticket.state is row[0]
            assert self.ticket.version > before.version
            assert await self._events() > events

    async def _write(self, by: By) -> None:
        try:
            async with self.uow.write() as tx:
                await entries.reply(tx, self.ticket.id, "一行", by=by)
        except DomainError:
            assert self.ticket.state in FINAL
        self.ticket = await self._now()

    async def _now(self) -> TicketView:
        async with self.uow.read() as tx:
            return await queries.get(tx, self.ticket.id, by=BOSS)

    async def _events(self) -> int:
        async with self.uow.read() as tx:
            return await tx.db.scalar(select(func.count()).select_from(EventRow)) or 0

    @invariant()
    def everything_fits_together(self) -> None:
        self.loop.run_until_complete(self._check())

    async def _check(self) -> None:
        async with self.uow.read() as tx:
            stored = await queries.get(tx, self.ticket.id, by=BOSS)
            clocks = await sla_queries.clocks(tx, self.ticket.id)
        assert stored == self.ticket
        _moments_fit_the_state(stored)
        _clocks_fit_the_state(stored, clocks)


def _moments_fit_the_state(ticket: TicketView) -> None:
    assert (ticket.closed_at is not None) == (ticket.state in FINAL)
    assert ticket.state is not TicketState.RESOLVED or ticket.resolved_at is not None
    assert ticket.state not in UNRESOLVED or ticket.resolved_at is None
    assert ticket.first_resolved_at is not None or ticket.resolved_at is None
    if ticket.due_at is not None:
        assert ticket.state in CLOCK_RUNS
        assert inside(OFFICE_HOURS, ticket.due_at)


def _clocks_fit_the_state(ticket: TicketView, clocks: Sequence[SlaClockView]) -> None:
    (resolution,) = [clock for clock in clocks if clock.measure is Measure.RESOLUTION]
    is_over = ticket.resolved_at is not None or ticket.state is TicketState.CLOSED
    assert (resolution.ended_at is not None) == is_over
    for clock in clocks:
        if clock.state is ClockState.RUNNING:
            assert ticket.state in CLOCK_RUNS
        if clock.state is ClockState.MET:
            assert clock.used_s <= clock.target_s
        if clock.state is ClockState.BREACHED and clock.ended_at is not None:
            assert clock.breached_at is not None
            assert clock.breached_at < clock.ended_at
    answers = [clock for clock in clocks if clock.measure is not Measure.RESOLUTION]
    owed = [one for one in answers if one.ended_at is None and one.state is not ClockState.VOID]
    assert len(owed) <= 1


TestTicketLife = TicketLife.TestCase
TestTicketLife.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)
