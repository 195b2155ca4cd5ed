"""Keeping the knowledge base in a browser: files, versions, tables, imports and exports."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.e2e.conftest import Running, Windows
from tests.e2e.test_journey import a_picture, enters, says, sees
from tests.e2e.test_knowledge import at_the_api, goes
from tests.waiting import eventually

pytestmark = pytest.mark.browser

ASKED = "蓝鲸报表的第七栏怎么填写？"
PICTURE: FilePayload = {"name": "第七栏.png", "mimeType": "image/png", "buffer": a_picture()}
MANUAL: FilePayload = {
    "name": "填表手册.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\n%%EOF\n",
}  # fmt: skip
SOURCE = "https://example.com/manual.pdf"
DRAWER = ".el-drawer__footer"


async def opens(page: Page) -> None:
    await goes(page, "")
    await page.get_by_placeholder("搜索问题、答案").fill("蓝鲸")
    await page.get_by_role("row").filter(has_text=ASKED).click()


async def presses(page: Page, button: str, *, is_weighed: bool = False) -> None:
    """is_weighed: a known question changes its answer, and the gate asks."""
    await page.locator(DRAWER).get_by_role("button", name=button).click()
    if is_weighed:
        gate = page.get_by_role("dialog", name="发布前检查")
        await gate.get_by_role("button", name="仍要继续").click()
    await page.locator(".el-drawer").wait_for(state="detached")


async def writes(page: Page) -> None:
    """An article with a picture, a file and where it comes from."""
    await goes(page, "")
    await page.get_by_role("button", name="新建条目").click()
    await page.get_by_label("标准问题").fill(ASKED)
    await page.get_by_role("textbox", name="答案", exact=True).click()
    await page.keyboard.type("照着图填。")
    await page.locator("[data-test=article-image]").set_input_files(PICTURE)
    await expect(page.locator(".phone img")).to_be_visible()
    await page.locator("[data-test=article-file]").set_input_files(MANUAL)
    await expect(page.locator(".phone .file")).to_have_text("填表手册.pdf")
    await page.get_by_label("来源文件").fill(SOURCE)
    await expect(page.locator("[data-test=source-link]")).to_have_attribute("href", SOURCE)
    await presses(page, "提交审核")


async def amends(page: Page) -> None:
    await opens(page)
    await page.get_by_role("textbox", name="答案", exact=True).click()
    await page.keyboard.press("Control+Home")
    await page.keyboard.type("新版改了：")
    await presses(page, "提交审核")


async def test_an_article_with_files_is_answered_with_amended_compared_and_rolled_back(
    running: Running, windows: Windows, tmp_path: Path
) -> None:
    author, reviewer = await windows.desk("wufang"), await windows.desk("admin", online=False)

    async def answer() -> str:
        decision = await running.app.answerer.decide(ASKED)
        return decision.answer.text if decision.answer else ""

    async def is_new() -> bool:
        return (await answer()).startswith("新版改了：照着图填")

    async def is_old() -> bool:
        return (await answer()).startswith("照着图填")

    await writes(author.page)
    page = reviewer.page
    await opens(page)
    await presses(page, "审核通过", is_weighed=True)
    await eventually(is_old)
    phone = await enters(windows)
    await says(phone.page, ASKED)
    await sees(phone.page, "phone-chat", "填表手册.pdf（附件1）")
    await sees(phone.page, "phone-chat", "解决您的问题")
    await phone.looks("with-files", tmp_path)

    await amends(author.page)
    await opens(page)
    await presses(page, "审核通过")
    await eventually(is_new)
    await opens(page)
    await page.get_by_role("tab", name="历史版本").click()
    await page.get_by_role("button", name="比较").first.click()
    await expect(page.locator(".diff ins")).to_have_text("新版改了：")
    await reviewer.looks("difference", tmp_path)
    await page.get_by_role("button", name="回到此版").click()
    await page.locator(".el-message-box__btns .el-button--primary").click()
    await page.locator(".el-drawer").wait_for(state="detached")
    await eventually(is_old)
    async with at_the_api(running, "wufang") as chief:
        (kept,) = (await chief.get("/articles", q=ASKED))["items"]
    assert (kept["live_number"], kept["source"]) == (3, SOURCE)


async def imports(page: Page, file: FilePayload) -> None:
    """Checked, and written where there is something to write."""
    await page.get_by_role("button", name="导入").first.click()
    dialog = page.get_by_role("dialog", name="导入知识条目")
    await dialog.locator("input[type=file]").set_input_files(file)
    await expect(dialog.locator(".el-alert")).to_contain_text("检查结果")


async def test_files_synonyms_categories_and_gaps_are_kept_by_hand(
    running: Running, windows: Windows, tmp_path: Path
) -> None:
    desk = await windows.desk("wufang")
    page = desk.page
    rows = "编号,问题,答案,分类\nB1,蓝鲸报表在哪里下载？,在首页下载。,蓝鲸\nB2,,没有问题,蓝鲸\n"
    table: FilePayload = {"name": "a.csv", "mimeType": "text/csv", "buffer": rows.encode("gbk")}
    await goes(page, "")
    await imports(page, table)
    dialog = page.get_by_role("dialog", name="导入知识条目")
    await expect(dialog).to_contain_text("将新增 1 条")
    await expect(dialog).to_contain_text("第 3 行 问题：不能为空")
    await desk.looks("import", tmp_path)
    await dialog.get_by_role("button", name="导入", exact=True).click()
    await expect(dialog).to_contain_text("已新增 1 条")
    await dialog.get_by_role("button", name="关闭", exact=True).click()
    await dialog.wait_for(state="detached")
    with_mark = rows.replace("B2,,没有问题,蓝鲸\n", "").encode("utf-8-sig")
    await imports(page, {**table, "buffer": with_mark})
    await expect(dialog).to_contain_text("将新增 0 条，更新 0 条，1 条不变")
    await dialog.get_by_role("button", name="关闭", exact=True).click()
    await dialog.wait_for(state="detached")

    await page.get_by_role("button", name="导出").click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name="zip").click()
    saved = await (await download.value).path()
    archive: FilePayload = {
        "name": "a.zip", "mimeType": "application/zip", "buffer": saved.read_bytes(),
    }  # fmt: skip
    await imports(page, archive)
    await expect(dialog).to_contain_text("将新增 0 条，更新 0 条，121 条不变")

    await goes(page, "categories")
    moved = page.locator(".el-tree-node__content").filter(has_text="蓝鲸")
    await moved.drag_to(page.locator(".el-tree-node__content").filter(has_text="报表查询"))
    await page.get_by_text("已保存").first.wait_for()
    await desk.looks("categories", tmp_path)
    async with at_the_api(running, "wufang") as chief:
        (kept,) = (await chief.get("/articles", q="蓝鲸报表在哪里下载"))["items"]
    assert kept["category"] == "报表查询/蓝鲸"

    await keeps_a_synonym(running, windows, page)
    await goes(page, "gaps")
    await page.locator("[data-test=mine-now]").click()
    await expect(page.get_by_role("row").filter(has_text="黄豆芽")).to_be_visible()
    await desk.looks("gaps", tmp_path)


async def keeps_a_synonym(running: Running, windows: Windows, page: Page) -> None:
    """What customers say and the base does not: a miss, a line in the table, and an answer."""
    phone = await enters(windows)
    await says(phone.page, "请问黄豆芽在哪里下载？")
    await sees(phone.page, "phone-chat", "没有把握")
    await goes(page, "synonyms")
    await page.get_by_role("button", name="添加同义词").click()
    dialog = page.get_by_role("dialog", name="同义词")
    await dialog.locator("input").first.fill("蓝鲸报表")
    await dialog.locator(".el-input-tag input").fill("黄豆芽")
    await page.keyboard.press("Enter")
    await dialog.get_by_role("button", name="保存").click()
    await dialog.wait_for(state="detached")

    async def is_understood() -> bool:
        decision = await running.app.answerer.decide("请问黄豆芽在哪里下载？")
        return decision.answer is not None and decision.answer.text == "在首页下载。"

    await eventually(is_understood)
    await says(phone.page, "请问黄豆芽在哪里下载？")
    await sees(phone.page, "phone-chat", "在首页下载。")
