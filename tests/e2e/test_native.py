"""NATIVE reception in a browser: answered in WeCom, mirrored to a console that may not write."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import APIRequestContext, expect

from bot import demo
from tests.e2e.conftest import Windows
from tests.e2e.test_journey import enters, says, sees

pytestmark = pytest.mark.browser


async def everything_is_native(request: APIRequestContext) -> None:
    """Switch every account, as an administrator does."""
    login = {"username": "admin", "password": demo.PASSWORD}
    token = (await (await request.post("/api/v1/auth/login", data=login)).json())["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    accounts = await (await request.get("/api/v1/accounts", headers=headers)).json()
    for account in accounts["items"]:
        body = {"mode": "native", "version": account["version"]}
        path = f"/api/v1/accounts/{account['id']}"
        answer = await request.patch(path, data=body, headers=headers)
        assert answer.ok, await answer.text()


async def test_a_native_session_is_answered_in_wecom_and_mirrored(
    windows: Windows, tmp_path: Path
) -> None:
    desk = await windows.desk("chenjing")
    await everything_is_native(desk.context.request)
    phone = await enters(windows)
    await says(phone.page, "转人工")
    await sees(phone.page, "phone-chat", "陈静")

    await desk.page.locator("[data-test=session-list]").get_by_text("王建国").first.click()
    await sees(desk.page, "writing-block", "企业微信")  # it may not write, and says why
    await expect(desk.page.locator("[data-test=composer]")).to_have_count(0)

    wecom = await windows.open("/phone/")
    await wecom.page.locator("[data-test=add-servicer]").select_option("chenjing")
    client = wecom.page.locator(".wecom")
    await client.locator("[data-test=tab-mine]").click()
    await client.locator("[data-test=thread]").get_by_text("王建国").click()
    await client.locator("[data-test=phone-input]").fill("我在手机上回复您")
    await client.locator("[data-test=phone-send]").click()
    await sees(phone.page, "phone-chat", "我在手机上回复您")
    await sees(desk.page, "transcript", "我在手机上回复您")
    await says(phone.page, "收到，谢谢")
    await expect(client.locator("[data-test=phone-chat]")).to_contain_text("收到，谢谢")
    await sees(desk.page, "transcript", "收到，谢谢")
    await desk.looks("native-desk", tmp_path)
    await wecom.looks("native-wecom", tmp_path)

    await client.locator("[data-test=end]").click()
    await sees(phone.page, "phone-chat", "评价")
    await sees(desk.page, "writing-block", "结束")
