from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from core.actor import Actor
from core.clock import ManualClock
from core.customers import profiles
from core.customers.models import CustomerRow
from core.customers.profiles import CustomerSecret
from core.db import UnitOfWork
from core.errors import Forbidden, NotFound
from core.institutions import service as institutions
from core.institutions.service import InstitutionDraft
from core.registration import entry, service
from core.registration.entry import LinkDraft
from core.registration.models import RegistrationRow
from core.registration.service import Prompt, RegistrationStep
from core.registration.sms import ConsoleSms, NoSms, SmsOrder, deliver
from core.sealing import KeyRing
from core.teams import queries as team_queries
from core.teams import service as teams
from core.teams.service import TeamDraft
from tests.core import seed

BOSS = Actor.system()
KEYS = KeyRing.from_secrets(["a secret of sixteen"])


class Phone:
    """A customer who answers, and the messages on their phone."""

    def __init__(self, uow: UnitOfWork, customer_id: str) -> None:
        self.uow, self.customer_id = uow, customer_id
        self.codes: list[str] = []

    async def begins(self) -> Prompt:
        async with self.uow.write() as tx:
            return await service.begin(tx, self.customer_id)

    async def says(self, text: str) -> Prompt:
        async with self.uow.write() as tx:
            prompt = await service.answer(tx, KEYS, self.customer_id, text)
        if prompt.order is not None:
            self.codes.append(prompt.order.code)
        return prompt


@pytest.fixture
async def phone(uow: UnitOfWork) -> Phone:
    async with uow.write() as tx:
        for name in ("苏州市疾病预防控制中心", "苏州市姑苏区疾病预防控制中心"):
            await institutions.create(tx, InstitutionDraft(name), by=BOSS)
        return Phone(uow, await seed.customer(tx, "访客1"))


async def test_the_whole_form_makes_a_registered_customer(phone: Phone) -> None:
    assert (await phone.begins()).step is RegistrationStep.NAME
    assert (await phone.says("李医生")).step is RegistrationStep.INSTITUTION
    choice = await phone.says("苏州疾控")
    assert choice.step is RegistrationStep.CHOICE
    assert choice.options[0].label == "苏州市疾病预防控制中心"
    assert (await phone.says("1")).step is RegistrationStep.PHONE
    asked = await phone.says("138 1234 5678")
    assert (asked.step, asked.facts) == (RegistrationStep.CODE, {"phone": "138****5678"})
    assert (await phone.says(f"验证码 {phone.codes[-1]}")).step is RegistrationStep.DONE
    async with phone.uow.read() as tx:
        row = await tx.db.get_one(CustomerRow, phone.customer_id)
        assert (row.name, row.is_temporary, row.phone_masked) == ("李医生", False, "138****5678")
        assert row.institution_id is not None
        assert await profiles.find(tx, KEYS, CustomerSecret.PHONE, "13812345678") == (
            phone.customer_id,
        )
        form = await tx.db.get_one(RegistrationRow, phone.customer_id)
        assert "13812345678" not in str(vars(form))


async def test_it_can_be_left_and_resumed_at_any_step(phone: Phone, clock: ManualClock) -> None:
    await phone.begins()
    for line, step in (
        ("李医生", RegistrationStep.INSTITUTION),
        ("苏州疾控", RegistrationStep.CHOICE),
        ("2", RegistrationStep.PHONE),
        ("13812345678", RegistrationStep.CODE),
    ):
        await phone.says(line)
        clock.advance(days=3)
        resumed = await phone.begins()
        assert resumed.step is step
    assert (await phone.says(phone.codes[-1])).problem == "code_expired"
    assert (await phone.says("重发")).step is RegistrationStep.CODE
    assert (await phone.says(phone.codes[-1])).step is RegistrationStep.DONE
    assert (await phone.says("还在吗")).step is RegistrationStep.DONE


async def test_bad_answers_keep_the_step_and_name_the_problem(phone: Phone) -> None:
    await phone.begins()
    assert await problem(phone, "123456") == (RegistrationStep.NAME, "bad_name")
    await phone.says("李医生")
    assert await problem(phone, "火星基地") == (
        RegistrationStep.INSTITUTION,
        "institution_unknown",
    )
    await phone.says("苏州疾控")
    assert (await phone.says("姑苏区疾控中心")).step is RegistrationStep.CHOICE  # searches again
    await phone.says("1")
    assert await problem(phone, "12") == (RegistrationStep.PHONE, "bad_phone")
    await phone.says("13812345678")
    wrong = "000000" if phone.codes[-1] != "000000" else "000001"
    assert await problem(phone, wrong) == (RegistrationStep.CODE, "wrong_code")


async def problem(phone: Phone, text: str) -> tuple[RegistrationStep, str]:
    prompt = await phone.says(text)
    return prompt.step, prompt.problem


async def test_five_wrong_codes_burn_it(phone: Phone) -> None:
    await phone.begins()
    for line in ("李医生", "苏州市疾病预防控制中心", "13812345678"):
        await phone.says(line)
    wrong = f"{(int(phone.codes[-1]) + 1) % 10**6:06d}"
    seen = [(await phone.says(wrong)).problem for _ in range(6)]
    assert seen == ["wrong_code"] * 5 + ["too_many_attempts"]
    assert (await phone.says(phone.codes[-1])).problem == "too_many_attempts"


async def test_codes_are_limited_per_number_and_per_asker(
    phone: Phone, clock: ManualClock
) -> None:
    await phone.begins()
    for line in ("李医生", "苏州市疾病预防控制中心", "13812345678"):
        await phone.says(line)
    blocked = await phone.says("重发")
    assert (blocked.problem, blocked.facts["retry_after_s"]) == ("sms_limit", "60")
    for _ in range(4):
        clock.advance(minutes=2)
        await phone.says("重发")
    assert len(phone.codes) == 5
    clock.advance(minutes=2)
    assert (await phone.says("重发")).problem == "sms_limit"
    async with phone.uow.write() as tx:
        await service.back(tx, phone.customer_id)
    assert (
        await phone.says("13900000000")
    ).step is RegistrationStep.CODE  # the sixth of this asker
    clock.advance(minutes=2)
    assert (await phone.says("重发")).problem == "sms_limit"
    clock.advance(hours=1)
    assert (await phone.says("重发")).order is not None


async def test_nobody_answers_a_form_that_was_not_begun(phone: Phone) -> None:
    with pytest.raises(NotFound):
        await phone.says("李医生")


async def test_the_console_maker_logs_the_code_but_not_the_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        await ConsoleSms().send_code("13812345678", "123456", 5)
    assert "123456" in caplog.text
    assert "13812345678" not in caplog.text
    assert [one.levelname for one in caplog.records] == ["INFO"]


async def test_a_code_that_could_not_leave_is_reported_and_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    order = SmsOrder("13812345678", "123456")
    with caplog.at_level(logging.DEBUG):
        assert await deliver(NoSms(), order) == "sms_not_sent"
        assert "123456" not in caplog.text
        assert await deliver(ConsoleSms(), order) == ""


async def test_a_link_places_a_newcomer_before_the_first_word(
    phone: Phone, clock: ManualClock
) -> None:
    async with phone.uow.write() as tx:
        place = await seed.institution(tx, "杭州市疾控中心")
        team = await teams.create(tx, TeamDraft("浙江组"), by=BOSS)
        draft = LinkDraft(
            "杭州海报", None, place, team.id, "直报", "3.2", clock.now() + timedelta(days=1)
        )
        link = await entry.create_link(tx, KEYS, draft, by=BOSS)
        assert len(link.scene_param) < 100
        found = await entry.enter(tx, KEYS, phone.customer_id, link.scene_param)
        assert found == entry.Entry(place, team.id, "直报", "3.2")
        again = await entry.enter(tx, KEYS, phone.customer_id, link.scene_param)
        assert again == found
    async with phone.uow.read() as tx:
        assert (await tx.db.get_one(CustomerRow, phone.customer_id)).institution_id == place
        (binding,) = await team_queries.bindings(tx, "customer", phone.customer_id)
        assert (binding.team_name, binding.reason) == ("浙江组", "扫码：杭州海报")
        assert (await entry.list_links(tx, KEYS))[0].uses == 2
    assert (await phone.begins()).step is RegistrationStep.NAME
    assert (await phone.says("王主任")).step is RegistrationStep.PHONE  # the institution is known
    clock.advance(days=2)
    async with phone.uow.write() as tx:
        assert await entry.enter(tx, KEYS, phone.customer_id, link.scene_param) == "over"


async def test_forged_and_retired_links_bind_to_nothing(phone: Phone) -> None:
    async with phone.uow.write() as tx:
        link = await entry.create_link(tx, KEYS, LinkDraft("x"), by=BOSS)
        head, code, key_id, signature = link.scene_param.split(".")
        for forged in (
            "",
            "r",
            "r.a.b.c",
            f"{head}.{code}x.{key_id}.{signature}",
            f"{head}.{code}.{key_id}.{'a' * 12}",
        ):
            assert await entry.enter(tx, KEYS, phone.customer_id, forged) is None
        await entry.retire_link(tx, link.code, by=BOSS)
        assert await entry.enter(tx, KEYS, phone.customer_id, link.scene_param) == "over"
        with pytest.raises(Forbidden):
            await entry.create_link(tx, KEYS, LinkDraft("x"), by=await seed.servicer(tx, "甲"))
