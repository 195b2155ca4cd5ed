"""The demo company in one process, and a browser in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from bot import demo
from bot.app import App, build, listening
from bot.config import HttpSettings, Settings
from tests.flows import company
from tests.flows.vectors import keep_vectors, lend_vectors
from tests.services import free_port
from tests.waiting import PATIENCE_S, eventually

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_MS = PATIENCE_S * 1000

expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True)
class Running:
    """The demo as it runs, sandbox and all; base: its URL."""

    app: App
    base: str


@pytest.fixture
async def running(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    http = HttpSettings(port=free_port())
    settings = demo.demo_settings(
        Settings(data_dir=tmp_path, database_url=sqlite_url, http=http, embedder=company.PATIENT)
    )
    async with build(settings, is_demo=True) as app:
        await app.prepare()
        await demo.load(app.uow)
        await lend_vectors(app)
        demo.mount(app)
        async with listening(app) as base:
            work = asyncio.create_task(app.work())
            await eventually(lambda: company.loaded(app, work), timeout_s=600)
            await keep_vectors(app)
            yield Running(app, base)
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work


@dataclass
class Window:
    """One browser window: a desk or a phone. Errors of its pages fail the test."""

    context: BrowserContext
    page: Page
    errors: list[str]

    async def looks(self, name: str, folder: Path) -> None:
        """Keep a screenshot beside the test's files."""
        await self.page.screenshot(path=folder / f"{name}.png")


class Windows:
    def __init__(self, browser: Browser, base: str) -> None:
        self._browser, self._base = browser, base
        self.all: list[Window] = []

    async def open(self, path: str, *, width: int = 1280, height: int = 720) -> Window:
        context = await self._browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", base_url=self._base
        )
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        window = Window(context, page, [])
        page.on("pageerror", lambda error: window.errors.append(str(error)))
        await page.goto(path)
        self.all.append(window)
        return window

    async def desk(self, username: str, *, online: bool = True) -> Window:
        """Log in at the console and go online."""
        window = await self.open("/")
        page = window.page
        await page.locator("input").first.fill(username)
        await page.locator("input[type=password]").fill(demo.PASSWORD)
        await page.keyboard.press("Enter")
        await page.locator("[data-test=presence]").wait_for()
        if online and "在线" not in await page.locator("[data-test=presence]").inner_text():
            await page.locator("[data-test=presence]").click()
            await page.get_by_role("menuitem", name="在线").first.click()
        return window


@pytest.fixture
async def windows(running: Running, chromium_path: str, tmp_path: Path) -> AsyncIterator[Windows]:
    async with async_playwright() as tool:
        browser = await tool.chromium.launch(
            executable_path=chromium_path, args=list(QUIET), timeout=3 * PATIENCE_MS
        )
        opened = Windows(browser, running.base)
        yield opened
        for number, window in enumerate(opened.all):
            await window.looks(f"end-{number}", tmp_path)
        await browser.close()
        assert [error for window in opened.all for error in window.errors] == []
