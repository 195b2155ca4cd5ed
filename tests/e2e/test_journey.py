"""The consult journey in a browser: a phone, two desks, and what each of them sees."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import FilePayload, Page, expect

from tests.e2e.conftest import Window, Windows

pytestmark = pytest.mark.browser


def a_picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (320, 200), "steelblue").save(drawn, "PNG")
    return drawn.getvalue()


async def says(phone: Page, text: str) -> None:
    await phone.locator("[data-test=phone-input]").fill(text)
    await phone.locator("[data-test=phone-send]").click()


async def sees(page: Page, where: str, text: str) -> None:
    await expect(page.locator(f"[data-test={where}]").first).to_contain_text(text)


async def enters(windows: Windows) -> Window:
    """Wang opens the account through a link with a scene and is greeted."""
    window = await windows.open("/phone/")
    page = window.page
    await page.locator("[data-test=account]").first.click()
    await page.locator("[data-test=enter]").click()
    await sees(page, "phone-chat", "您好")
    return window


async def test_a_customer_is_answered_served_and_rates(windows: Windows, tmp_path: Path) -> None:
    desk = await windows.desk("chenjing")
    phone = await enters(windows)
    await says(phone.page, "忘记登录密码怎么重置？")
    await sees(phone.page, "phone-chat", "来源")
    await says(phone.page, "转人工")
    await sees(phone.page, "phone-chat", "陈静")

    page = desk.page
    row = page.locator("[data-test=session-list]").get_by_text("王建国").first
    await row.click()  # it appeared without reloading
    await sees(page, "transcript", "忘记登录密码")
    await sees(page, "customer-file", "云岭县疾控中心")
    await sees(page, "window", "5")

    twin = await windows.desk("chenjing", online=False)  # the same account in another browser
    await twin.page.locator("[data-test=session-list]").get_by_text("王建国").first.click()

    await page.locator("[data-test=composer]").fill("您好，我来看一下 😊")
    await page.keyboard.press("Enter")
    await sees(phone.page, "phone-chat", "我来看一下 😊")
    await sees(twin.page, "transcript", "我来看一下 😊")

    picture: FilePayload = {"name": "截图.png", "mimeType": "image/png", "buffer": a_picture()}
    await phone.page.locator("[data-test=phone-image]").set_input_files([picture])
    await expect(page.locator("[data-test=transcript] img").first).to_be_visible()
    report: FilePayload = {
        "name": "说明.txt",
        "mimeType": "text/plain",
        "buffer": "步骤一".encode(),
    }
    await page.locator("[data-test=file-input]").set_input_files([report])
    await page.locator("[data-test=send]").click()
    await sees(phone.page, "phone-chat", "说明.txt")
    await desk.looks("desk", tmp_path)
    await phone.looks("phone", tmp_path)

    await (
        page.get_by_role("tab", name="知识")
        .or_(page.get_by_text("知识", exact=True))
        .first.click()
    )
    await page.locator("[data-test=cite]").first.click()  # suggested for what the customer asked
    await sees(phone.page, "phone-chat", "密码")
    await page.locator("[data-test=composer]").fill("/")
    await expect(page.locator("[data-test=replies]")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.locator("[data-test=composer]").fill("这句发错了")
    await page.keyboard.press("Enter")
    await sees(phone.page, "phone-chat", "这句发错了")
    mine = page.locator("[data-test=transcript]").get_by_text("这句发错了")
    await mine.hover()
    await page.locator("[data-test=recall]").last.click()
    await sees(phone.page, "phone-chat", "撤回")

    await page.locator("[data-test=close]").click()
    summary = page.locator("[data-test=conclusion-summary]")
    await expect(summary).to_have_value(re.compile("问：.+；答：.*密码"))  # proposed
    await summary.fill("已重置密码")
    await page.locator("[data-test=conclusion-submit]").click()
    await sees(page, "summary", "已重置密码")
    await sees(phone.page, "phone-chat", "评价")
    await (
        phone.page.locator("[data-test=menu-item]")
        .get_by_text("非常满意", exact=True)
        .last.click()
    )
    await sees(phone.page, "phone-chat", "感谢您的评价")
    await expect(page.locator("[data-test=rating]").first).to_be_visible()
