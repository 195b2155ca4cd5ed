"""The ticket journey in a browser: desks, a customer's phone, and the page that the link opens."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.e2e.conftest import PATIENCE_MS, Running, Window, Windows
from tests.e2e.test_journey import a_picture, enters, says, sees
from tests.flows.company import Desk

pytestmark = pytest.mark.browser


@pytest.fixture
async def chief(running: Running) -> AsyncIterator[Desk]:
    """The supervisor at the API, for what a test only needs to be there."""
    async with aiohttp.ClientSession() as http:
        desk = Desk(http, running.base, "wufang")
        await desk.logs_in()
        yield desk


async def has(page: Page, where: str, text: str) -> None:
    """Whether this place shows the text, perhaps a little later."""
    found = page.locator(f"[data-test={where}]").filter(has_text=text)
    await expect(found.first).to_be_visible(timeout=PATIENCE_MS)


async def chooses(page: Page, verb: str) -> None:
    await page.locator("[data-test=ticket-more]").click()
    await page.locator(f"[data-test=do-{verb}]").click()


async def explains(page: Page, text: str) -> None:
    dialog = page.locator("[data-test=ticket-action]")
    await dialog.locator("textarea").fill(text)
    await dialog.locator("[data-test=ticket-action-submit]").click()


async def writes(page: Page, text: str) -> None:
    await page.locator("[data-test=ticket-text]").fill(text)
    await page.locator("[data-test=ticket-send]").click()
    await has(page, "ticket-entries", text)


async def new_ticket(chief: Desk, title: str) -> dict[str, Any]:
    wang = (await chief.get("/customers", q="王建国"))["items"][0]
    body = {"title": title, "customer_id": wang["id"], "description": "早上开始"}
    return dict(await chief.post("/tickets", body))


async def opens_from_the_session(desk: Window, phone: Window) -> str:
    """One click, with the matter proposed. Returns the ticket's number."""
    page = desk.page
    await says(phone.page, "转人工")
    await page.locator("[data-test=session-list]").get_by_text("王建国").first.click()
    await says(phone.page, "数据上报一直失败，提示连接超时")
    await sees(page, "transcript", "连接超时")
    await page.locator("[data-test=ticket]").click()
    title = page.locator("[data-test=ticket-title]")
    await expect(title).to_have_value("数据上报一直失败，提示连接超时", timeout=PATIENCE_MS)
    await has(page, "ticket-dialog", "数据上报")
    await has(page, "similar", "数据上报失败，超时")
    file = FilePayload(name="报错 截图.txt", mimeType="text/plain", buffer="失败".encode())
    await page.locator("[data-test=ticket-dialog] [data-test=ticket-files]").set_input_files(file)
    await has(page, "ticket-dialog", "报错 截图.txt")
    await page.locator("[data-test=ticket-submit]").click()
    await page.wait_for_url(re.compile("#/tickets/"))
    await has(page, "ticket-entries", "报错 截图.txt")
    number = page.get_by_text(re.compile(r"GD\d{8}-\d{4}")).first
    return (await number.inner_text()).split()[0]


async def test_a_ticket_from_the_session_to_the_rating(
    windows: Windows, chief: Desk, tmp_path: Path
) -> None:
    await new_ticket(chief, "数据上报失败，超时")
    desk = await windows.desk("chenjing")
    phone = await enters(windows)
    number = await opens_from_the_session(desk, phone)
    page = desk.page
    board = await windows.desk("wufang")
    await board.page.goto("/#/tickets")
    await board.page.get_by_text("看板", exact=True).click()
    await has(board.page, "lane-new", number)

    claim = page.locator("[data-test=ticket-claim]")
    await page.locator("[data-test=do-accept]").wait_for()
    if await claim.count():  # nobody was on duty
        await claim.click()
        await claim.wait_for(state="detached")
    await page.locator("[data-test=do-accept]").click()
    await has(page, "ticket-entries", "受理")
    await has(board.page, "lane-open", number)  # moved by the event
    await has(page, "sla", "首次响应")
    await writes(page, "请问从什么时候开始的？")
    await has(page, "sla", "已达成")
    await page.get_by_role("tab", name="知识").click()
    await expect(page.locator("[data-test=ticket-knowledge] summary").first).to_be_visible()
    await page.get_by_role("tab", name="处理").click()
    await desk.looks("ticket", tmp_path)

    await page.locator("[data-test=follow-add]").click()
    await page.locator("[data-test=follow-text]").fill("电话回访")
    when = page.locator("[data-test=follow-form] .el-date-editor input")
    await when.fill("2030-01-01 10:00:00")
    await when.press("Enter")
    await page.locator("[data-test=follow-save]").click()
    await has(page, "follow-row", "电话回访")

    await chooses(page, "escalate")
    await explains(page, "影响全市上报")
    await has(page, "ticket-entries", "影响全市上报")
    await chooses(page, "assign")
    dialog = page.locator("[data-test=assign-dialog]")
    await dialog.locator(".el-select").first.click()
    await page.get_by_role("option", name="李军").click()
    await page.locator("[data-test=assign-note]").fill("请看前置机")
    await page.locator("[data-test=assign-submit]").click()
    await has(page, "ticket-entries", "请看前置机")

    link = phone.page.locator("[data-test=phone-chat] .link").filter(has_text="/h5/#/ticket/")
    h5 = await windows.open((await link.last.inner_text()).strip(), width=390, height=844)
    await expect(h5.page.get_by_text("已受理").first).to_be_visible()
    await h5.page.locator("[data-test=h5-text]").fill("昨天下午开始的")
    photo: FilePayload = {"name": "报错.png", "mimeType": "image/png", "buffer": a_picture()}
    await h5.page.locator("[data-test=h5-file]").set_input_files([photo])
    await h5.page.get_by_text("报错.png ×").wait_for()
    await h5.page.locator("[data-test=h5-send]").click()
    await expect(h5.page.locator("img[alt='报错.png']")).to_be_visible(timeout=PATIENCE_MS)
    await has(page, "ticket-entries", "昨天下午开始的")  # refreshed by the event
    await has(page, "ticket-entries", "报错.png")
    wide = await h5.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    await h5.looks("h5", tmp_path)

    other = await windows.desk("lijun")
    await other.page.goto(page.url)
    await other.page.locator("[data-test=do-resolve]").click()
    await explains(other.page, "已更换证书，上报恢复")
    await sees(phone.page, "phone-chat", "已更换证书")
    await h5.page.reload()
    await h5.page.locator("[data-test=h5-confirm]").click()
    await h5.page.locator("[data-test=h5-star]").nth(4).click()
    await h5.page.locator("[data-test=h5-rate]").click()
    await expect(h5.page.get_by_text("您的评价")).to_be_visible(timeout=PATIENCE_MS)
    await has(other.page, "ticket-entries", "评价")
    for session in await chief.sessions("all"):
        await chief.post(f"/sessions/{session['id']}/close")  # people have it: the bot keeps still
    await says(phone.page, "我的工单")
    await sees(phone.page, "phone-chat", f"{number}：已关闭")
    for name, window in (("closed", other), ("phone", phone), ("board", board)):
        await window.looks(name, tmp_path)


async def test_two_people_edit_one_ticket_and_nothing_is_overwritten(
    windows: Windows, chief: Desk, tmp_path: Path
) -> None:
    made = await new_ticket(chief, "打印机不出纸")
    first, second = await windows.desk("chenjing"), await windows.desk("wufang")
    for window in (first, second):
        await window.page.goto(f"/#/tickets/{made['id']}")
        await window.page.locator("[data-test=field-title]").wait_for()
    await second.page.locator("[data-test=field-description]").fill("换过纸盒仍不行")
    await second.page.locator("[data-test=field-title]").fill("打印机不出纸，红灯亮")
    await first.page.locator("[data-test=field-title]").fill("三楼打印机不出纸")
    await first.page.locator("[data-test=save-ticket]").click()
    await first.page.locator("[data-test=save-ticket]").wait_for(state="detached")
    await second.page.locator("[data-test=save-ticket]").click()
    dialog = second.page.locator("[data-test=conflict]")
    await expect(dialog).to_contain_text("三楼打印机不出纸")
    await expect(dialog).to_contain_text("打印机不出纸，红灯亮")
    await second.looks("conflict", tmp_path)
    assert (await chief.get(f"/tickets/{made['id']}"))["ticket"]["description"] == "早上开始"

    await dialog.locator("[data-test=pick-theirs-title]").click()  # field by field
    await dialog.locator("[data-test=keep-mine]").click()
    await second.page.locator("[data-test=save-ticket]").wait_for(state="detached")
    ticket = (await chief.get(f"/tickets/{made['id']}"))["ticket"]
    assert (ticket["title"], ticket["description"]) == ("三楼打印机不出纸", "换过纸盒仍不行")
    await expect(first.page.locator("[data-test=field-description]")).to_have_value(
        "换过纸盒仍不行", timeout=PATIENCE_MS
    )


async def test_remote_help_through_a_vpn_is_allowed_by_the_customer(
    windows: Windows, chief: Desk, tmp_path: Path
) -> None:
    phone = await enters(windows)
    await says(phone.page, "客户端打不开")
    await sees(phone.page, "phone-chat", "客户端打不开")
    made = await new_ticket(chief, "客户端打不开")
    place = (await chief.get(f"/tickets/{made['id']}"))["ticket"]["institution_id"]
    vpn = {"name": "主 VPN", "address": "vpn.example.cn:4433", "password": "s3cret-word"}
    await chief.post(f"/institutions/{place}/vpn-profiles", vpn)
    desk = await windows.desk("chenjing")
    page = desk.page
    await page.goto(f"/#/tickets/{made['id']}")
    await page.locator("[data-test=remote-ask]").click()
    await page.locator("[data-test=remote-profile]").click()
    await page.get_by_role("option", name="主 VPN").click()
    await page.locator("[data-test=remote-purpose]").fill("查看客户端日志")
    await page.locator("[data-test=remote-submit]").click()
    await sees(phone.page, "phone-chat", "申请远程协助您的电脑")
    await expect(page.locator("[data-test=remote-secret]")).to_have_count(0)
    await phone.page.locator("[data-test=menu-item]").get_by_text("同意", exact=True).click()
    await page.locator("[data-test=remote-start]").click()  # appears by the event
    await page.locator("[data-test=remote-secret]").click()
    await has(page, "remote-row", "s3cret-word")
    await desk.looks("remote", tmp_path)
    await page.locator("[data-test=remote-end]").click()
    await page.locator(".el-message-box__input input").fill("重装了客户端")
    await page.locator(".el-message-box__btns .el-button--primary").click()
    await has(page, "remote-row", "重装了客户端")
    await expect(page.get_by_text("s3cret-word")).to_have_count(0)

    await says(phone.page, "转人工")
    await page.goto("/#/desk")
    await page.locator("[data-test=session-list]").get_by_text("王建国").first.click()
    await has(page, "remote", made["number"])  # the desk knows where it is recorded
    await page.locator("[data-test=remote-ask]").click()
    await page.locator("[data-test=remote-purpose]").fill("再看一次日志")
    await page.locator("[data-test=remote-submit]").click()
    await page.locator("[data-test=remote-oral]").click()
    await page.locator(".el-message-box__input input").fill("王建国")
    await desk.looks("oral", tmp_path)
    await page.locator(".el-message-box__btns .el-button--primary").click()
    await has(page, "remote-row", "口头")
    await expect(page.locator("[data-test=remote-start]")).to_be_visible()
    await desk.looks("remote-desk", tmp_path)
