"""Promises over a ticket's life, with timers. Monday 2 March 2026, 10:00; 9–12, 13:30–17:30."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from core.calendars import service as calendars
from core.calendars.service import DayDraft
from core.clock import LOCAL_ZONE, ManualClock
from core.db import Tx
from core.event_log import EventRow
from core.events import EVENT, Event
from core.local import LocalWakeUp
from core.sla import policies
from core.sla import queries as sla
from core.sla import service as sla_service
from core.sla.policies import PolicyDraft
from core.sla.service import TIMER_KIND
from core.sla.views import ClockState, Measure, SlaClockView, SlaConditions, SlaTargets
from core.tickets import deadlines, entries, follow_ups, queries, service
from core.tickets.states import Action
from core.timers.models import TimerRow
from core.timers.runner import TimerRunner
from core.views import TicketState
from tests.core.tickets.conftest import BOSS, HOUR, House


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=LOCAL_ZONE)


def go(clock: ManualClock, text: str) -> None:
    clock.advance(seconds=(at(text) - clock.now()).total_seconds())


async def run_timers(house: House) -> None:
    """What is due now, and what that makes due."""
    jobs, batches = deadlines.timer_jobs(house.uow), deadlines.timer_batches(house.uow)
    runner = TimerRunner(house.uow, jobs, LocalWakeUp(), batches)
    while await runner.run_due():
        pass


async def clocks(house: House, ticket_id: str) -> dict[Measure, SlaClockView]:
    async with house.uow.read() as tx:
        return {clock.measure: clock for clock in await sla.clocks(tx, ticket_id)}


async def events(house: House, *types: str) -> list[Event]:
    async with house.uow.read() as tx:
        rows = await tx.db.scalars(select(EventRow).order_by(EventRow.id))
        return [EVENT.validate_python(row.payload) for row in rows if row.type in types]


async def test_promises_are_made_in_working_time(house: House) -> None:
    made = await house.ticket()
    found = await clocks(house, made.id)
    assert found[Measure.FIRST_RESPONSE].due_at == at("2026-03-02 11:00")
    assert found[Measure.RESOLUTION].due_at == at("2026-03-03 11:00")  # 2 + 4 + 2
    assert made.due_at == at("2026-03-02 11:00")


async def test_a_breach_is_dated_by_its_deadline_however_late_it_is_noticed(
    house: House, clock: ManualClock
) -> None:
    made = await house.ticket()
    go(clock, "2026-03-02 11:07")
    await run_timers(house)
    (breach,) = await events(house, "sla.breached")
    assert breach.type == "sla.breached"
    assert breach.breached_at == at("2026-03-02 11:00")
    assert (await clocks(house, made.id))[Measure.FIRST_RESPONSE].state is ClockState.BREACHED
    async with house.uow.read() as tx:
        assert (await queries.get(tx, made.id, by=BOSS)).is_breached


async def test_an_answer_after_the_deadline_is_a_breach_though_no_timer_ran(
    house: House, clock: ManualClock
) -> None:
    late, good = await house.ticket(), await house.ticket()
    go(clock, "2026-03-02 11:00")
    async with house.uow.write() as tx:
        await entries.reply(tx, good.id, "在看了", by=house.anna)
    go(clock, "2026-03-02 11:01")
    async with house.uow.write() as tx:
        await entries.reply(tx, late.id, "在看了", by=house.anna)
    found = (await clocks(house, late.id))[Measure.FIRST_RESPONSE]
    assert (found.state, found.breached_at) == (ClockState.BREACHED, at("2026-03-02 11:00"))
    assert (await clocks(house, good.id))[Measure.FIRST_RESPONSE].state is ClockState.MET


async def test_a_machine_does_not_answer(house: House) -> None:
    made = await house.ticket()
    async with house.uow.write() as tx:
        await entries.reply(tx, made.id, "已收到", by=BOSS)
    assert (await clocks(house, made.id))[Measure.FIRST_RESPONSE].state is ClockState.RUNNING


async def test_warned_once_before_then_breached_then_escalated_step_by_step(
    house: House, clock: ManualClock
) -> None:
    made = await house.ticket(team_id=house.team_id, servicer_id=house.bert.servicer_id)
    story = []
    for moment in (
        "10:47",
        "10:48",
        "10:50",
        "11:00",
        "11:59",
        "12:00",
        "13:00",
        "14:30",
        "15:30",
    ):
        go(clock, f"2026-03-02 {moment}")
        before = len(await events(house, "sla.warned", "sla.breached", "ticket.escalated"))
        await run_timers(house)
        news = await events(house, "sla.warned", "sla.breached", "ticket.escalated")
        story += [
            (moment, event.to if event.type == "ticket.escalated" else event.type)
            for event in news[before:]
        ]
    assert story == [
        ("10:48", "sla.warned"),
        ("11:00", "sla.breached"),
        ("11:00", "servicer"),
        ("12:00", "leader"),
        ("14:30", "supervisor"),
    ]
    recipients = [
        event.recipients
        for event in await events(house, "ticket.escalated")
        if event.type == "ticket.escalated"
    ]
    assert recipients == [
        (house.bert.servicer_id,),
        (house.anna.servicer_id,),
        (house.chief.servicer_id,),
    ]
    async with house.uow.read() as tx:
        assert (await queries.get(tx, made.id, by=BOSS)).escalation_level == 2


async def test_time_does_not_count_while_we_wait_for_the_customer(
    house: House, clock: ManualClock
) -> None:
    made = await house.ticket()
    async with house.uow.write() as tx:
        await service.move(tx, made.id, Action.ACCEPT, by=house.anna)
        waiting = await service.move(tx, made.id, Action.AWAIT, by=house.anna, text="请发截图")
    assert waiting.due_at is None
    go(clock, "2026-03-03 15:00")
    await run_timers(house)
    assert await events(house, "sla.warned", "sla.breached") == []
    async with house.uow.write() as tx:
        await entries.reply(tx, made.id, "发了", by=house.customer)
    found = await clocks(house, made.id)
    assert found[Measure.RESOLUTION].due_at == at("2026-03-04 16:00")  # 2.5 + 3 + 2.5
    assert found[Measure.NEXT_RESPONSE].due_at == at("2026-03-03 17:00")
    assert found[Measure.FIRST_RESPONSE].state is ClockState.MET


async def test_each_question_of_the_customer_is_one_round(
    house: House, clock: ManualClock
) -> None:
    made = await house.ticket()
    async with house.uow.write() as tx:
        await entries.reply(tx, made.id, "在看", by=house.anna)
        for _ in range(2):
            await entries.reply(tx, made.id, "好了吗", by=house.customer)
        await entries.reply(tx, made.id, "快了", by=house.anna)
        await entries.reply(tx, made.id, "谢谢", by=house.customer)
    async with house.uow.read() as tx:
        rounds = [
            (c.round, c.state)
            for c in await sla.clocks(tx, made.id)
            if c.measure is Measure.NEXT_RESPONSE
        ]
    assert rounds == [(1, ClockState.MET), (2, ClockState.RUNNING)]


async def test_a_higher_priority_is_judged_from_the_beginning(
    house: House, clock: ManualClock
) -> None:
    async with house.uow.write() as tx:
        urgent = SlaConditions(priorities=("urgent",))
        draft = PolicyDraft(
            "紧急", SlaTargets(first_response_s=HOUR, resolution_s=HOUR), urgent, 1
        )
        await policies.create(tx, draft, by=BOSS)
    made = await house.ticket()
    go(clock, "2026-03-02 14:30")  # 3 working hours later
    async with house.uow.write() as tx:
        await entries.reply(tx, made.id, "在看", by=house.anna)
        row = await queries.get(tx, made.id, by=BOSS)
        changed = await service.change(
            tx, made.id, {"priority": "urgent"}, version=row.version, by=house.anna
        )
    assert changed.due_at == at("2026-03-02 11:00")
    await run_timers(house)
    measures = [
        event.measure
        for event in await events(house, "sla.breached")
        if event.type == "sla.breached"
    ]
    assert measures == ["resolution"]
    async with house.uow.write() as tx:
        row = await queries.get(tx, made.id, by=BOSS)
        eased = await service.change(
            tx, made.id, {"priority": "low"}, version=row.version, by=house.anna
        )
    assert (eased.due_at, eased.is_breached) == (
        at("2026-03-03 11:00"),
        True,
    )  # first response was late


async def test_a_day_off_entered_later_moves_the_deadline_before_anybody_is_blamed(
    house: House, clock: ManualClock
) -> None:
    async with house.uow.write() as tx:
        hours = (("09:00", "12:00"), ("13:30", "17:30"))
        draft = calendars.CalendarDraft("工作日", [hours] * 5 + [(), ()], is_default=True)
        await calendars.create(tx, draft, by=BOSS)
    made = await house.ticket()
    async with house.uow.write() as tx:
        await entries.reply(tx, made.id, "在看", by=house.anna)
        await calendars.set_days(tx, [DayDraft(date(2026, 3, 3), "closed", name="停电")], by=BOSS)
    go(clock, "2026-03-03 11:01")
    await run_timers(house)
    assert await events(house, "sla.breached") == []
    assert (await clocks(house, made.id))[Measure.RESOLUTION].due_at == at("2026-03-04 11:00")


async def test_resolving_ends_all_promises_and_reopening_continues_resolution(
    house: House, clock: ManualClock
) -> None:
    made = await house.ticket()
    clock.advance(minutes=30)
    async with house.uow.write() as tx:
        done = await service.move(tx, made.id, Action.RESOLVE, by=house.anna)
        assert done.due_at is None
    found = await clocks(house, made.id)
    assert {clock.state for clock in found.values()} == {ClockState.MET}
    go(clock, "2026-03-02 14:00")
    async with house.uow.write() as tx:
        await service.move(tx, made.id, Action.REOPEN, by=house.customer)
    found = await clocks(house, made.id)
    assert found[Measure.RESOLUTION].due_at == at("2026-03-03 14:30")  # 0.5 + 3.5 + 3 + 1
    assert found[Measure.NEXT_RESPONSE].state is ClockState.RUNNING


async def test_a_resolved_ticket_closes_itself_unless_it_is_reopened(
    house: House, clock: ManualClock
) -> None:
    left, again = await house.ticket(), await house.ticket()
    async with house.uow.write() as tx:
        for one in (left, again):
            await service.move(tx, one.id, Action.RESOLVE, by=house.anna)
        await service.move(tx, again.id, Action.REOPEN, by=house.customer)
    clock.advance(days=3)
    await run_timers(house)
    async with house.uow.read() as tx:
        assert (await queries.get(tx, left.id, by=BOSS)).state is TicketState.CLOSED
        assert (await queries.get(tx, again.id, by=BOSS)).state is TicketState.OPEN


async def test_a_follow_up_reminds_at_its_moment_unless_done(
    house: House, clock: ManualClock
) -> None:
    made = await house.ticket(servicer_id=house.anna.servicer_id)
    soon = clock.now() + timedelta(hours=2)
    async with house.uow.write() as tx:
        first = await follow_ups.add(tx, made.id, "电话回访", soon, by=house.anna)
        second = await follow_ups.add(tx, made.id, "再看一次", soon, by=house.anna)
        await follow_ups.finish(tx, second.id, by=house.anna, result="正常")
    clock.advance(hours=2)
    await run_timers(house)
    (due,) = [
        event for event in await events(house, "follow_up.due") if event.type == "follow_up.due"
    ]
    assert due.follow_up == first
    async with house.uow.read() as tx:
        owed = await follow_ups.of_servicer(tx, house.anna.servicer_id or "")
    assert [item.id for item in owed] == [first.id]


async def test_one_timer_per_ticket_and_none_when_nothing_is_promised(house: House) -> None:
    made = [await house.ticket() for _ in range(3)]

    async def count() -> int:
        async with house.uow.read() as tx:
            query = select(func.count()).where(TimerRow.kind == TIMER_KIND)
            return await tx.db.scalar(query) or 0

    assert await count() == 3
    async with house.uow.write() as tx:
        await service.move(tx, made[0].id, Action.SUSPEND, by=house.anna)
        await service.move(tx, made[1].id, Action.RESOLVE, by=house.anna)
    assert await count() == 1


async def test_a_changed_policy_reaches_open_tickets_in_steps(house: House) -> None:
    made = [await house.ticket() for _ in range(5)]
    async with house.uow.write() as tx:
        draft = PolicyDraft("标准", SlaTargets(first_response_s=HOUR // 2, resolution_s=HOUR))
        await policies.change(tx, house.policy_id, draft, version=1, by=BOSS)
        after = await deadlines.recompute(tx, after="", limit=2)
        assert after is not None
        last = await deadlines.recompute(tx, after=after, limit=3)
        assert last is not None
        assert await deadlines.recompute(tx, after=last, limit=3) is None
    async with house.uow.read() as tx:
        views = [await queries.get(tx, one.id, by=BOSS) for one in made]
    assert {view.due_at for view in views} == {at("2026-03-02 10:30")}


async def test_a_changed_calendar_reaches_open_tickets_by_itself(house: House) -> None:
    made = await house.ticket()
    async with house.uow.write() as tx:
        draft = calendars.CalendarDraft("全天", [[("00:00", "24:00")]] * 7, is_default=True)
        calendar = await calendars.create(tx, draft, by=BOSS)
        await calendars.change(tx, calendar.id, draft, version=1, by=BOSS)
    await run_timers(house)
    found = await clocks(house, made.id)
    assert found[Measure.RESOLUTION].due_at == at("2026-03-02 18:00")


async def test_breaches_are_dated_by_their_moment_however_late_they_are_noticed(
    house: House, clock: ManualClock
) -> None:
    made = [await house.ticket() for _ in range(3)]
    go(clock, "2026-03-02 17:00")
    await run_timers(house)
    late = at("2026-03-02 11:00")
    found = await events(house, "sla.breached")
    assert [one.breached_at for one in found if one.type == "sla.breached"] == [late] * 3
    async with house.uow.read() as tx:
        for ticket in made:
            lines = (await queries.entries(tx, ticket.id, by=BOSS)).items
            moments = {one.kind: one.at for one in lines if one.kind.startswith("sla")}
            assert moments == {"sla_breached": late}
            steps = [one.at for one in lines if one.kind == "escalated"]
            assert steps == [late, at("2026-03-02 12:00"), at("2026-03-02 14:30")]


async def test_a_broken_ticket_does_not_keep_the_others_from_their_deadlines(
    house: House, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = await house.ticket(), await house.ticket()
    clock.advance(hours=1)
    real = sla_service.tick

    async def tick(tx: Tx, ticket_ids: Collection[str]) -> object:
        if bad.id in ticket_ids:
            raise RuntimeError("broken")
        return await real(tx, ticket_ids)

    monkeypatch.setattr(sla_service, "tick", tick)
    await run_timers(house)
    async with house.uow.read() as tx:
        assert (await queries.get(tx, good.id, by=BOSS)).is_breached
        assert not (await queries.get(tx, bad.id, by=BOSS)).is_breached
