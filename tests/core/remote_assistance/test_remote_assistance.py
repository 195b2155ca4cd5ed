from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.audit.models import AuditRow
from core.clock import ManualClock
from core.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from core.remote_assistance import service, vpn
from core.remote_assistance.models import VpnProfileRow
from core.remote_assistance.service import Request
from core.remote_assistance.states import RemoteState, RemoteTool
from core.remote_assistance.vpn import VpnChange, VpnSecret
from core.sealing import KeyRing, SealBroken
from core.tickets import queries
from core.tickets.access import CustomerActor
from tests.core import seed
from tests.core.tickets.conftest import BOSS, House

KEYS = KeyRing.from_secrets(["a secret of sixteen"])
REQUEST = Request(RemoteTool.SUNLOGIN, "查看上报失败的日志")


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
        with pytest.raises(Invalid, match="required"):
            await service.ask(tx, ticket.id, Request(RemoteTool.VPN, " "), by=house.anna)
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
        assert await vpn.reveal(tx, KEYS, made.id, by=house.chief) == secret
        looks = await tx.db.scalars(
            select(AuditRow).where(AuditRow.action == "vpn_profile.revealed")
        )
        assert [look.actor for look in looks] == [house.chief.key]
        with pytest.raises(Forbidden):
            await vpn.create(tx, KEYS, house.institution_id, secret, name="x", by=house.anna)


async def test_a_key_change_seals_vpn_profiles_anew(house: House) -> None:
    rotated = KeyRing.from_secrets(["another secret of 16", "a secret of sixteen"])
    only_new = KeyRing.from_secrets(["another secret of 16"])
    secret = VpnSecret("vpn.cdc.cn:4433", "remote", "p@ss-1234")
    async with house.uow.write() as tx:
        made = await vpn.create(tx, KEYS, house.institution_id, secret, name="主", by=BOSS)
        with pytest.raises(SealBroken):
            await vpn.reveal(tx, only_new, made.id, by=house.chief)
        assert await vpn.reseal(tx, rotated) is None
        assert await vpn.reveal(tx, only_new, made.id, by=house.chief) == secret


async def test_a_servicer_sees_the_secret_only_while_the_customer_allows_it(
    house: House, clock: ManualClock
) -> None:
    ticket = await house.ticket()
    secret = VpnSecret("vpn.cdc.cn:4433", "remote", "p@ss-1234")
    async with house.uow.write() as tx:
        made = await vpn.create(tx, KEYS, house.institution_id, secret, name="主", by=BOSS)
        request = Request(RemoteTool.VPN, "查看上报失败的日志", made.id)
        asked = await service.ask(tx, ticket.id, request, by=house.anna)
        with pytest.raises(Forbidden, match="consent_needed"):
            await vpn.reveal(tx, KEYS, made.id, by=house.anna)
        await service.answer(tx, asked.id, agrees=True, by=house.customer)
        assert await vpn.reveal(tx, KEYS, made.id, by=house.anna) == secret
        with pytest.raises(Forbidden, match="consent_needed"):
            await vpn.reveal(tx, KEYS, made.id, by=house.bert)
        await service.start(tx, asked.id, by=house.anna)
        ended = await service.end(tx, asked.id, "已修正端口", by=house.anna)
        assert ended.vpn_profile_name == "主"
        with pytest.raises(Forbidden, match="consent_needed"):
            await vpn.reveal(tx, KEYS, made.id, by=house.anna)


async def test_a_profile_is_changed_in_part_and_retired_for_good(house: House) -> None:
    secret = VpnSecret("vpn.cdc.cn:4433", "remote", "p@ss-1234")
    ticket = await house.ticket()
    async with house.uow.write() as tx:
        made = await vpn.create(tx, KEYS, house.institution_id, secret, name="主", by=BOSS)
        change = VpnChange(password="n3w")
        changed = await vpn.change(tx, KEYS, made.id, change, version=1, by=house.chief)
        assert await vpn.reveal(tx, KEYS, made.id, by=house.chief) == VpnSecret(
            "vpn.cdc.cn:4433", "remote", "n3w"
        )
        with pytest.raises(Conflict):
            await vpn.change(tx, KEYS, made.id, change, version=1, by=house.chief)
        with pytest.raises(Invalid):
            await vpn.change(
                tx, KEYS, made.id, VpnChange(address=" "), version=changed.version, by=house.chief
            )
        with pytest.raises(Forbidden):
            await vpn.retire(tx, made.id, by=house.anna)
        await vpn.retire(tx, made.id, by=house.chief)
        assert await vpn.of_institution(tx, house.institution_id) == ()
        assert (await tx.db.get_one(VpnProfileRow, made.id)).sealed == ""
        request = Request(RemoteTool.VPN, "看日志", made.id)
        for gone in (
            vpn.reveal(tx, KEYS, made.id, by=house.chief),
            service.ask(tx, ticket.id, request, by=house.anna),
        ):
            with pytest.raises(NotFound):
                await gone


async def test_another_institutions_network_cannot_be_asked_for(house: House) -> None:
    ticket = await house.ticket()
    async with house.uow.write() as tx:
        other = await seed.institution(tx, "常州市疾控中心")
        made = await vpn.create(tx, KEYS, other, VpnSecret("vpn.cz.cn"), name="主", by=BOSS)
        with pytest.raises(Invalid, match="other_institution"):
            await service.ask(
                tx, ticket.id, Request(RemoteTool.VPN, "看日志", made.id), by=house.anna
            )


async def test_consent_given_on_the_telephone_is_recorded_with_who_and_when(
    house: House, clock: ManualClock
) -> None:
    ticket = await house.ticket()
    async with house.uow.write() as tx:
        asked = await service.ask(tx, ticket.id, REQUEST, by=house.anna)
        for given_by, given_at in (
            (" ", None),
            ("李医生", clock.now() + timedelta(minutes=1)),
            ("李医生", clock.now() - timedelta(hours=25)),
        ):
            with pytest.raises(Invalid):
                await service.record_oral(tx, asked.id, given_by, given_at=given_at, by=house.anna)
        with pytest.raises(Forbidden):
            await service.record_oral(tx, asked.id, "李医生", by=house.bert)
        at = clock.now() - timedelta(minutes=5)
        agreed = await service.record_oral(tx, asked.id, " 李医生 ", given_at=at, by=house.anna)
        assert (agreed.state, agreed.answered_at) == (RemoteState.AGREED, at)
        assert agreed.answered_by == "李医生（口头，安娜 记录）"
        with pytest.raises(InvalidTransition):
            await service.record_oral(tx, asked.id, "李医生", by=house.anna)
        await service.start(tx, asked.id, by=house.anna)
    async with house.uow.read() as tx:
        (row,) = await tx.db.scalars(select(AuditRow).where(AuditRow.action.like("remote.%")))
        assert row.action == "remote.oral_consent"
        lines = (await queries.entries(tx, ticket.id, by=house.customer)).items
        assert "口头同意" in lines[2].text
