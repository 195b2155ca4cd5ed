"""What a supervisor sets up in a browser: institutions, working hours, days off, promises."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Locator, Page, expect

from tests.e2e.conftest import Windows

pytestmark = pytest.mark.browser
TREE = """名称,上级,行政区划,合同级别,备用
云岭二级公司,,,VIP,x
云岭二级公司门诊部,云岭二级公司,江苏省苏州市,VIP,
孤零零,没有这家,,,
"""


async def opened(windows: Windows, place: str) -> Page:
    window = await windows.desk("admin", online=False)
    await window.page.goto(place)
    return window.page


async def test_institutions_are_imported_from_a_table_and_found(
    windows: Windows, tmp_path: Path
) -> None:
    page = await opened(windows, "/#/customers/institutions")
    await page.locator("[data-test=import-institutions]").click()
    file = FilePayload(name="机构.csv", mimeType="text/csv", buffer=TREE.encode("gbk"))
    await page.locator("[data-test=import-file]").set_input_files(file)
    dialog = page.locator(".el-dialog:visible")
    result = page.locator("[data-test=import-result]")
    await expect(result).to_contain_text("将新增 2 条")
    await expect(dialog).to_contain_text("没有找到上级机构")
    await expect(dialog).to_contain_text("备用")
    await page.screenshot(path=tmp_path / "tried.png")
    await page.locator("[data-test=import]").click()
    await expect(result).to_contain_text("已新增 2 条")
    await page.keyboard.press("Escape")
    await page.locator(
        "[data-test=find-institution] input, input[data-test=find-institution]"
    ).fill("ylejgs")
    hit = page.locator("[data-test=institution-hit]").filter(has_text="门诊部")
    await expect(hit).to_contain_text("云岭二级公司")
    await page.screenshot(path=tmp_path / "found.png")
    await hit.get_by_role("button", name="编辑").click()
    await expect(page.locator(".el-dialog:visible input").first).to_have_value(
        "云岭二级公司门诊部"
    )
    await page.screenshot(path=tmp_path / "edited.png")


async def enters(page: Page, box: Locator, moment: str) -> None:
    await box.fill(moment)
    await page.keyboard.press("Enter")


async def test_changed_hours_and_days_off_move_what_would_be_due(
    windows: Windows, tmp_path: Path
) -> None:
    page = await opened(windows, "/#/teams/calendars")
    due = page.locator("[data-test=due]")
    start = page.locator("[data-test=due-tester] .el-date-editor input")
    await enters(page, start, "2040-03-05 17:00:00")
    await expect(due).to_have_text("2040/03/07 09:30")
    await page.locator("[data-test=edit-calendar]").click()
    dialog = page.locator(".el-dialog:visible")
    tuesday = dialog.locator(".el-form-item").filter(has_text="周二").locator("input")
    await tuesday.fill("18:00-09:00")
    await expect(dialog).to_contain_text("写成 09:00-12:00")
    await expect(dialog.locator(".el-button--primary")).to_be_disabled()
    await tuesday.fill("10:00-12:00")
    await dialog.locator(".el-button--primary").click()
    await expect(due).to_have_text("2040/03/07 16:00")
    await page.screenshot(path=tmp_path / "hours.png")

    await page.get_by_role("button", name="导入日期").click()
    await page.locator(".el-message-box textarea").fill("2040-03-07,休,培训")
    await page.locator(".el-message-box__btns .el-button--primary").click()
    await expect(due).to_have_text("2040/03/08 16:00")

    await page.get_by_role("button", name="下个月").click()
    month = await page.locator(".head b.number").inner_text()
    day = page.locator(".grid .day:not(.closed)").first
    number = (await day.locator(".number").inner_text()).split()[0].zfill(2)
    await enters(page, start, f"{month}-{number} 10:00:00")
    await expect(due).not_to_have_text("2040/03/08 16:00")
    open_due = await due.inner_text()
    await day.click()
    await page.get_by_role("menuitem", name="改为休息").click()
    await expect(due).not_to_have_text(open_due)
    await expect(page.locator(".grid .entered.closed")).to_have_count(1)
    await page.screenshot(path=tmp_path / "day.png")


async def test_a_changed_promise_is_what_the_tester_says(windows: Windows, tmp_path: Path) -> None:
    page = await opened(windows, "/#/teams/sla")
    await page.get_by_role("button", name="新建承诺").click()
    dialog = page.locator(".el-dialog:visible")
    await (
        dialog.locator(".el-form-item").filter(has_text="名称").locator("input").fill("全部两小时")
    )
    await dialog.locator(".el-form-item").filter(has_text="顺序").locator("input").fill("0")
    hours = dialog.locator(".el-form-item").filter(has_text="首次响应").locator("input")
    await hours.fill("2")
    await dialog.get_by_role("button", name="添加一级").click()
    await page.screenshot(path=tmp_path / "policy.png")
    await dialog.locator(".el-dialog__footer .el-button--primary").click()
    tester = page.locator(".tester")
    await enters(page, tester.locator(".el-date-editor input"), "2027-03-02 09:30:00")
    await expect(tester).to_contain_text("适用「全部两小时」")
    shown = tester.locator("b.number").first
    await expect(shown).to_have_text("2027/03/02 11:30")
    row = page.locator(".el-table__row").filter(has_text="全部两小时")
    await row.get_by_role("button", name="编辑").click()
    await hours.fill("4")
    await dialog.locator(".el-dialog__footer .el-button--primary").click()
    await expect(shown).to_have_text("2027/03/02 15:00")
    await page.screenshot(path=tmp_path / "tester.png")
