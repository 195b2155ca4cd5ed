"""A desk whose line is cut while customers write: it comes back and has missed nothing."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from playwright.async_api import Page, WebSocket, expect
from sqlalchemy import func, select

from admin_api.endpoint import SERVICES
from admin_api.socket import replay
from core import bus
from core.db import UnitOfWork
from core.event_log import EventRow
from core.retention import purge_events
from tests.e2e.conftest import Running, Window, Windows
from tests.e2e.test_journey import enters, says, sees
from tests.waiting import eventually

pytestmark = pytest.mark.browser
LINES = 5


def resumptions(page: Page) -> list[bool]:
    """What the server says each time it lets this page's socket in; grows as it happens."""
    found: list[bool] = []

    def hear(frame: str | bytes) -> None:
        said = json.loads(frame)
        if said["op"] == "ready":
            found.append(said["resumed"])

    def watch(socket: WebSocket) -> None:
        socket.on("framereceived", hear)

    page.on("websocket", watch)
    return found


async def cut(running: Running, desk: Window) -> None:
    """The server drops every socket, and the desk cannot come back."""
    await desk.context.set_offline(True)
    running.app.api[SERVICES].hub.close()
    await eventually(lambda: _is_alone(running))


async def _is_alone(running: Running) -> bool:
    return not running.app.api[SERVICES].hub.connected_users()


async def _forgotten(uow: UnitOfWork) -> bool:
    """Is the event log trimmed to its newest event, as its readers have let go of the rest?"""
    async with uow.write() as tx:
        await purge_events(tx, tx.now + timedelta(days=1))
        return await tx.db.scalar(select(func.count()).select_from(EventRow)) == 1


async def test_a_reconnect_misses_nothing(
    windows: Windows, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await windows.desk("chenjing")
    phone = await enters(windows)
    await says(phone.page, "转人工")
    await desk.page.locator("[data-test=session-list]").get_by_text("王建国").first.click()
    await sees(desk.page, "transcript", "转人工")
    answers = resumptions(desk.page)

    async def misses(name: str) -> None:
        for number in range(LINES):
            await says(phone.page, f"{name}第 {number} 句")
        await sees(phone.page, "phone-chat", f"{name}第 {LINES - 1} 句")

    async def comes_back(name: str, *, resumed: bool) -> None:
        before = len(answers)
        await desk.context.set_offline(False)
        for number in range(LINES):
            line = desk.page.locator("[data-test=transcript]").get_by_text(f"{name}第 {number} 句")
            await expect(line).to_have_count(1)
        assert answers[before:] == [resumed]

    await cut(running, desk)
    await misses("短断")
    await comes_back("短断", resumed=True)

    monkeypatch.setattr(replay, "MAX_REPLAY", 3)  # away for longer than the server repeats
    await cut(running, desk)
    await misses("久断")
    await comes_back("久断", resumed=False)
    monkeypatch.undo()

    monkeypatch.setattr(bus, "MOST_UNSTORED", 0)  # or its readers let go of a thousand at once
    await cut(running, desk)
    await misses("清理")
    await eventually(lambda: _forgotten(running.app.uow))  # the log was trimmed meanwhile
    await comes_back("清理", resumed=False)
    await says(phone.page, "以后的话照常到")
    await sees(desk.page, "transcript", "以后的话照常到")
