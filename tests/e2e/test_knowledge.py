"""The knowledge base in a browser: from a question nobody could answer to a calibrated answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Locator, Page, expect

from core.timers import service as timers
from tests.e2e.conftest import Running, Windows
from tests.e2e.test_journey import enters, says, sees
from tests.flows.company import Desk
from tests.waiting import eventually

pytestmark = pytest.mark.browser

ASKED = "鸢尾花展览几点开门？"
KNOWN = "鸢尾花展几点开门"
ANSWER = "每天早上九点开门，周一闭馆。"
FORGOTTEN = "忘记登录密码怎么重置？"
KNOWN_FORGOTTEN = "登录密码忘了咋整"


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


async def solved_ticket(chief: Desk) -> str:
    """A ticket with a public answer and a note among colleagues. Returns its id."""
    wang = (await chief.get("/customers", q="王建国"))["items"][0]
    made = await chief.post("/tickets", {"title": ASKED, "customer_id": wang["id"]})
    path = f"/tickets/{made['id']}/entries"
    await chief.post(path, {"text": "客户急用，先别催"})
    await chief.post(path, {"text": f"{ANSWER}预约电话 13800138000。", "is_public": True})
    return str(made["id"])


async def sends_back(page: Page, why: str) -> None:
    await goes(page, "")
    await page.get_by_placeholder("搜索问题、答案").fill("鸢尾花")
    await page.get_by_role("row").filter(has_text=ASKED).click()
    await page.get_by_role("button", name="退回").click()
    await page.get_by_role("dialog", name="退回").locator("textarea").fill(why)
    await page.get_by_role("button", name="确定").click()
    await page.get_by_text("已退回").first.wait_for()


async def test_a_ticket_becomes_an_article_that_is_sent_back_amended_and_published(
    running: Running, windows: Windows, tmp_path: Path
) -> None:
    async with at_the_api(running, "wufang") as chief:
        ticket_id = await solved_ticket(chief)
    desk = await windows.desk("chenjing", online=False)
    page = desk.page
    await page.goto(f"/#/tickets/{ticket_id}")
    await page.locator("[data-test=ticket-more]").click()
    await page.locator("[data-test=to-article]").click()
    draft = page.get_by_role("dialog").filter(has_text="历史版本")
    await expect(draft.get_by_role("textbox", name="答案")).to_contain_text(ANSWER)
    for hidden in ("13800138000", "别催"):
        await expect(draft).not_to_contain_text(hidden)
    await expect(draft.locator("[data-test=blanks]")).to_contain_text("〔手机号〕")
    await desk.looks("from-ticket", tmp_path)

    reviewer = await windows.desk("wufang", online=False)
    await sends_back(reviewer.page, "请写明节假日")
    await goes(page, "")
    await page.get_by_placeholder("搜索问题、答案").fill("鸢尾花")
    await page.get_by_role("row").filter(has_text=ASKED).click()
    await expect(draft).to_contain_text("请写明节假日")
    await draft.get_by_role("textbox", name="答案").click()
    await page.keyboard.press("Control+End")
    await page.keyboard.type("节假日照常。")
    await desk.looks("amended", tmp_path)
    await draft.get_by_role("button", name="提交审核").click()
    await draft.wait_for(state="detached")
    await approves(reviewer.page, ASKED)
    await eventually(lambda: is_answered(running))
    decision = await running.app.answerer.decide(ASKED)
    assert decision.answer is not None
    assert "节假日照常" in decision.answer.text


async def writes_down(page: Page, question: str, words: str, title: str) -> None:
    """A known question by hand: found among the articles, or answered by none."""
    await page.locator("[data-test=known-add]").click()
    dialog = page.get_by_role("dialog", name="添加已知问题")
    await dialog.locator("input[data-test=known-question]").fill(question)
    if title:
        await dialog.locator("[data-test=known-article]").click()
        await page.keyboard.type(words)
        await page.get_by_role("option", name=title).click()
    else:
        await dialog.locator(".el-switch").click()
    await dialog.locator("[data-test=known-save]").click()
    await dialog.wait_for(state="detached")
    await expect(page.get_by_role("row").filter(has_text=question)).to_be_visible()


async def edits_what_is_known(page: Page) -> None:
    """Pasting names the bad line; a row is reworded; another is removed."""
    await page.locator("[data-test=known-import]").click()
    paste = page.get_by_role("dialog", name="批量粘贴")
    lines = f"密码想不起来了\t{FORGOTTEN}\n飞碟停哪里\t没有这一条"
    await paste.locator("textarea").fill(lines)
    await paste.locator("[data-test=known-start]").click()
    await expect(paste).to_contain_text("写入 1 条，1 行未导入")
    await expect(paste).to_contain_text("没有这个条目")
    await paste.get_by_role("button", name="关闭", exact=True).click()
    await paste.wait_for(state="detached")
    await page.get_by_role("row").filter(has_text="密码想不起来了").click()
    dialog = page.get_by_role("dialog", name="修改已知问题")
    await dialog.locator("input[data-test=known-question]").fill("密码想不起来怎么办")
    await dialog.locator("[data-test=known-save]").click()
    await dialog.wait_for(state="detached")
    await expect(page.get_by_role("row").filter(has_text="密码想不起来怎么办")).to_be_visible()
    await page.get_by_role("row").filter(has_text="食堂").click()
    await dialog.get_by_role("button", name="删除").click()
    await page.locator(".el-message-box__btns .el-button--primary").click()
    await expect(page.get_by_role("row").filter(has_text="食堂")).to_have_count(0)
    await expect(page.get_by_role("row").filter(has_text="密码想不起来了")).to_have_count(0)


async def withdraws(page: Page) -> Locator:
    """Up to the gate, which is returned."""
    await page.locator(".el-drawer__footer").get_by_role("button", name="下架").click()
    await page.locator(".el-message-box__btns .el-button--primary").click()
    return page.get_by_role("dialog", name="发布前检查")


async def test_known_questions_are_kept_and_guard_what_is_withdrawn(
    running: Running, windows: Windows, tmp_path: Path
) -> None:
    desk = await windows.desk("wufang", online=False)
    page = desk.page
    await goes(page, "known")
    await writes_down(page, KNOWN_FORGOTTEN, "登录密码", FORGOTTEN)
    await writes_down(page, "食堂今天吃什么", "", "")
    await edits_what_is_known(page)
    await desk.looks("known", tmp_path)

    await goes(page, "")
    await page.get_by_placeholder("搜索问题、答案").fill("忘记登录密码")
    await page.get_by_role("row").filter(has_text=FORGOTTEN).click()
    gate = await withdraws(page)
    for question in (KNOWN_FORGOTTEN, "密码想不起来怎么办"):
        await expect(gate).to_contain_text(question)
    await expect(gate).to_contain_text("变差")
    await desk.looks("gate", tmp_path)
    await gate.get_by_role("button", name="取消").click()
    await gate.wait_for(state="detached")
    assert FORGOTTEN in running.app.answerer.titles().values()

    gate = await withdraws(page)
    await gate.get_by_role("button", name="仍要继续").click()

    async def is_gone() -> bool:
        return FORGOTTEN not in running.app.answerer.titles().values()

    await eventually(is_gone)


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
