from __future__ import annotations

import pytest

from core.actor import Actor
from core.db import UnitOfWork
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.teams import queries, service
from core.teams.effective import effective_bindings
from core.teams.service import Subject, TeamDraft
from tests.core import seed

BOSS = Actor.system()


async def test_a_team_has_members_a_leader_and_a_scope(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        a, b = await seed.servicer(tx, "甲"), await seed.servicer(tx, "乙")
        draft = TeamDraft(
            "传染病组",
            leader_id=a.servicer_id,
            member_ids=[b.servicer_id or ""],
            category_ids=["vpn"],
        )
        team = await service.create(tx, draft, by=BOSS)
        assert await queries.teams_for_category(tx, "vpn") == (team.id,)
        assert [(m.name, m.is_leader) for m in await queries.members(tx, team.id)] == [
            ("乙", False),
            ("甲", True),
        ]
        fewer = TeamDraft("传染病组", leader_id=a.servicer_id)
        team = await service.change(tx, team.id, fewer, version=1, by=BOSS)
        assert (team.member_ids, team.category_ids) == ((a.servicer_id,), ())
        with pytest.raises(Conflict):
            await service.change(tx, team.id, fewer, version=1, by=BOSS)
        with pytest.raises(Conflict, match="name_taken"):
            await service.create(tx, TeamDraft("传染病组"), by=BOSS)
        with pytest.raises(Forbidden):
            await service.create(tx, TeamDraft("另一组"), by=a)
        with pytest.raises(NotFound):
            await service.create(tx, TeamDraft("另一组", leader_id="nobody"), by=BOSS)


async def test_skills_have_levels_from_one_to_five(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        a = await seed.servicer(tx, "甲")
        vpn = await service.create_skill(tx, "VPN", by=BOSS)
        assert await service.create_skill(tx, " VPN ", by=BOSS) == vpn
        await service.set_skills(tx, a.servicer_id or "", {vpn.id: 4}, by=BOSS)
        levels = await queries.skill_levels(tx, [a.servicer_id or ""])
        assert [(skill.name, skill.level) for skill in levels[a.servicer_id or ""]] == [("VPN", 4)]
        with pytest.raises(Invalid):
            await service.set_skills(tx, a.servicer_id or "", {vpn.id: 6}, by=BOSS)


async def test_a_customer_inherits_the_binding_of_the_nearest_institution(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        city = await seed.institution(tx, "苏州市疾控中心")
        clinic = await seed.institution(tx, "姑苏区社区医院", parent_id=city)
        person = await seed.customer(tx, institution_id=clinic)
        a, b = [await service.create(tx, TeamDraft(name), by=BOSS) for name in ("A", "B")]
        assert await effective_bindings(tx, person) == ()
        await service.bind(tx, Subject("institution", city), a.id, by=BOSS)
        found = await effective_bindings(tx, person)
        assert [(item.team_name, item.inherited_from) for item in found] == [("A", city)]
        await service.bind(tx, Subject("customer", person), b.id, by=BOSS, reason="专属")
        await service.bind(tx, Subject("customer", person), a.id, by=BOSS, rank="secondary")
        found = await effective_bindings(tx, person)
        assert [(item.team_name, item.rank) for item in found] == [
            ("B", "primary"),
            ("A", "secondary"),
        ]


async def test_a_replaced_binding_becomes_history(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        person = Subject("customer", await seed.customer(tx))
        a, b = [await service.create(tx, TeamDraft(name), by=BOSS) for name in ("A", "B")]
        await service.bind(tx, person, a.id, by=BOSS)
        await service.bind(tx, person, b.id, by=BOSS)
        assert [item.team_name for item in await queries.bindings(tx, "customer", person.id)] == [
            "B"
        ]
        await service.unbind(tx, person, rank="primary", by=BOSS)
    async with uow.read() as tx:
        history = await queries.bindings(tx, "customer", person.id, with_history=True)
        assert {item.team_name for item in history} == {"A", "B"}
        assert all(item.ended_at for item in history)
        assert await effective_bindings(tx, person.id) == ()


async def test_an_inactive_team_binds_nobody(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        person = Subject("customer", await seed.customer(tx))
        team = await service.create(tx, TeamDraft("A"), by=BOSS)
        await service.bind(tx, person, team.id, by=BOSS)
        await service.change(tx, team.id, TeamDraft("A", is_active=False), version=1, by=BOSS)
        assert await effective_bindings(tx, person.id) == ()
