"""The reply window is about to close: whoever serves is told in WeCom, and sees it on the desk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.desk.news import WINDOW_TIMER
from core.clock import SystemClock
from core.settings.reception import Reception
from core.timers.models import TimerRow
from tests.flows.app_chat import AppChat, words
from tests.flows.company import Company, company
from tests.waiting import eventually

TWO_DAYS = 48 * 3600


async def test_two_hours_before_it_closes_the_servicer_is_warned(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with company(database_url, tmp_path) as demo:
        await demo.sets(Reception(customer_silent_s=TWO_DAYS, customer_close_s=TWO_DAYS))
        chen, wang = AppChat(demo.phone_of("chenjing")), demo.customer(1)
        await chen.asks("在线", "您现在是「在线」")
        await wang.says("转人工")
        await chen.reads("#1 王建国（云岭县疾控中心） 已接入")
        await chen.types("我去查一下日志，查到了告诉您")
        await wang.hears("我去查一下日志")
        due = await eventually(lambda: warned_at(demo))
        assert not await chen.lines("的回复窗口")

        ahead = due - datetime.now(UTC) + timedelta(minutes=1)
        monkeypatch.setattr(SystemClock, "now", lambda _self: datetime.now(UTC) + ahead)
        warning = words(await chen.reads("的回复窗口"))
        assert warning.startswith("#1 王建国（云岭县疾控中心） 的回复窗口")
        assert "还可发" in warning

        desk = await demo.desk("chenjing", online=False)
        window = (await desk.gets_session("王建国"))["window"]
        assert datetime.fromisoformat(window["warn_at"]) == due
        assert datetime.fromisoformat(window["until"]) - due == timedelta(hours=2)
        assert window["left"] > 0
        assert len(await chen.lines("的回复窗口")) == 1


async def warned_at(demo: Company) -> datetime | None:
    async with demo.app.uow.read() as tx:
        return await tx.db.scalar(select(TimerRow.due_at).where(TimerRow.kind == WINDOW_TIMER))
