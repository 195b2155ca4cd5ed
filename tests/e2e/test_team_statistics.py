"""A supervisor reads a team day by day, and opens the sessions behind one of them."""

from __future__ import annotations

from playwright.async_api import expect

from bot.demo_past import load_past
from tests.e2e.conftest import Running, Windows


async def test_a_bar_of_the_trend_opens_the_sessions_of_that_day(
    running: Running, windows: Windows
) -> None:
    await load_past(running.app.uow)
    page = (await windows.desk("wufang", online=False)).page
    await page.goto("/#/teams/statistics")
    trend = page.locator("[data-test=team-trend]")
    days = trend.locator("figure").first.locator("button:enabled")
    await expect(days.first).to_be_visible()
    assert await days.count() > 15
    label = await days.first.get_attribute("aria-label") or ""
    await days.first.click()
    await expect(page.locator("[data-test=span]")).to_contain_text("团队统计明细")
    await expect(page.locator(".el-table__row")).to_have_count(int(label.rpartition("：")[2]))


async def test_a_skill_is_given_by_typing_its_name_and_taken_back(windows: Windows) -> None:
    page = (await windows.desk("wufang", online=False)).page
    await page.goto("/#/teams")
    await page.locator(".el-table__expand-icon").first.click()
    await page.get_by_role("button", name="+ 技能").first.click()
    typing = page.locator(".el-popover:visible")
    await typing.locator("input").first.click()
    await page.keyboard.type("VPN")
    await expect(typing.locator("li.is-hovering")).to_have_text("VPN")
    await page.keyboard.press("Enter")
    await typing.get_by_role("button", name="新增").click()
    tag = page.locator(".el-tag", has_text="VPN 3 级")
    await expect(tag).to_be_visible()
    await page.reload()
    await page.locator(".el-table__expand-icon").first.click()
    await tag.locator(".el-tag__close").click()
    await expect(tag).to_have_count(0)
