"""The knowledge base in a browser: from a question nobody could answer to a calibrated answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page, expect

from core.timers import service as timers
from tests.e2e.conftest import Running, Windows
from tests.e2e.test_journey import enters, says, sees
from tests.flows.company import Desk
from tests.waiting import eventually

pytestmark = pytest.mark.browser

ASKED = "鸢尾花展览几点开门？"
KNOWN = "鸢尾花展几点开门"
ANSWER = "每天早上九点开门，周一闭馆。"


@asynccontextmanager
async def at_the_api(running: Running, name: str) -> AsyncIterator[Desk]:
    async with aiohttp.ClientSession() as http:
        desk = Desk(http, running.base, name)
        await desk.logs_in()
        yield desk


async def goes(page: Page, tab: str) -> None:
    await page.goto("about:blank")
    await page.goto(f"/#/knowledge/{tab}")


async def gaps_are_mined(running: Running, chief: Desk) -> None:
    """The daily job, now."""
    async with running.app.uow.write() as tx:
        await timers.set_timer(tx, "knowledge.gaps", "recurring", tx.now)

    async def is_there() -> bool:
        return any(one["title"] == ASKED for one in (await chief.get("/gaps"))["items"])

    await eventually(is_there)


async def is_answered(running: Running) -> bool:
    decision = await running.app.answerer.decide(ASKED)
    return decision.answer is not None and decision.answer.text.startswith(ANSWER)


async def writes_the_article(page: Page) -> None:
    """From the queue: the gap becomes a draft, which is completed and handed in."""
    await goes(page, "gaps")
    await page.get_by_role("row").filter(has_text=ASKED).click()
    await page.get_by_role("button", name="写成草稿").click()
    editor = page.get_by_role("textbox", name="答案")
    await editor.click()
    await page.keyboard.press("Control+A")
    await page.keyboard.type(ANSWER)
    await page.get_by_role("button", name="提交审核").click()
    await page.get_by_text("已提交审核").first.wait_for()


async def approves(page: Page, known: str) -> None:
    """A second person is shown which known question changes its answer, and agrees."""
    await goes(page, "")
    await page.get_by_placeholder("搜索问题、答案").fill("鸢尾花")
    await page.get_by_role("row").filter(has_text=ASKED).click()
    await page.get_by_role("button", name="审核通过").click()
    gate = page.get_by_role("dialog", name="发布前检查").filter(has_text=known)
    await expect(gate).to_contain_text(ASKED)
    await gate.get_by_role("button", name="仍要继续").click()
    await gate.wait_for(state="detached")


async def test_a_question_without_answer_becomes_an_article(
    running: Running, windows: Windows, tmp_path: Path
) -> None:
    phone = await enters(windows)
    await says(phone.page, ASKED)
    await sees(phone.page, "phone-chat", "没有把握")
    async with at_the_api(running, "wufang") as chief:
        await chief.call("PUT", "/known-questions", {"question": KNOWN, "article_id": None})
        await gaps_are_mined(running, chief)
    author, reviewer = await windows.desk("wufang"), await windows.desk("admin", online=False)
    await writes_the_article(author.page)
    await approves(reviewer.page, KNOWN)
    await eventually(lambda: is_answered(running))
    await says(phone.page, ASKED)
    await sees(phone.page, "phone-chat", ANSWER)

    page = author.page
    await goes(page, "log")
    answered = page.get_by_role("row").filter(has_text=ASKED)
    await expect(answered).to_have_count(2)
    await answered.first.click()
    why = page.get_by_role("dialog").filter(has_text="候选")
    await expect(why.get_by_role("row").filter(has_text=ASKED).first).to_be_visible()
    await why.get_by_role("button", name="现在再问一次").click()
    await expect(why).to_contain_text("与当时相同")
    await author.looks("why", tmp_path)


async def test_a_session_becomes_an_article_without_its_personal_data(
    running: Running, windows: Windows
) -> None:
    desk = await windows.desk("chenjing")
    phone = await enters(windows)
    await says(phone.page, "转人工")
    await desk.page.locator("[data-test=session-list]").get_by_text("王建国").first.click()
    await says(phone.page, ASKED)
    await sees(desk.page, "transcript", ASKED)
    await desk.page.locator("[data-test=composer]").fill(f"{ANSWER}预约电话 13800138000。")
    await desk.page.locator("[data-test=send]").click()
    await sees(phone.page, "phone-chat", ANSWER)
    await desk.page.get_by_role("tab", name="知识").click()
    await desk.page.locator("[data-test=to-article]").click()
    draft = desk.page.get_by_role("dialog").filter(has_text="历史版本")
    await expect(draft.get_by_role("textbox", name="答案")).to_contain_text(ANSWER)
    await expect(draft).not_to_contain_text("13800138000")

    reviewer = await windows.desk("wufang", online=False)
    await approves(reviewer.page, ASKED)
    await eventually(lambda: is_answered(running))


async def test_a_fit_is_put_in_force_and_rolled_back(
    running: Running, windows: Windows, tmp_path: Path
) -> None:
    async with at_the_api(running, "wufang") as chief:
        articles = (await chief.get("/articles", limit=40, state="published"))["items"]
        for one in articles:
            known = {"question": f"请问{one['question']}", "article_id": one["id"]}
            await chief.call("PUT", "/known-questions", known)
    desk = await windows.desk("wufang")
    page = desk.page
    await goes(page, "calibration")
    await page.get_by_role("button", name="重新拟合").click()
    await expect(page.locator("[data-test=would-be]")).to_contain_text("精确率")
    slider = page.locator("[data-test=target] [role=slider]")
    await slider.focus()
    await slider.press("End")
    await expect(page.locator("[data-test=would-be]")).to_contain_text("担保不了")
    await slider.press("Home")
    await expect(page.locator("[data-test=would-be]")).to_contain_text("阈值")
    await desk.looks("calibration", tmp_path)

    await page.get_by_role("button", name="启用").click()
    await expect(page.get_by_text("使用中")).to_be_visible()
    await page.get_by_role("button", name="回到出厂校准").click()
    await expect(page.get_by_role("button", name="启用")).to_be_visible()
    await expect(page.get_by_text("使用中")).to_have_count(0)
