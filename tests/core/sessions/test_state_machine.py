"""The session as a state machine: random acts of customers, servicers, WeCom and the clock."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from typing_extensions import override

from bot.jobs.sweep import sweep_sessions
from core.clock import ManualClock
from core.content import Address, Text
from core.conversations.service import Heard, hear
from core.conversations.threads import ensure_thread
from core.db import UnitOfWork, make_engine
from core.errors import DomainError
from core.servicers.models import ServicerRow
from core.sessions import native, service
from core.sessions.drain import drain_queue
from core.sessions.models import SessionRow
from core.sessions.queries import open_session_of
from core.sessions.states import TRANSITIONS, Action
from core.sessions.talk import Posting, post
from core.views import Presence, SessionState
from tests.core.sessions.people import SYSTEM, a_servicer, acting_as, an_account, goes

CUSTOMERS = ("wm1", "wm2", "wm3", "wm4")
CAPACITY = 2
who = st.sampled_from(CUSTOMERS)
person = st.integers(0, 2)


class Sessions(RuleBasedStateMachine):
    template: Path

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "x.db"
        shutil.copyfile(self.template, path)
        self._loop = asyncio.new_event_loop()
        self.clock = ManualClock()
        self.uow = UnitOfWork(make_engine(f"sqlite:///{path}"), self.clock)
        self.lines = 0
        self.closed: dict[str, str] = {}
        self.over_limit: set[str] = set()
        self.do(an_account(self.uow, native=True))
        self.people = [self.do(a_servicer(self.uow, f"p{n}", capacity=CAPACITY)) for n in range(3)]

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(work)

    @override
    def teardown(self) -> None:
        self.do(self.uow.close())
        self._loop.close()
        self._folder.cleanup()

    # --- what people do ------------------------------------------------------------------------

    @rule(user=who, asks=st.booleans())
    def customer_writes(self, user: str, asks: bool) -> None:
        async def write() -> None:
            self.lines += 1
            async with self.uow.write() as tx:
                thread = await ensure_thread(tx, Address("wecom_kf", "wk1", user))
                row = await open_session_of(tx, thread.conversation.id)
                row = row or await service.open_session(tx, thread, topic="你好")
                line = Heard(f"m{self.lines}", Text(text="你好"), tx.now)
                await hear(tx, thread, row.id, line)
                service.note_heard(tx, row)
                if asks and row.state == SessionState.BOT:
                    await service.hand_off(tx, thread, row.id, reason="asked")

        self.do(write())

    @rule(user=who, one=person)
    def servicer_claims(self, user: str, one: int) -> None:
        self.attempt(user, lambda tx, i: service.claim(tx, i, by=acting_as(self.people[one])))

    @rule(user=who, one=person)
    def servicer_answers(self, user: str, one: int) -> None:
        posting = Posting([Text(text="好的")], hold_if_closed=True)
        self.attempt(user, lambda tx, i: post(tx, i, posting, by=acting_as(self.people[one])))

    @rule(user=who, one=person, other=person)
    def servicer_transfers(self, user: str, one: int, other: int) -> None:
        by, to = acting_as(self.people[one]), self.people[other]
        self.attempt(user, lambda tx, i: service.transfer(tx, i, by=by, to_servicer=to))

    @rule(user=who, one=person)
    def servicer_gives_back(self, user: str, one: int) -> None:
        by = acting_as(self.people[one])
        self.attempt(user, lambda tx, i: service.transfer(tx, i, by=by))

    @rule(user=who, one=person)
    def supervisor_takes_over(self, user: str, one: int) -> None:
        by = acting_as(self.people[one], supervisor=True)
        self.over_limit.add(self.people[one])
        self.attempt(user, lambda tx, i: service.take_over(tx, i, by=by))

    @rule(user=who)
    def somebody_closes(self, user: str) -> None:
        self.attempt(user, lambda tx, i: service.close(tx, i, reason="done", by=SYSTEM))

    @rule(user=who, one=person, change=st.sampled_from(("accepted", "transferred", "reopened")))
    def wecom_says_who_serves(self, user: str, one: int, change: native.Change) -> None:
        async def tell() -> None:
            async with self.uow.write() as tx:
                thread = await ensure_thread(tx, Address("wecom_kf", "wk1", user))
                row = await open_session_of(tx, thread.conversation.id)
                await native.taken(tx, thread, row, self.people[one], change)

        self.over_limit.add(self.people[one])
        self.do(tell())

    @rule(user=who)
    def wecom_says_it_ended(self, user: str) -> None:
        async def tell() -> None:
            async with self.uow.write() as tx:
                thread = await ensure_thread(tx, Address("wecom_kf", "wk1", user))
                row = await open_session_of(tx, thread.conversation.id)
                await native.ended(tx, thread, row, (None, None))

        self.do(tell())

    @rule(one=person, presence=st.sampled_from(list(Presence)))
    def servicer_comes_or_goes(self, one: int, presence: Presence) -> None:
        self.do(goes(self.uow, self.people[one], presence))

    @rule(minutes=st.sampled_from((1, 12, 200)))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)
        self.do(sweep_sessions(self.uow))

    @rule()
    def the_queue_moves(self) -> None:
        self.do(drain_queue(self.uow))

    def attempt(self, user: str, act: Any) -> None:
        """Act on the customer's open session; a refusal must change nothing."""

        async def go() -> None:
            async with self.uow.write() as tx:
                thread = await ensure_thread(tx, Address("wecom_kf", "wk1", user))
                row = await open_session_of(tx, thread.conversation.id)
                if row is not None:
                    await act(tx, row.id)

        before = self.picture()
        try:
            self.do(go())
        except DomainError:
            assert self.picture() == before

    # --- what must always hold -----------------------------------------------------------------

    def picture(self) -> tuple[Any, ...]:
        async def look() -> tuple[Any, ...]:
            async with self.uow.read() as tx:
                columns = (SessionRow.id, SessionRow.state, SessionRow.servicer_id)
                rows = (await tx.db.execute(select(*columns))).all()
                loads = await tx.db.execute(select(ServicerRow.id, ServicerRow.open_sessions))
                return sorted(map(tuple, rows)), dict(loads.all())

        return self.do(look())

    @invariant()
    def loads_are_what_people_serve(self) -> None:
        sessions, loads = self.picture()
        for servicer_id, load in loads.items():
            served = [one for one in sessions if one[1:] == (SessionState.SERVING, servicer_id)]
            assert load == len(served)
            if servicer_id not in self.over_limit:
                assert load <= CAPACITY

    @invariant()
    def states_and_owners_agree(self) -> None:
        sessions, _ = self.picture()
        for _, state, servicer_id in sessions:
            if state == SessionState.SERVING:
                assert servicer_id is not None
            if state in {SessionState.NEW, SessionState.BOT, SessionState.QUEUED}:
                assert servicer_id is None

    @invariant()
    def what_is_closed_stays_closed(self) -> None:
        sessions, _ = self.picture()
        now = {one[0]: one[2] for one in sessions if one[1] == SessionState.CLOSED}
        assert self.closed.items() <= now.items()
        self.closed = now

    @invariant()
    def one_open_session_for_each_conversation(self) -> None:
        async def most() -> int:
            async with self.uow.read() as tx:
                counts = await tx.db.scalars(
                    select(func.count())
                    .where(SessionRow.state != SessionState.CLOSED)
                    .group_by(SessionRow.conversation_id)
                )
                return max(counts, default=0)

        assert self.do(most()) <= 1


def test_sessions_survive_any_history(sqlite_url: str) -> None:
    template = Path(sqlite_url.removeprefix("sqlite:///"))
    machine = type("Machine", (Sessions,), {"template": template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("state", list(SessionState))
def test_nothing_leads_out_of_closed_and_every_open_state_can_be_closed(
    state: SessionState,
) -> None:
    ways = {action for (source, action) in TRANSITIONS if source is state}
    assert (ways == set()) == (state is SessionState.CLOSED)
    assert (Action.CLOSE in ways) == (state is not SessionState.CLOSED)
