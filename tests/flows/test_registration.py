"""Quick registration in chat: signed links, the form, leaving and resuming it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.flows.company import CDC, Company, company
from tests.waiting import eventually


@pytest.fixture
async def demo(database_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database_url, tmp_path) as running:
        yield running


@pytest.fixture
def codes(caplog: pytest.LogCaptureFixture) -> Any:
    """Waits for the n-th code that left by SMS."""
    caplog.set_level(logging.INFO)

    async def code(index: int = 0) -> str:
        async def find() -> str:
            sent = [one for one in caplog.records if getattr(one, "action", "") == "sms.logged"]
            args = sent[index].args if len(sent) > index else None
            return str(args[0]) if isinstance(args, tuple) else ""

        return str(await eventually(find))

    return code


async def test_a_signed_link_places_a_newcomer_before_the_first_word(demo: Company) -> None:
    admin = await demo.desk("admin", online=False)
    places = (await admin.get("/institutions", q="云岭县疾控中心"))["items"]
    teams = (await admin.get("/teams"))["items"]
    body = {
        "name": "云岭培训",
        "institution_id": places[0]["id"],
        "team_id": teams[0]["id"],
        "product": "直报系统",
    }
    link = await admin.post("/registration-links", body)
    lin = await demo.sandbox.add_customer("林小雨", CDC)
    await lin.enters(link["scene"], link["scene_param"])
    greeting = await lin.hears("您好")
    assert "云岭县疾控中心" in greeting.text
    assert "登记单位信息" not in greeting.text
    await lin.says("我的工单")
    await lin.hears("您还没有工单")
    found = (await admin.get("/customers", q="林小雨"))["items"]
    assert found[0]["institution_name"] == "云岭县疾控中心"
    assert found[0]["tags"] == ["直报系统"]


async def test_a_link_that_is_over_says_so_and_binds_to_nothing(demo: Company) -> None:
    admin = await demo.desk("admin", online=False)
    place = (await admin.get("/institutions", q="云岭县疾控中心"))["items"][0]
    link = await admin.post(
        "/registration-links", {"name": "旧海报", "institution_id": place["id"]}
    )
    await admin.call("DELETE", f"/registration-links/{link['code']}")
    lin = await demo.sandbox.add_customer("林小雨", CDC)
    await lin.enters(link["scene"], link["scene_param"])
    greeting = (await lin.hears("您好")).text
    assert "登记链接已停用或已过期" in greeting
    assert "登记单位信息" in greeting


async def test_a_forged_link_places_nobody(demo: Company) -> None:
    lin = await demo.sandbox.add_customer("林小雨", CDC)
    await lin.enters("register", "r.aaaaaaaaaa.k1.abcdefghijkl")
    assert "登记单位信息" in (await lin.hears("您好")).text


async def test_a_stranger_registers_with_detours(demo: Company, codes: Any) -> None:
    lin = await demo.sandbox.add_customer("小雨点", CDC)
    await lin.enters("website")
    await lin.hears("登记单位信息")
    await lin.clicks("登记单位信息")
    assert "/h5/#/register/" in (await lin.hears("怎么称呼")).text
    await lin.says("123")
    await lin.hears("不能全是数字")
    await lin.says("林小雨")
    await lin.hears("单位名称")
    await lin.says("月球第一医院火星分院")
    await lin.hears("没有找到这个单位")
    await lin.says("退出")
    await lin.hears("随时发送“登记”")
    await lin.says("登记")
    await lin.hears("单位名称")
    await lin.says("云岭县")
    await lin.hears("请选择您的单位")
    await lin.clicks("云岭县疾控中心")
    await lin.hears("手机号")
    await lin.says("1381")
    await lin.hears("手机号不正确")
    await lin.says("13812345678")
    await lin.hears("138****5678")
    code = await codes()
    await lin.says("000000" if code != "000000" else "111111")
    await lin.hears("验证码不正确")
    await lin.says("重发")
    await lin.hears("太频繁")
    await lin.says(code)
    await lin.hears("登记完成，林小雨")
    admin = await demo.desk("admin", online=False)
    found = (await admin.get("/customers", q="林小雨"))["items"][0]
    assert found["institution_name"] == "云岭县疾控中心"
    assert (found["is_temporary"], found["phone_masked"]) == (False, "138****5678")
    await lin.says("登记")
    await lin.hears("已经登记过了")


async def test_asking_for_people_leaves_the_form(demo: Company) -> None:
    lin = await demo.sandbox.add_customer("小雨点", CDC)
    await lin.says("登记")
    await lin.hears("怎么称呼")
    await lin.says("人工")
    await lin.hears("没有客服在线")
    await lin.says("登记")
    desk = await demo.desk("lijun")
    session = await desk.gets_session("小雨点")
    await desk.reads(session, "登记")


async def test_chat_and_page_are_two_ends_of_one_form(demo: Company, codes: Any) -> None:
    lin = await demo.sandbox.add_customer("小雨点", CDC)
    await lin.says("登记")
    asked = (await lin.hears("怎么称呼")).text
    token = asked.split("/register/")[1].split("\n")[0]
    page = await demo.desk("admin", online=False)
    await lin.says("林小雨")
    await lin.hears("单位名称")
    assert (await page.post(f"/h5/registrations/{token}"))["step"] == "institution"
    answers = f"/h5/registrations/{token}/answers"
    assert (await page.post(answers, {"text": "云岭县疾控中心"}))["step"] == "phone"
    assert (await page.post(answers, {"text": "1381"}))["problem"] == "bad_phone"
    assert (await page.post(answers, {"text": "13812345678"}))["facts"]["phone"] == "138****5678"
    await lin.says(await codes())
    await lin.hears("登记完成，林小雨")
    assert (await page.post(f"/h5/registrations/{token}"))["step"] == "done"
