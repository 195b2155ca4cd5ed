from __future__ import annotations

import pytest
from sqlalchemy import select

from core.audit.models import AuditRow
from core.clock import ManualClock
from core.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from core.remote_assistance import service, vpn
from core.remote_assistance.models import VpnProfileRow
from core.remote_assistance.service import RemoteState, Request
from core.remote_assistance.vpn import VpnSecret
from core.sealing import KeyRing, SealBroken
from core.tickets import queries
from core.tickets.access import CustomerActor
from tests.core.tickets.conftest import BOSS, House

KEYS = KeyRing.from_secrets(["a secret of sixteen"])
REQUEST = Request("sunlogin", "查看上报失败的日志")


async def test_asked_agreed_started_ended_leaves_a_whole_record(
    house: House, clock: ManualClock
) -> None:
    ticket = await house.ticket()
    async with house.uow.write() as tx:
        asked = await service.ask(tx, ticket.id, REQUEST, by=house.anna)
        assert "向日葵" in asked.consent_text
        assert "查看上报失败的日志" in asked.consent_text
    clock.advance(minutes=1)
    async with house.uow.write() as tx:
        agreed = await service.answer(tx, asked.id, agrees=True, by=house.customer)
        assert (agreed.state, agreed.answered_by) == (RemoteState.AGREED, "李医生")
        await service.start(tx, asked.id, by=house.anna)
    clock.advance(minutes=25)
    async with house.uow.write() as tx:
        ended = await service.end(tx, asked.id, "已修正端口", by=house.anna)
        assert (ended.state, ended.duration_s, ended.result) == (
            RemoteState.ENDED,
            1500,
            "已修正端口",
        )
    async with house.uow.read() as tx:
        kinds = [
            entry.kind for entry in (await queries.entries(tx, ticket.id, by=house.customer)).items
        ]
    assert kinds == ["created", "remote_asked", "remote_agreed", "remote_started", "remote_ended"]


async def test_nothing_starts_without_fresh_consent(house: House, clock: ManualClock) -> None:
    ticket = await house.ticket()
    async with house.uow.write() as tx:
        asked = await service.ask(tx, ticket.id, REQUEST, by=house.anna)
        with pytest.raises(InvalidTransition):
            await service.start(tx, asked.id, by=house.anna)
        with pytest.raises(Conflict, match="remote_assistance_open"):
            await service.ask(tx, ticket.id, REQUEST, by=house.anna)
        with pytest.raises(NotFound):
            await service.answer(tx, asked.id, agrees=True, by=CustomerActor("other", "x"))
        refused = await service.answer(tx, asked.id, agrees=False, by=house.customer)
        again = await service.answer(tx, asked.id, agrees=True, by=house.customer)
        assert refused.state is again.state is RemoteState.REFUSED
        second = await service.ask(tx, ticket.id, REQUEST, by=house.anna)
        await service.answer(tx, second.id, agrees=True, by=house.customer)
        with pytest.raises(Forbidden):
            await service.start(tx, second.id, by=house.bert)
    clock.advance(hours=25)
    async with house.uow.write() as tx:
        with pytest.raises(InvalidTransition):
            await service.start(tx, second.id, by=house.anna)


async def test_an_unanswered_request_expires_and_another_may_be_made(
    house: House, clock: ManualClock
) -> None:
    ticket = await house.ticket()
    async with house.uow.write() as tx:
        asked = await service.ask(tx, ticket.id, REQUEST, by=house.anna)
    clock.advance(hours=25)
    async with house.uow.write() as tx:
        with pytest.raises(Conflict, match="consent_expired"):
            await service.answer(tx, asked.id, agrees=True, by=house.customer)
        await service.ask(tx, ticket.id, REQUEST, by=house.anna)
        states = [one.state for one in await service.of_ticket(tx, ticket.id)]
    assert sorted(states) == [RemoteState.ASKED, RemoteState.EXPIRED]


async def test_a_record_needs_a_tool_a_purpose_and_a_result(house: House) -> None:
    ticket = await house.ticket()
    async with house.uow.write() as tx:
        for request in (Request("magic", "x"), Request("vpn", " ")):
            with pytest.raises(Invalid):
                await service.ask(tx, ticket.id, request, by=house.anna)
        asked = await service.ask(tx, ticket.id, REQUEST, by=house.anna)
        await service.answer(tx, asked.id, agrees=True, by=house.customer)
        await service.start(tx, asked.id, by=house.anna)
        with pytest.raises(Invalid):
            await service.end(tx, asked.id, " ", by=house.anna)


async def test_vpn_secrets_rest_sealed_and_every_look_is_audited(house: House) -> None:
    secret = VpnSecret("vpn.cdc.cn:4433", "remote", "p@ss-1234")
    async with house.uow.write() as tx:
        made = await vpn.create(tx, KEYS, house.institution_id, secret, name="主 VPN", by=BOSS)
        assert await vpn.of_institution(tx, house.institution_id) == (made,)
        row = await tx.db.get_one(VpnProfileRow, made.id)
        assert "p@ss-1234" not in str(vars(row))
        assert await vpn.reveal(tx, KEYS, made.id, by=house.anna) == secret
        looks = await tx.db.scalars(
            select(AuditRow).where(AuditRow.action == "vpn_profile.revealed")
        )
        assert [look.actor for look in looks] == [house.anna.key]
        with pytest.raises(Forbidden):
            await vpn.create(tx, KEYS, house.institution_id, secret, name="x", by=house.anna)


async def test_a_key_change_seals_vpn_profiles_anew(house: House) -> None:
    rotated = KeyRing.from_secrets(["another secret of 16", "a secret of sixteen"])
    only_new = KeyRing.from_secrets(["another secret of 16"])
    secret = VpnSecret("vpn.cdc.cn:4433", "remote", "p@ss-1234")
    async with house.uow.write() as tx:
        made = await vpn.create(tx, KEYS, house.institution_id, secret, name="主", by=BOSS)
        with pytest.raises(SealBroken):
            await vpn.reveal(tx, only_new, made.id, by=house.anna)
        assert await vpn.reseal(tx, rotated) is None
        assert await vpn.reveal(tx, only_new, made.id, by=house.anna) == secret
