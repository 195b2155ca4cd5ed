"""Settings: stored over defaults, checked, versioned, live in the process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.actor import Actor
from core.db import UnitOfWork
from core.errors import Conflict, Forbidden, Invalid
from core.events import SettingChanged
from core.settings.live import LiveSettings
from core.settings.models import SettingRow
from core.settings.queries import get
from core.settings.reception import Rating, Reception
from core.settings.sections import SECTIONS, Bot
from core.settings.service import put

ADMIN = Actor.system()


async def _put(uow: UnitOfWork, key: str, version: int, **changes: Any) -> None:
    async with uow.write() as tx:
        value = (await get(tx, SECTIONS[key])).model_dump(mode="json") | changes
        await put(tx, key, value, version=version, by=ADMIN)


async def test_live_settings_follow_the_event(uow: UnitOfWork) -> None:
    live = LiveSettings(uow)
    await live.load()
    assert live.get(Reception).default_capacity == 5
    await _put(uow, "reception", 0, default_capacity=8)
    assert live.get(Reception).default_capacity == 5
    await live.apply(SettingChanged(key="bot", by="x"))
    assert live.get(Reception).default_capacity == 5
    await live.apply(SettingChanged(key="reception", by="x"))
    assert live.get(Reception).default_capacity == 8
    another_process = LiveSettings(uow)
    await another_process.load()
    assert another_process.get(Reception).default_capacity == 8


async def test_one_event_per_change_and_none_without(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        value = Rating().model_dump(mode="json") | {"thanks": "谢谢"}
        await put(tx, "rating", value, version=0, by=ADMIN)
        await put(tx, "rating", value, version=1, by=ADMIN)
        assert [event.type for event in tx.emitted] == ["audit.recorded", "setting.changed"]


async def test_the_second_of_two_first_writers_gets_a_conflict(uow: UnitOfWork) -> None:
    results = await asyncio.gather(
        *(_put(uow, "bot", 0, handoff_after_misses=number) for number in (3, 4, 5)),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == [
        "Conflict",
        "Conflict",
        "NoneType",
    ]
    with pytest.raises(Conflict):
        await _put(uow, "bot", 7, handoff_after_misses=2)


async def test_only_those_permitted_may_change_settings(uow: UnitOfWork) -> None:
    nobody = Actor("u", None, "n", None, frozenset())
    async with uow.write() as tx:
        with pytest.raises(Forbidden):
            await put(tx, "bot", {}, version=0, by=nobody)
        with pytest.raises(Invalid):
            await put(tx, "bot", {"unknown": 1}, version=0, by=ADMIN)


async def test_a_stored_value_of_another_version_is_read_leniently(
    uow: UnitOfWork, caplog: pytest.LogCaptureFixture
) -> None:
    stored = {"greeting": "欢迎", "gone": 1, "handoff_after_misses": 999}
    async with uow.write() as tx:
        tx.db.add(SettingRow(key="bot", value=stored, updated_at=tx.now, version=3))
    async with uow.read() as tx:
        bot = await get(tx, Bot)
    assert (bot.greeting, bot.handoff_after_misses) == ("欢迎", 2)
    assert "out of bounds" in caplog.text
