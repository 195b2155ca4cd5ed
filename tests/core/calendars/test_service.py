from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from core.actor import Actor
from core.calendars import queries, service
from core.calendars.arithmetic import is_open
from core.calendars.holidays import COVERED_UNTIL
from core.calendars.service import CalendarDraft, DayDraft, ShiftDraft, parse_days
from core.clock import LOCAL_ZONE, ManualClock
from core.db import UnitOfWork
from core.errors import Conflict, Forbidden, Invalid
from core.views import Role
from tests.core import seed

BOSS = Actor.system()
HOURS = (("09:00", "12:00"), ("13:30", "17:30"))
OFFICE = CalendarDraft(name="工作日", week=[HOURS] * 5 + [(), ()], is_default=True)


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=LOCAL_ZONE)


async def test_office_hours_hold_until_a_default_calendar_is_made(uow: UnitOfWork) -> None:
    async with uow.read() as tx:
        assert await queries.working_calendar(tx, None) == queries.OFFICE_HOURS
    async with uow.write() as tx:
        made = await service.create(
            tx, CalendarDraft("早班", [[("07:00", "11:00")]] * 7, is_default=True), by=BOSS
        )
    async with uow.read() as tx:
        calendar = await queries.working_calendar(tx, None)
        assert await queries.working_calendar(tx, made.id) == calendar
    assert is_open(calendar, at("2026-03-03 07:30"))


async def test_entered_days_win_and_a_calendars_own_day_wins_over_all(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        made = await service.create(tx, OFFICE, by=BOSS)
        await service.set_days(
            tx, parse_days("日期,类型,名称\n2027-02-08,休,春节\n2027-02-14,班,春节"), by=BOSS
        )
        await service.set_days(
            tx,
            [DayDraft(date(2027, 2, 8), "custom", [("10:00", "11:00")], "值班")],
            by=BOSS,
            calendar_id=made.id,
        )
    async with uow.read() as tx:
        days = await queries.days_between(tx, made.id, date(2027, 2, 8), date(2027, 2, 14))
    assert (days[0].periods, days[0].name, days[0].source) == (
        (("10:00", "11:00"),),
        "值班",
        "entered",
    )
    assert (days[6].periods, days[6].source) == (HOURS, "entered")  # a Sunday that is worked
    assert days[1].source == "week"
    async with uow.write() as tx:
        await service.clear_day(tx, date(2027, 2, 8), by=BOSS, calendar_id=made.id)
        days = await queries.days_between(tx, made.id, date(2027, 2, 8), date(2027, 2, 8))
    assert (days[0].periods, days[0].name) == ((), "春节")


async def test_days_of_the_public_table_say_so(uow: UnitOfWork) -> None:
    async with uow.read() as tx:
        days = await queries.days_between(tx, None, date(2026, 2, 14), date(2026, 2, 15))
    assert [(day.source, day.name, day.periods) for day in days] == [
        ("table", "春节", HOURS),
        ("table", "春节", ()),
    ]


async def test_people_are_warned_before_the_public_table_ends(
    uow: UnitOfWork, clock: ManualClock
) -> None:
    async with uow.write() as tx:
        made = await service.create(tx, OFFICE, by=BOSS)
    assert (made.covered_until, made.needs_attention) == (COVERED_UNTIL, False)
    clock.advance(days=(COVERED_UNTIL - clock.now().date()).days - 30)
    async with uow.read() as tx:
        assert (await queries.get(tx, made.id)).needs_attention


async def test_a_second_editor_gets_a_conflict_and_a_servicer_is_refused(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        made = await service.create(tx, OFFICE, by=BOSS)
        await service.change(tx, made.id, OFFICE, version=made.version, by=BOSS)
        with pytest.raises(Conflict):
            await service.change(tx, made.id, OFFICE, version=made.version, by=BOSS)
        nobody = Actor("u", "s", "n", Role.SERVICER, frozenset())
        with pytest.raises(Forbidden):
            await service.change(tx, made.id, OFFICE, version=made.version + 1, by=nobody)


@pytest.mark.parametrize("text", ["2027-02-30,休", "2027-02-08,假", "2027-02-08"])
def test_bad_lines_are_named(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_days("日期,类型\n" + text)
    assert caught.value.facts["errors"][0][0] == "2"  # type: ignore[index]


async def test_leave_wins_shifts_bind_and_others_keep_the_calendar(uow: UnitOfWork) -> None:
    day = datetime(2026, 3, 3, tzinfo=LOCAL_ZONE)
    async with uow.write() as tx:
        people = [await seed.servicer(tx, name) for name in "abc"]
        a, b, c = names = [person.servicer_id or "" for person in people]
        evening = (day + timedelta(hours=18), day + timedelta(hours=22))
        await service.add_shift(tx, ShiftDraft(a, *evening), by=BOSS)
        leave = (day, day + timedelta(days=1))
        await service.add_shift(tx, ShiftDraft(b, *leave, kind="leave"), by=BOSS)
        await service.add_shift(tx, ShiftDraft(c, *evening, team_id="other"), by=BOSS)

    async def off(text: str) -> frozenset[str]:
        async with uow.read() as tx:
            return await queries.off_duty(
                tx, names, at(text), team_id="t", calendar=queries.OFFICE_HOURS
            )

    assert await off("2026-03-03 10:00") == {a, b}
    assert await off("2026-03-03 19:00") == {b, c}
    assert await off("2026-03-04 10:00") == frozenset()
    assert at("2026-03-03 10:00").astimezone(UTC).hour == 2
