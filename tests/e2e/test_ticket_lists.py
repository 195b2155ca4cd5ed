"""What supervisors click around tickets: lists, the board, relations, quality and promises."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.conftest import Windows
from tests.e2e.test_journey import enters, says, sees
from tests.e2e.test_tickets import chief, chooses, has, new_ticket
from tests.flows.company import Desk

pytestmark = pytest.mark.browser
__all__ = ["chief"]


def row(page: Page, text: str) -> Locator:
    return page.locator(".el-table__row").filter(has_text=text)


def dialog(page: Page) -> Locator:
    return page.locator(".el-dialog:visible").last


async def relates(page: Page, how: str, text: str) -> None:
    await chooses(page, "relate")
    await dialog(page).get_by_text(how, exact=True).click()
    await dialog(page).locator("input[type=text]").last.fill(text)
    await dialog(page).locator("[data-test=save]").click()


async def test_lists_are_saved_changed_together_dragged_and_related(
    windows: Windows, chief: Desk, tmp_path: Path
) -> None:
    made = [await new_ticket(chief, f"前置机 {name}") for name in ("甲", "乙", "丙")]
    tag = {"tags": ["上门"], "version": made[0]["version"]}
    await chief.call("PATCH", f"/tickets/{made[0]['id']}", tag)
    window = await windows.desk("wufang")
    page = window.page
    await page.goto("/#/tickets")
    await page.locator("[data-test=filter-tag] input, input[data-test=filter-tag]").fill("上门")
    await expect(row(page, "前置机")).to_have_count(1)
    await page.get_by_label("显示的列").click()
    await page.locator(".el-popover:visible").get_by_text("机构", exact=True).click()
    await page.keyboard.press("Escape")
    await page.locator(".lists").get_by_role("button", name="保存").click()
    await dialog(page).locator("input").first.fill("要上门的")
    await dialog(page).locator("[data-test=save]").click()
    await expect(page.locator(".lists").get_by_text("要上门的")).to_be_visible()
    await expect(dialog(page)).to_have_count(0)
    await window.looks("list", tmp_path)

    await page.reload()
    await page.locator(".lists").get_by_text("未解决", exact=True).click()
    await expect(row(page, "前置机")).to_have_count(3)
    for name in ("乙", "丙"):
        await row(page, f"前置机 {name}").locator(".el-checkbox").click()
    await page.locator("[data-test=bulk-priority]").click()
    await page.get_by_role("option", name="紧急").click()
    await expect(row(page, "紧急")).to_have_count(2)
    await expect(page.locator("[data-test=bulk-priority]")).to_have_count(0)
    await page.locator(".lists").get_by_text("要上门的").click()
    await expect(row(page, "前置机")).to_have_count(1)
    await expect(page.locator("th").get_by_text("机构", exact=True)).to_be_visible()

    await page.locator(".lists").get_by_text("未解决", exact=True).click()
    await page.get_by_text("看板", exact=True).click()
    card = page.locator("[data-test=lane-new]").get_by_text("前置机 甲")
    await card.drag_to(page.locator("[data-test=lane-open]"))
    await page.locator("[data-test=ticket-action-submit]").click()
    await expect(page.locator("[data-test=lane-open]")).to_contain_text("前置机 甲")
    await window.looks("board", tmp_path)
    await page.set_viewport_size({"width": 390, "height": 844})
    await window.looks("board-narrow", tmp_path)
    await page.get_by_text("列表", exact=True).click()
    await window.looks("list-narrow", tmp_path)
    await page.set_viewport_size({"width": 1280, "height": 720})

    await page.goto(f"/#/tickets/{made[0]['id']}")
    await relates(page, "关联", made[1]["number"])
    await expect(page.get_by_text("前置机 乙").first).to_be_visible()
    await relates(page, "拆分", "前置机 甲之二")
    await expect(page.get_by_text("前置机 甲之二").first).to_be_visible()
    await window.looks("related", tmp_path)
    await page.goto(f"/#/tickets/{made[2]['id']}")
    await relates(page, "合并", "GD19990101-0001")
    await expect(page.locator(".el-message--error")).to_be_visible()
    await dialog(page).locator("input[type=text]").last.fill(made[1]["number"])
    await dialog(page).locator("[data-test=save]").click()
    await has(page, "ticket-entries", "合并")
    merged = (await chief.get(f"/tickets/{made[2]['id']}"))["ticket"]
    assert merged["state"] == "cancelled"


async def test_a_customer_presses_and_the_servicer_sees_how_much(
    windows: Windows, chief: Desk, tmp_path: Path
) -> None:
    phone = await enters(windows)
    await says(phone.page, "你好")
    made = await new_ticket(chief, "报表空白")
    desk = await windows.desk("wufang")
    await desk.page.goto(f"/#/tickets/{made['id']}")
    await desk.page.locator("[data-test=field-title]").wait_for()
    for said in ("优先跟进", "刚刚催过"):
        await says(phone.page, "催单")
        await sees(phone.page, "phone-chat", said)
    await has(desk.page, "ticket-entries", "催单")
    await expect(desk.page.get_by_text("催单 2 次")).to_be_visible()
    ticket = (await chief.get(f"/tickets/{made['id']}"))["ticket"]
    assert (ticket["priority"], ticket["nudges"]) == ("high", 2)
    await desk.looks("nudged", tmp_path)
    link = (await chief.post(f"/tickets/{made['id']}/customer-link"))["url"]
    for action in ("accept", "resolve"):
        await chief.post(f"/tickets/{made['id']}/actions", {"action": action, "text": "好了"})
    h5 = await windows.open(link, width=390, height=844)
    await expect(h5.page.get_by_text("催单")).to_have_count(2)
    await h5.page.locator("[data-test=h5-why]").fill("打开还是空白")
    await h5.page.locator("[data-test=h5-reopen]").click()
    await has(desk.page, "ticket-entries", "打开还是空白")
    await h5.page.locator("[data-test=h5-nudge]").click()
    await expect(h5.page.get_by_text("催单")).to_have_count(3)
    await h5.looks("h5", tmp_path)
    await phone.looks("nudging", tmp_path)


async def test_work_is_scored_and_promises_are_tried_out(
    windows: Windows, chief: Desk, tmp_path: Path
) -> None:
    made = await new_ticket(chief, "打印机不出纸")
    people = (await chief.get("/servicers"))["items"]
    chen = next(one["id"] for one in people if one["name"] == "陈静")
    await chief.post(f"/tickets/{made['id']}/assign", {"servicer_id": chen})
    for action in ("accept", "resolve"):
        await chief.post(f"/tickets/{made['id']}/actions", {"action": action, "text": "好了"})
    window = await windows.desk("wufang", online=False)
    page = window.page
    await page.goto("/#/reviews")
    await page.get_by_role("button", name="评分表").click()
    await dialog(page).locator("input").nth(0).fill("服务规范")
    await dialog(page).locator("input").nth(1).fill("解决彻底")
    await dialog(page).get_by_role("button", name="保存评分表").click()
    await expect(dialog(page)).to_contain_text("解决彻底 100")
    await window.looks("cards", tmp_path)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="随机抽样").click()
    sample = page.locator("[data-test=sample]").filter(has_text="打印机不出纸")
    await sample.get_by_role("button", name="评分").click()
    await dialog(page).locator(".el-slider__input input").fill("4")
    await dialog(page).locator("textarea").fill("回访再及时些")
    await window.looks("scoring", tmp_path)
    await dialog(page).locator("[data-test=save]").click()
    await expect(row(page, "回访再及时些")).to_contain_text("80")

    theirs = await windows.desk("chenjing", online=False)
    await theirs.page.goto("/#/reviews")
    await expect(row(theirs.page, "回访再及时些")).to_contain_text("解决彻底")
    await theirs.looks("result", tmp_path)
    await row(theirs.page, "回访再及时些").get_by_role("button", name="申诉").click()
    await theirs.page.locator(".el-message-box__input input").fill("客户当天没有接电话")
    await theirs.page.locator(".el-message-box__btns .el-button--primary").click()
    await expect(row(theirs.page, "客户当天没有接电话")).to_have_count(1)

    admin = await windows.desk("admin", online=False)
    page = admin.page
    await page.goto("/#/teams/sla")
    await page.get_by_role("button", name="新建承诺").click()
    await dialog(page).locator("input").first.fill("紧急工单")
    await dialog(page).locator(".el-input-number input").nth(1).fill("0.5")
    await dialog(page).locator(".el-input-number input").first.fill("0")
    await dialog(page).locator(".el-select").first.click()
    await page.get_by_role("option", name="紧急").click()
    await page.keyboard.press("Escape")
    await admin.looks("policy", tmp_path)
    await dialog(page).locator("[data-test=save]").click()
    await expect(row(page, "紧急工单")).to_contain_text("30 分")
    tester = page.locator(".tester")
    when = tester.locator(".el-date-editor input")
    await when.fill("2026-09-30 17:45:00")
    await when.press("Enter")
    await tester.locator(".el-select").first.click()
    await page.get_by_role("option", name="紧急").last.click()
    await expect(tester).to_contain_text("适用「紧急工单」")
    await admin.looks("sla", tmp_path)
    await page.goto("/#/teams/calendars")
    await expect(page.locator("[data-test=due]")).to_be_visible()
    await admin.looks("calendar", tmp_path)
    await page.set_viewport_size({"width": 390, "height": 844})
    await admin.looks("calendar-narrow", tmp_path)
