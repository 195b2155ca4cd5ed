"""Colleagues at their desks: notes, transfers, replies of the team, keys, notices, supervision."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import Windows
from tests.e2e.test_journey import says, sees

pytestmark = pytest.mark.browser

#: The browser asks nobody; what would pop up is kept, and the page believes that nobody looks.
NOTICES = """() => {
  window.noticed = [];
  window.Notification = class {
    static permission = "granted";
    constructor(title, options) { window.noticed.push(title + "：" + options.body); }
    close() {}
  };
  document.hasFocus = () => false;
}"""


async def opens(page: Page, customer: str) -> None:
    await page.locator("[data-test=session-list]").get_by_text(customer).first.click()
    await page.locator("[data-test=transcript]").wait_for()


async def adds_a_reply_of_the_team(page: Page) -> None:
    await page.goto("/#/replies")
    await page.get_by_role("button", name="新建快捷回复").click()
    form = page.get_by_role("dialog")
    fields = form.locator("input.el-input__inner")
    await fields.nth(0).fill("重连 VPN")
    await fields.nth(1).fill("cl")
    await form.locator("textarea").fill("{客户姓名}您好，我是{客服姓名}，请先断开再重连。")
    await form.get_by_text("团队", exact=True).click()
    await form.locator(".el-select").click()
    await page.get_by_role("option", name="实施支持组").click()
    await form.get_by_role("button", name="保存").click()
    await expect(page.locator("code", has_text="/cl")).to_be_visible()


async def test_a_session_passes_through_several_hands(windows: Windows, tmp_path: Path) -> None:
    boss = await windows.desk("wufang", online=False)
    await adds_a_reply_of_the_team(boss.page)
    li, chen = await windows.desk("lijun"), await windows.desk("chenjing")
    phone = await windows.open("/phone/")
    await phone.page.locator("[data-test=account]").first.click()
    await phone.page.locator("[data-test=enter]").click()
    await says(phone.page, "转人工")
    await sees(phone.page, "phone-chat", "已接入")
    first, second = (chen, li)
    if "陈静" not in await phone.page.locator("[data-test=phone-chat]").inner_text():
        first, second = (li, chen)
    await second.page.evaluate(NOTICES)

    page = first.page
    await opens(page, "王建国")
    await page.locator("[data-test=composer]").press("Escape")  # leave the box: keys are keys
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="快捷键")).to_contain_text("Alt N")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="快捷键")).to_be_hidden()
    await page.keyboard.press("Alt+n")
    note = page.get_by_role("dialog", name="添加内部备注")
    await note.locator("textarea").fill("客户着急，先别挂")
    await note.get_by_role("button", name="保存").click()
    await sees(page, "transcript", "客户着急，先别挂")

    await page.locator("[data-test=transfer]").click()
    moving = page.get_by_role("dialog", name="转接会话")
    await moving.locator(".person:not([disabled])").first.click()
    await moving.locator("textarea").fill("VPN 连不上，麻烦看看")
    await moving.locator("[data-test=transfer-submit]").click()
    await expect(moving).to_be_hidden()
    page = second.page
    await expect(page.locator("[data-test=session-list]")).to_contain_text("王建国")
    await page.wait_for_function("window.noticed.some((one) => one.includes('王建国'))")
    await opens(page, "王建国")
    await sees(page, "transcript", "VPN 连不上，麻烦看看")

    await page.locator("[data-test=composer]").fill("/cl")
    await sees(page, "replies", "重连 VPN")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await sees(phone.page, "phone-chat", "王建国您好，我是")
    await sees(phone.page, "phone-chat", "请先断开再重连。")

    await boss.page.goto("/#/queue")
    await boss.page.locator(".talk", has_text="王建国").click()
    await sees(boss.page, "transcript", "请先断开再重连。")  # watched; nobody is told
    await boss.looks("watching", tmp_path)
    await boss.page.get_by_role("button", name="接管").click()
    await sees(phone.page, "phone-chat", "吴芳")
    await boss.page.locator("[data-test=composer]").fill("我是吴芳，来帮您")
    await boss.page.keyboard.press("Enter")
    await sees(phone.page, "phone-chat", "我是吴芳，来帮您")
    assert "麻烦看看" not in await phone.page.locator("[data-test=phone-chat]").inner_text()


async def test_a_supervisor_sends_to_a_team_and_claims_from_the_board(windows: Windows) -> None:
    boss = await windows.desk("wufang")
    phone = await windows.open("/phone/")
    await phone.page.locator("[data-test=account]").first.click()
    await phone.page.locator("[data-test=enter]").click()
    await says(phone.page, "转人工")
    await sees(phone.page, "phone-chat", "吴芳 已接入")
    page = boss.page
    await opens(page, "王建国")
    await page.locator("[data-test=presence]").click()
    await page.get_by_role("menuitem", name="忙碌").first.click()
    await page.locator("[data-test=transfer]").click()
    moving = page.get_by_role("dialog", name="转接会话")
    await moving.get_by_text("团队", exact=True).click()
    await moving.locator(".el-select").click()
    await page.get_by_role("option", name="实施支持组").click()
    await moving.locator("textarea").fill("请实施组跟进")
    await moving.locator("[data-test=transfer-submit]").click()
    await sees(phone.page, "phone-chat", "您排在第 1 位")
    await page.goto("/#/queue")
    await sees(page, "promise-truth", "告知 1 人：按时 0，超时 0，提前离开 0，仍在等 1")
    await page.locator("[data-test=queued]", has_text="王建国").click()
    await sees(page, "transcript", "请实施组跟进")
    await page.locator("[data-test=claim]").click()
    await expect(page.locator("[data-test=composer]")).to_be_visible()
