"""Who may have a session: the database's answer against the rule, over random companies."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from core.assignment.queries import Asking, Wanted, candidates
from core.assignment.strategy import STRATEGIES
from core.calendars import service as calendars
from core.calendars.models import RosterRow
from core.calendars.service import CalendarDraft
from core.db import Tx, UnitOfWork
from core.servicers.models import AccountServicerRow, ServicerRow
from core.teams import service as teams
from core.teams.models import ServicerSkillRow, SkillRow, TeamMemberRow
from core.teams.service import TeamDraft
from core.users.models import UserRow
from core.views import Presence, ServiceMode
from tests.core.sessions.people import SYSTEM, a_servicer, an_account

PEOPLE = 40
COMPANIES = 6
THERE = {
    Asking.FREE: {Presence.ONLINE},
    Asking.BY_HAND: {Presence.ONLINE, Presence.BUSY, Presence.AWAY},
    Asking.PRESENT: {Presence.ONLINE},
}


@dataclass(frozen=True)
class Person:
    """As the rule sees them; times in seconds before now."""

    id: str
    presence: Presence
    capacity: int
    open_sessions: int
    idle_s: int
    is_disabled: bool
    is_on_leave: bool
    is_accepting: bool
    skill: int
    ring_s: int

    def may_take(self, asking: Asking, mode: ServiceMode) -> bool:
        return (
            self.presence in THERE[asking]
            and not self.is_disabled
            and not self.is_on_leave
            and (asking is Asking.PRESENT or self.open_sessions < self.capacity)
            and (mode is ServiceMode.CONSOLE or self.is_accepting)
        )

    def rank(self, strategy: str) -> tuple[float, ...]:
        """The smallest is asked first."""
        load = self.open_sessions / self.capacity if self.capacity else 2.0
        return {
            "least_busy": (load, -self.idle_s),
            "round_robin": (-self.ring_s,),
            "skill": (-self.skill, load, -self.idle_s),
        }[strategy]


def a_person(chance: random.Random, servicer_id: str, number: int, *, on_leave: float) -> Person:
    return Person(
        id=servicer_id,
        presence=chance.choice([*Presence, *[Presence.ONLINE] * 6]),
        capacity=chance.choice([0, 1, 3, 6, 7]),
        open_sessions=chance.randrange(4),
        idle_s=number,
        is_disabled=chance.random() < 0.15,
        is_on_leave=chance.random() < on_leave,
        is_accepting=chance.random() < 0.7,
        skill=chance.randrange(6),
        ring_s=chance.randrange(1000) * 100 + number,
    )


async def settle(tx: Tx, one: Person, account_id: str, team_id: str) -> None:
    """Write a person down as drawn."""
    mine = ServicerRow.id == one.id
    facts = {
        "presence": one.presence,
        "capacity": one.capacity,
        "open_sessions": one.open_sessions,
        "idle_since": tx.now - timedelta(seconds=one.idle_s),
        "wecom_userid": f"u{one.id}"[:64],
    }
    await tx.db.execute(update(ServicerRow).where(mine).values(facts))
    row = await tx.db.get_one(ServicerRow, one.id)
    user = update(UserRow).where(UserRow.id == row.user_id)
    await tx.db.execute(user.values(is_disabled=one.is_disabled))
    ring = update(TeamMemberRow).where(TeamMemberRow.servicer_id == one.id)
    since = tx.now - timedelta(seconds=one.ring_s)
    await tx.db.execute(ring.values(last_assigned_at=since))
    accepting = {"account_id": account_id, "servicer_id": one.id}
    await tx.db.execute(
        insert(AccountServicerRow).values(**accepting, is_accepting=one.is_accepting)
    )
    if one.skill:
        level = {"servicer_id": one.id, "skill_id": "vpn", "level": one.skill}
        await tx.db.execute(insert(ServicerSkillRow).values(level))
    if one.is_on_leave:
        hour = timedelta(hours=1)
        leave = RosterRow(
            id=f"r{one.id}"[:32], servicer_id=one.id, team_id=team_id, kind="leave",
            starts_at=tx.now - hour, ends_at=tx.now + hour,
        )  # fmt: skip
        tx.db.add(leave)
        await tx.db.flush()


@pytest.mark.parametrize("mode", list(ServiceMode))
async def test_nobody_ineligible_is_chosen_and_the_first_in_order_is(
    uow: UnitOfWork, mode: ServiceMode
) -> None:
    account_id = await an_account(uow, native=True)
    ids = [await a_servicer(uow, f"p{number}") for number in range(PEOPLE)]
    await a_servicer(uow, "outsider")  # online, free, and no member
    async with uow.write() as tx:
        always = [[("00:00", "24:00")]] * 7
        draft = CalendarDraft(name="全天", week=always, follows_holidays=False)
        calendar = await calendars.create(tx, draft, by=SYSTEM)
        team = await teams.create(
            tx, TeamDraft(name="组", member_ids=ids, calendar_id=calendar.id), by=SYSTEM
        )
        tx.db.add(SkillRow(id="vpn", name="VPN"))
    for seed in range(COMPANIES):
        chance = random.Random(seed)
        on_leave = chance.choice([0.2, 0.9])  # in the second case the first ten often are
        people = [a_person(chance, one, n, on_leave=on_leave) for n, one in enumerate(ids)]
        async with uow.rehearse() as tx:
            for one in people:
                await settle(tx, one, account_id, team.id)
            await compare(tx, people, Wanted(account_id, mode, team.id, "VPN 连不上"))


async def compare(tx: Tx, people: list[Person], wanted: Wanted) -> None:
    for asking in Asking:
        may = [one for one in people if one.may_take(asking, wanted.mode)]
        for strategy, choose in STRATEGIES.items():
            order = [one.id for one in sorted(may, key=lambda one: one.rank(strategy))]
            for without in ((), order[:1], order):
                asked = Wanted(
                    wanted.account_id, wanted.mode, wanted.team_id, wanted.topic, without, strategy
                )
                left = [one for one in order if one not in without]
                found = await candidates(tx, asked, asking=asking)
                ids = [one.servicer_id for one in found]
                assert bool(ids) is bool(left)
                if asking is Asking.PRESENT:  # in any order
                    assert set(ids) <= set(left)
                    continue
                assert ids == left[: len(ids)]
                chosen = choose(found)
                assert (chosen.servicer_id if chosen else None) == next(iter(left), None)
