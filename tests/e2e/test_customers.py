"""Customers in a browser: their own fields, finding, merging; registering by link and by page."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from aiohttp import ClientSession
from playwright.async_api import Page, expect

from tests.e2e.conftest import Running, Window, Windows
from tests.flows.company import Desk

pytestmark = pytest.mark.browser
PHONE = "13812345678"


async def admin_of(http: ClientSession, base: str) -> Desk:
    admin = Desk(http, base, "admin")
    await admin.logs_in()
    return admin


async def opened(windows: Windows, page_name: str) -> Page:
    """A console page, seen by the administrator."""
    window = await windows.desk("admin", online=False)
    await window.page.goto(page_name)
    return window.page


async def saves_a_field(page: Page, key: str, title: str) -> None:
    await page.locator(".keys").get_by_text("客户", exact=True).first.click()
    await page.get_by_role("button", name="添加").click()
    row = page.locator(".rows .row").last
    await row.locator("input").nth(0).fill(key)
    await row.locator("input").nth(1).fill(title)
    await page.locator("footer .el-button--primary").click()
    await expect(page.locator(".el-message--success").first).to_be_visible()


async def finds(page: Page, text: str, name: str) -> None:
    box = page.get_by_placeholder("姓名、机构、电话")
    await box.fill(text)
    await expect(page.locator(".el-table__row")).to_have_count(1)
    await page.locator(".el-table__row").get_by_text(name).first.click()


async def test_fields_are_defined_filled_in_and_survive_a_merge_and_its_undoing(
    windows: Windows, running: Running, tmp_path: Path
) -> None:
    async with ClientSession() as http:
        admin = await admin_of(http, running.base)
        known = {one["name"]: one["id"] for one in (await admin.get("/customers"))["items"]}
        wang, other = known["王建国"], next(key for name, key in known.items() if name != "王建国")
        for customer_id in (wang, other):
            body = {"value": PHONE}
            await admin.call("PUT", f"/customers/{customer_id}/secrets/phone", body)

        page = await opened(windows, "/#/settings")
        await saves_a_field(page, "post", "职务")
        await page.screenshot(path=tmp_path / "fields.png")

        await page.goto("/#/customers")
        await finds(page, "云岭 建国", "王建国")
        await page.locator("[data-test=edit-custom]").click()
        await page.locator("[data-test=custom-dialog] input").first.fill("科长")
        await page.locator("[data-test=save-custom]").click()
        await expect(page.locator(".file-body")).to_contain_text("科长")
        await page.screenshot(path=tmp_path / "file.png")
        await expect(page.locator("[data-test=custom-dialog]")).to_be_hidden()
        await page.keyboard.press("Escape")
        await expect(page.locator(".file-body")).to_be_hidden()

        await page.goto("/#/customers/duplicates")
        group = page.locator(".group").filter(has_text="王建国")
        await expect(group).to_contain_text("138****5678")
        await page.screenshot(path=tmp_path / "duplicates.png")
        await group.get_by_role("button", name="对比合并").click()
        both = page.locator("[data-test=merge-dialog]")
        await expect(both).to_contain_text("科长")
        mine = (
            0 if "王建国" in await both.locator(".head + .head ~ .cell").first.inner_text() else 1
        )
        await page.locator(f"[data-test=keep-{mine}]").click()
        await page.locator(f"[data-test=take-name-{1 - mine}]").click()
        await page.screenshot(path=tmp_path / "merging.png")
        await page.set_viewport_size({"width": 390, "height": 844})
        await page.screenshot(path=tmp_path / "merging-narrow.png")
        await page.set_viewport_size({"width": 1280, "height": 720})
        await page.locator("[data-test=save]:visible").click()
        await expect(group).to_have_count(0)
        left = {one["id"]: one["name"] for one in (await admin.get("/customers"))["items"]}
        names = {key: name for name, key in known.items()}
        assert left[wang] == names[other]
        assert other not in left

        await page.goto("/#/customers")
        await finds(page, PHONE, names[other])
        await expect(page.locator(".file-body")).to_contain_text("科长")
        undo = page.get_by_role("button", name="撤销合并")
        await undo.scroll_into_view_if_needed()
        await page.screenshot(path=tmp_path / "merged.png")
        await undo.click()
        await expect(undo).to_have_count(0)
        profile = await admin.get(f"/customers/{wang}/profile")
        assert profile["custom"] == {"post": "科长"}
        assert (await admin.get(f"/customers/{other}/profile"))["custom"] == {}
        back = {one["id"]: one["name"] for one in (await admin.get("/customers"))["items"]}
        assert (back[wang], back[other]) == ("王建国", names[other])


async def fills(window: Window, text: str, question: str) -> None:
    """One answer of the form, and what it asks next."""
    await window.page.locator("[data-test=answer]").fill(text)
    await window.page.locator("[data-test=next]").click()
    await expect(window.page.locator("h2")).to_have_text(question)


async def test_a_newcomer_fills_in_the_form_on_a_phone_with_detours(
    windows: Windows, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    phone = await windows.open("/phone/")
    await phone.page.locator("[data-test=account]").first.click()
    await phone.page.locator("[data-test=enter]").click()
    await phone.page.locator("[data-test=phone-input]").fill("登记")
    await phone.page.locator("[data-test=phone-send]").click()
    said = phone.page.locator("[data-test=phone-chat]")
    await expect(said).to_contain_text("/h5/#/register/")
    token = (await said.inner_text()).split("/h5/#/register/")[1].split()[0]

    form = await windows.open(f"/h5/#/register/{token}", width=390, height=844)
    await fills(form, "王建国", "手机号码")
    await form.page.locator("[data-test=back]").click()
    await expect(form.page.locator("h2")).to_have_text("您的单位")
    await form.page.locator("[data-test=answer]").fill("云岭县")
    await form.looks("places", tmp_path)
    await form.page.locator("button.second").get_by_text("云岭县疾控中心").first.click()
    await fills(form, PHONE, "短信验证码")
    await form.looks("code", tmp_path)

    again = await windows.open(f"/h5/#/register/{token}", width=390, height=844)
    await expect(again.page.locator("h2")).to_have_text("短信验证码")
    sent = next(one for one in caplog.records if getattr(one, "action", "") == "sms.logged")
    code = str(sent.args[0]) if isinstance(sent.args, tuple) else ""
    await fills(again, "1" + code[1:] if code[0] != "1" else "2" + code[1:], "短信验证码")
    await expect(again.page.locator("[data-test=problem]")).to_contain_text("不正确")
    await fills(again, code, "登记完成")
    await again.looks("done", tmp_path)


async def test_a_link_is_made_shown_as_a_code_and_revoked(
    windows: Windows, tmp_path: Path
) -> None:
    page = await opened(windows, "/#/customers/links")
    await page.locator("[data-test=add-link]").click()
    dialog = page.locator(".el-dialog").filter(has=page.locator("[data-test=link-account]"))
    await dialog.locator("input").first.fill("云岭培训")
    await page.locator("[data-test=link-account]").click()
    await page.locator(".el-select-dropdown__item:visible").first.click()
    await dialog.locator(".el-button--primary").click()
    row = page.locator(".el-table__row").filter(has_text="云岭培训")
    await row.get_by_text("二维码").click()
    await expect(page.locator("[data-test=qr]")).to_be_visible()
    await page.screenshot(path=tmp_path / "qr.png")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="下载").click()
    assert "云岭培训" in (await download.value).suggested_filename
    await page.keyboard.press("Escape")
    await row.get_by_role("button", name="停用").click()
    await page.locator(".el-message-box__btns .el-button--primary").click()
    await expect(row).to_contain_text("已停用")
