from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from core.clock import ManualClock
from core.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from core.event_log import EventRow
from core.events import EVENT, Event
from core.fields import FieldSpec
from core.teams import service as teams
from core.teams.service import Subject
from core.tickets import assignment, categories, entries, queries, relations, service
from core.tickets.access import By, CustomerActor
from core.tickets.assignment import Target
from core.tickets.categories import CategoryDraft
from core.tickets.queries import TicketFilter
from core.tickets.service import TicketDraft
from core.tickets.states import Action
from core.views import Priority, TicketState
from tests.core.tickets.conftest import BOSS, House


async def events(house: House) -> list[Event]:
    async with house.uow.read() as tx:
        rows = await tx.db.scalars(select(EventRow).order_by(EventRow.id))
        return [EVENT.validate_python(row.payload) for row in rows]


async def test_numbers_follow_the_local_day_without_gaps(house: House, clock: ManualClock) -> None:
    first = [(await house.ticket()).number for _ in range(3)]
    assert first == ["GD20260302-0001", "GD20260302-0002", "GD20260302-0003"]
    clock.advance(hours=14)  # 10:00 in Shanghai → midnight
    assert (await house.ticket()).number == "GD20260303-0001"
    with pytest.raises(NotFound):
        async with house.uow.write() as tx:
            await service.create(tx, TicketDraft("x", "nobody"), by=BOSS)
    assert (await house.ticket()).number == "GD20260303-0002"


async def test_twenty_at_once_get_twenty_numbers(house: House) -> None:
    made = await asyncio.gather(*(house.ticket() for _ in range(20)))
    assert sorted(ticket.number for ticket in made) == [
        f"GD20260302-{count:04d}" for count in range(1, 21)
    ]


async def test_a_number_is_found_as_people_say_it(house: House) -> None:
    made = await house.ticket()
    async with house.uow.read() as tx:
        for spoken in ("GD20260302-0001", "gd20260302-1", " 20260302 - 0001 "):
            assert (await queries.by_number(tx, spoken, by=BOSS)).id == made.id
        for unknown in ("GD20260302-0002", "VPN", ""):
            with pytest.raises(NotFound):
                await queries.by_number(tx, unknown, by=BOSS)


async def test_the_journey_from_opening_to_confirmation(house: House, clock: ManualClock) -> None:
    made = await house.ticket(team_id=house.team_id)
    assert (made.state, made.version) == (TicketState.NEW, 1)
    assert made.servicer_id in (house.anna.servicer_id, house.bert.servicer_id)
    steps: list[tuple[Action, By, TicketState]] = [
        (Action.ACCEPT, house.anna, TicketState.OPEN),
        (Action.AWAIT, house.anna, TicketState.WAITING),
        (Action.RESUME, house.customer, TicketState.OPEN),
        (Action.RESOLVE, house.anna, TicketState.RESOLVED),
        (Action.REOPEN, house.customer, TicketState.OPEN),
        (Action.RESOLVE, house.anna, TicketState.RESOLVED),
        (Action.CONFIRM, house.customer, TicketState.CLOSED),
    ]
    for action, by, state in steps:
        clock.advance(minutes=5)
        async with house.uow.write() as tx:
            made = await service.move(tx, made.id, action, by=by, text="好")
        assert made.state is state
    assert made.reopens == 1
    assert made.first_resolved_at is not None
    assert made.resolved_at is not None
    assert (made.resolved_at - made.first_resolved_at).total_seconds() == 600
    moved = [event for event in await events(house) if event.type == "ticket.moved"]
    assert [event.action for event in moved] == [str(action) for action, _, _ in steps]


async def test_a_move_that_the_table_lacks_changes_nothing(house: House) -> None:
    made = await house.ticket()
    before = await events(house)
    for action, by, error in (
        (Action.CONFIRM, house.anna, InvalidTransition),
        (Action.CLOSE, house.anna, Forbidden),
        (Action.ACCEPT, CustomerActor("somebody-else", "x"), NotFound),
    ):
        with pytest.raises(error):
            async with house.uow.write() as tx:
                await service.move(tx, made.id, action, by=by)
    assert await events(house) == before


async def test_two_editors_one_gets_a_conflict_with_both_versions(house: House) -> None:
    made = await house.ticket()
    async with house.uow.write() as tx:
        changed = await service.change(
            tx, made.id, {"title": "甲的标题"}, version=1, by=house.anna
        )
    with pytest.raises(Conflict) as caught:
        async with house.uow.write() as tx:
            await service.change(tx, made.id, {"title": "乙的标题"}, version=1, by=house.bert)
    facts = caught.value.facts
    assert facts["current"] == changed.model_dump(mode="json")
    assert facts["yours"] == {"title": "乙的标题"}
    async with house.uow.read() as tx:
        assert (await queries.get(tx, made.id, by=house.anna)).title == "甲的标题"


async def test_two_editors_at_the_very_same_moment(house: House) -> None:
    made = await house.ticket()

    async def edit(title: str) -> str:
        async with house.uow.write() as tx:
            view = await service.change(tx, made.id, {"title": title}, version=1, by=house.anna)
        return view.title

    results = await asyncio.gather(*(edit(f"标题{n}") for n in range(5)), return_exceptions=True)
    winners = [result for result in results if isinstance(result, str)]
    assert len(winners) == 1
    assert all(isinstance(result, Conflict) for result in results if result not in winners)
    async with house.uow.read() as tx:
        assert (await queries.get(tx, made.id, by=house.anna)).title == winners[0]


async def test_a_change_to_the_same_value_says_nothing(house: House) -> None:
    made = await house.ticket()
    before = await events(house)
    async with house.uow.write() as tx:
        same = await service.change(tx, made.id, {"title": made.title}, version=1, by=house.anna)
    assert same == made
    assert await events(house) == before


async def test_only_one_of_many_claims_wins(house: House) -> None:
    made = await house.ticket()
    assert made.servicer_id is None

    async def take(who: str) -> str | None:
        async with house.uow.write() as tx:
            actor = house.anna if who == "anna" else house.bert
            return (await assignment.claim(tx, made.id, by=actor)).servicer_id

    results = await asyncio.gather(take("anna"), take("bert"), return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in results) == 1


async def test_servicers_pass_on_their_own_and_supervisors_any(house: House) -> None:
    made = await house.ticket(servicer_id=house.anna.servicer_id)
    to_bert = Target(servicer_id=house.bert.servicer_id)
    with pytest.raises(Forbidden):
        async with house.uow.write() as tx:
            await assignment.assign(
                tx, made.id, Target(servicer_id=house.chief.servicer_id), by=house.bert
            )
    async with house.uow.write() as tx:
        passed = await assignment.assign(tx, made.id, to_bert, by=house.anna, note="他熟悉 VPN")
    assert (passed.servicer_id, passed.assigned_because) == (house.bert.servicer_id, "他熟悉 VPN")
    async with house.uow.write() as tx:
        back = await assignment.assign(
            tx, made.id, Target(servicer_id=house.anna.servicer_id), by=house.chief
        )
    assert back.servicer_id == house.anna.servicer_id
    hows = [event.how for event in await events(house) if event.type == "ticket.assigned"]
    assert hows == ["assigned", "transferred", "transferred"]


async def test_new_tickets_spread_over_the_team(house: House) -> None:
    for _ in range(4):
        await house.ticket(team_id=house.team_id)
    async with house.uow.read() as tx:
        load = await assignment.open_tickets(
            tx, [house.anna.servicer_id or "", house.bert.servicer_id or ""]
        )
    assert set(load.values()) == {2}


async def test_routing_prefers_the_category_then_the_binding_then_the_scope(house: House) -> None:
    async with house.uow.write() as tx:
        scope = await categories.create(tx, CategoryDraft("网络"), by=BOSS)
        child = await categories.create(tx, CategoryDraft("VPN", parent_id=scope.id), by=BOSS)
        names = ("类别组", "绑定组", "范围组")
        a, b, c = [await teams.create(tx, teams.TeamDraft(name), by=BOSS) for name in names]
        await teams.change(
            tx, c.id, teams.TeamDraft("范围组", category_ids=[scope.id]), version=1, by=BOSS
        )
    assert (await house.ticket(category_id=child.id)).team_name == "范围组"
    async with house.uow.write() as tx:
        await teams.bind(tx, Subject("institution", house.institution_id), b.id, by=BOSS)
    assert (await house.ticket(category_id=child.id)).team_name == "绑定组"
    async with house.uow.write() as tx:
        draft = CategoryDraft("VPN", parent_id=scope.id, team_id=a.id)
        await categories.change(tx, child.id, draft, version=1, by=BOSS)
    assert (await house.ticket(category_id=child.id)).team_name == "类别组"


async def test_skills_decide_before_load(house: House) -> None:
    async with house.uow.write() as tx:
        vpn = await teams.create_skill(tx, "VPN", by=BOSS)
        await teams.set_skills(tx, house.bert.servicer_id or "", {vpn.id: 4}, by=BOSS)
        draft = CategoryDraft("VPN", team_id=house.team_id, skills={vpn.id: 3})
        category = await categories.create(tx, draft, by=BOSS)
    for _ in range(3):
        assert (await house.ticket(category_id=category.id)).servicer_id == house.bert.servicer_id


async def test_custom_fields_are_checked_by_category(house: House) -> None:
    specs = [
        FieldSpec(
            key="system", title="系统", kind="choice", choices=("直报", "门诊"), is_required=True
        ),
        FieldSpec(key="count", title="台数", kind="number"),
        FieldSpec(key="since", title="日期", kind="date"),
    ]
    async with house.uow.write() as tx:
        draft = CategoryDraft("故障", fields=specs, default_priority=Priority.HIGH)
        category = await categories.create(tx, draft, by=BOSS)
    made = await house.ticket(category_id=category.id, fields={"system": "直报", "count": 3})
    assert (made.fields, made.priority) == ({"system": "直报", "count": 3}, Priority.HIGH)
    with pytest.raises(Invalid) as caught:
        await house.ticket(
            category_id=category.id, fields={"count": "三", "since": "明天", "x": 1}
        )
    assert caught.value.facts["errors"] == [
        ("fields.x", "unknown"),
        ("fields.system", "required"),
        ("fields.count", "not_number"),
        ("fields.since", "not_date"),
    ]


async def test_nudging_raises_the_priority_once_an_hour(house: House, clock: ManualClock) -> None:
    made = await house.ticket()
    seen = []
    for minutes in (0, 10, 49, 1, 60, 60):
        clock.advance(minutes=minutes)
        async with house.uow.write() as tx:
            view = await service.nudge(tx, made.id, by=house.customer)
        seen.append((view.nudges, view.priority))
    assert [priority for _, priority in seen] == [
        "high",
        "high",
        "high",
        "urgent",
        "urgent",
        "urgent",
    ]
    assert seen[-1][0] == 6
    effects = [event.has_effect for event in await events(house) if event.type == "ticket.nudged"]
    assert effects == [True, False, False, True, True, True]


async def test_an_internal_note_never_reaches_the_customer(house: House) -> None:
    made = await house.ticket()
    async with house.uow.write() as tx:
        await entries.note(tx, made.id, "客户语气不好", by=house.anna)
        await entries.reply(tx, made.id, "正在处理", by=house.anna)
        with pytest.raises(Forbidden):
            await entries.note(tx, made.id, "我也写一条", by=house.customer)
    async with house.uow.read() as tx:
        ours = [one.text for one in (await queries.entries(tx, made.id, by=house.anna)).items]
        theirs = (await queries.entries(tx, made.id, by=house.customer)).items
    assert "客户语气不好" in ours
    assert [one.kind for one in theirs] == ["created", "reply"]
    assert all(one.is_public for one in theirs)


async def test_a_customers_reply_wakes_a_waiting_ticket(house: House) -> None:
    made = await house.ticket()
    async with house.uow.write() as tx:
        await service.move(tx, made.id, Action.ACCEPT, by=house.anna)
        await service.move(tx, made.id, Action.AWAIT, by=house.anna, text="请发截图")
        await entries.reply(tx, made.id, "截图如下", by=house.customer)
        assert (await queries.get(tx, made.id, by=house.anna)).state is TicketState.OPEN


async def test_merging_keeps_both_histories_and_cancels_the_duplicate(house: House) -> None:
    one, two = await house.ticket(), await house.ticket(description="第二次报修")
    async with house.uow.write() as tx:
        kept = await relations.merge(tx, two.id, one.id, by=house.anna)
        gone = await queries.get(tx, two.id, by=house.anna)
        assert (gone.state, gone.merged_into_id) == (TicketState.CANCELLED, one.id)
        assert kept.id == one.id
        found = await relations.links(tx, one.id)
        assert [(item.kind, item.is_outgoing, item.ticket.id) for item in found] == [
            ("duplicate", False, two.id)
        ]
        with pytest.raises(Conflict):
            await relations.merge(tx, one.id, two.id, by=house.anna)


async def test_splitting_opens_a_linked_ticket_of_the_same_customer(house: House) -> None:
    made = await house.ticket()
    async with house.uow.write() as tx:
        draft = TicketDraft("打印机也坏了", house.customer.customer_id)
        other = await relations.split(tx, made.id, draft, by=house.anna)
        found = await relations.links(tx, made.id)
        assert [(item.kind, item.ticket.id) for item in found] == [("parent", other.id)]
        with pytest.raises(Invalid):
            await relations.split(tx, made.id, TicketDraft("x", "other"), by=house.anna)


async def test_pages_walk_every_ticket_once(house: House) -> None:
    made = [
        (await house.ticket(priority=Priority.HIGH if n % 3 else Priority.LOW)).id
        for n in range(11)
    ]
    async with house.uow.write() as tx:
        for ticket_id in made[:4]:
            await service.move(tx, ticket_id, Action.ACCEPT, by=house.anna)
    wanted = TicketFilter(states=(TicketState.NEW, TicketState.OPEN))
    seen: list[str] = []
    cursor = None
    async with house.uow.read() as tx:
        while True:
            page = await queries.list_tickets(tx, wanted, cursor=cursor, limit=4)
            seen += [ticket.id for ticket in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == sorted(made, reverse=True)
        mine = await queries.list_tickets(tx, TicketFilter(servicer_id=house.anna.servicer_id))
        assert {ticket.id for ticket in mine.items} == set(made[:4])
        low = TicketFilter(priorities=(Priority.LOW,))
        assert len((await queries.list_tickets(tx, low)).items) == 4
        due = await queries.list_tickets(tx, TicketFilter(), order="due", limit=5)
        rest = await queries.list_tickets(tx, TicketFilter(), order="due", cursor=due.next_cursor)
        assert len({ticket.id for ticket in (*due.items, *rest.items)}) == 11
        assert await queries.counts_by_state(tx, TicketFilter()) == {
            TicketState.NEW: 7,
            TicketState.OPEN: 4,
        }
        assert len((await queries.list_tickets(tx, TicketFilter(q="vpn 连"))).items) == 11
        assert (await queries.list_tickets(tx, TicketFilter(q="100%"))).items == ()
