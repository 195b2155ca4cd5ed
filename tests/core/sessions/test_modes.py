"""CONSOLE or NATIVE: the team decides before the account, running sessions keep theirs (M12.2)."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from core.accounts.models import AccountRow
from core.content import Address
from core.db import UnitOfWork
from core.errors import Conflict
from core.outbox import OutboxRow, load_item
from core.ports import HandoverCommand
from core.servicers.models import ServicerRow
from core.servicers.service import set_accepting
from core.sessions import service as sessions
from core.sessions.drain import drain_queue
from core.sessions.queries import session_view
from core.teams import queries as team_queries
from core.teams import service as teams
from core.teams.service import TeamDraft
from core.views import ServiceMode
from tests.core.sessions.people import (
    SYSTEM,
    a_servicer,
    a_waiting_session,
    acting_as,
    an_account,
)


async def a_team(
    uow: UnitOfWork, account_id: str, people: list[str], mode: ServiceMode | None
) -> str:
    """The team that serves the account."""
    async with uow.write() as tx:
        draft = TeamDraft(name="疾控组", member_ids=people, mode=mode)
        team = await teams.create(tx, draft, by=SYSTEM)
        account = await tx.db.get_one(AccountRow, account_id)
        account.team_id = team.id
    return team.id


async def in_wecom(uow: UnitOfWork, servicer_id: str, account_id: str) -> None:
    async with uow.write() as tx:
        mine = update(ServicerRow).where(ServicerRow.id == servicer_id)
        await tx.db.execute(mine.values(wecom_userid=f"u{servicer_id[-8:]}"))
        await set_accepting(tx, account_id, servicer_id, is_accepting=True)


async def switch(uow: UnitOfWork, team_id: str, mode: ServiceMode | None) -> None:
    async with uow.write() as tx:
        now = await team_queries.get(tx, team_id)
        draft = TeamDraft(name=now.name, member_ids=now.member_ids, mode=mode)
        await teams.change(tx, team_id, draft, version=now.version, by=SYSTEM)


async def handovers(uow: UnitOfWork, user: str) -> list[HandoverCommand]:
    async with uow.read() as tx:
        key = Address("wecom_kf", "wk1", user).key
        rows = await tx.db.scalars(select(OutboxRow).where(OutboxRow.address_key == key))
        items = [load_item(row.item) for row in rows]
    return [one for one in items if isinstance(one, HandoverCommand)]


async def test_a_team_that_serves_natively_overrides_its_account(uow: UnitOfWork) -> None:
    account_id = await an_account(uow, native=True)
    one = await a_servicer(uow, "one")
    await in_wecom(uow, one, account_id)
    team_id = await a_team(uow, account_id, [one], ServiceMode.NATIVE)
    served = await a_waiting_session(uow, "wm1")
    assert (served.mode, served.servicer_id) == (ServiceMode.NATIVE, one)
    assert [command.to for command in await handovers(uow, "wm1")] == ["servicer"]

    await switch(uow, team_id, None)
    as_the_account = await a_waiting_session(uow, "wm2")
    assert as_the_account.mode is ServiceMode.CONSOLE
    assert await handovers(uow, "wm2") == []
    async with uow.read() as tx:
        assert (await session_view(tx, served.id)).mode is ServiceMode.NATIVE


async def test_what_waits_takes_the_mode_that_holds_when_it_is_assigned(uow: UnitOfWork) -> None:
    account_id = await an_account(uow, native=True)
    one = await a_servicer(uow, "one")
    other = await a_servicer(uow, "other", online=False)
    team_id = await a_team(uow, account_id, [one, other], ServiceMode.CONSOLE)
    running = await a_waiting_session(uow, "wm1")
    async with uow.write() as tx:
        await tx.db.execute(update(ServicerRow).values(capacity=1, presence="online"))
        await tx.db.execute(
            update(ServicerRow).where(ServicerRow.id == other).values(open_sessions=1)
        )
    waiting = await a_waiting_session(uow, "wm2")
    assert (waiting.mode, waiting.servicer_id) == (ServiceMode.CONSOLE, None)
    await switch(uow, team_id, ServiceMode.NATIVE)
    await in_wecom(uow, other, account_id)
    async with uow.write() as tx:
        await tx.db.execute(
            update(ServicerRow).where(ServicerRow.id == other).values(open_sessions=0)
        )
        await sessions.requeue(tx, running.id, reason="transferred")
    await drain_queue(uow)
    async with uow.read() as tx:
        first, second = [await session_view(tx, one.id) for one in (running, waiting)]
    assert (first.mode, first.servicer_id) == (ServiceMode.CONSOLE, other)  # it kept its own
    assert second.servicer_id is None  # nobody else is let serve natively
    async with uow.write() as tx:
        await sessions.close(tx, running.id, reason="done", by=SYSTEM)
    await drain_queue(uow)
    async with uow.read() as tx:
        second = await session_view(tx, waiting.id)
    assert (second.mode, second.servicer_id) == (ServiceMode.NATIVE, other)


async def test_a_channel_without_native_reception_is_always_served_from_the_desk(
    uow: UnitOfWork,
) -> None:
    account_id = await an_account(uow, native=False)
    one = await a_servicer(uow, "one")
    await a_team(uow, account_id, [one], ServiceMode.NATIVE)
    served = await a_waiting_session(uow, "wm1")
    assert (served.mode, served.servicer_id) == (ServiceMode.CONSOLE, one)


async def test_only_whom_the_team_and_the_platform_allow_may_claim(uow: UnitOfWork) -> None:
    account_id = await an_account(uow, native=True)
    member = await a_servicer(uow, "member", online=False)
    outsider = await a_servicer(uow, "outsider", online=False)
    team_id = await a_team(uow, account_id, [member], ServiceMode.NATIVE)
    waiting = await a_waiting_session(uow, "wm1")
    assert waiting.team_id == team_id
    await in_wecom(uow, outsider, account_id)
    for person in (outsider, member):  # not of the team; not let serve by the platform
        with pytest.raises(Conflict, match="not_eligible"):
            async with uow.write() as tx:
                await sessions.claim(tx, waiting.id, by=acting_as(person))
    await in_wecom(uow, member, account_id)
    async with uow.write() as tx:
        taken = await sessions.claim(tx, waiting.id, by=acting_as(member))
    assert (taken.servicer_id, taken.mode) == (member, ServiceMode.NATIVE)
