"""Fetching changes from an OA at the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.jobs import oa as job
from channels.http import HttpClient
from channels.oa.config import OaSettings
from channels.oa.fake import PATH, FakeOa
from channels.oa.source import HttpOa
from core.db import UnitOfWork
from core.errors import Conflict
from core.oa import pull
from core.oa.pull import PULL_TIMER
from core.ownership.queries import OaKind
from core.ports import OaPage, SendFailure
from core.sealing import KeyRing
from core.settings.live import LiveSettings
from core.timers import service as timers

KEYS = KeyRing.from_secrets(["a secret of the tests only"])


@pytest.fixture
def fake() -> FakeOa:
    oa = FakeOa(key="the key", per_page=2)
    for number in range(5):
        oa.tell("institution", id=f"o{number}", version=1, name=f"第{number}医院")
    oa.tell("contact", id="p1", version=1, name="林晓", institution_id="o4")
    return oa


@pytest.fixture
async def source(fake: FakeOa) -> AsyncIterator[HttpOa]:
    app = web.Application()
    fake.mount(app)
    http = HttpClient()
    async with TestServer(app) as server:
        settings = OaSettings(url=str(server.make_url(PATH)), key=SecretStr("the key"))
        yield HttpOa(http, settings)
        await http.close()


async def test_everything_is_read_once_and_then_only_what_is_new(
    uow: UnitOfWork, fake: FakeOa, source: HttpOa
) -> None:
    await pull.pull(uow, KEYS, source)
    async with uow.read() as tx:
        first = await pull.state(tx)
    assert first.linked == {OaKind.INSTITUTION: 5, OaKind.CONTACT: 1}
    assert (first.conflicts, first.error) == (0, "")
    assert first.read_at is not None
    fake.tell("institution", id="o1", version=2, name="第一人民医院")
    await pull.pull(uow, KEYS, source)
    async with uow.read() as tx:
        newest = (await pull.state(tx)).runs[0]
    assert (newest.source, newest.counts) == ("pull", {"updated": 1})


async def test_two_who_fetch_at_once_take_each_page_once(uow: UnitOfWork, source: HttpOa) -> None:
    results = await asyncio.gather(
        *(pull.pull(uow, KEYS, source) for _ in range(3)), return_exceptions=True
    )
    assert all(one is None or isinstance(one, Conflict) for one in results), results
    await pull.pull(uow, KEYS, source)
    async with uow.read() as tx:
        found = await pull.state(tx)
    assert found.linked == {OaKind.INSTITUTION: 5, OaKind.CONTACT: 1}
    counts = [run.counts for run in found.runs]
    assert sum(one.get("created", 0) for one in counts) == 6
    assert sum(one.get("updated", 0) for one in counts) == 0


async def test_an_oa_that_is_away_is_said_so_and_read_later(
    uow: UnitOfWork, fake: FakeOa, source: HttpOa
) -> None:
    live = LiveSettings(uow)
    await job.ensure(uow)
    fake.is_down = True
    for is_down in (True, False):
        fake.is_down = is_down
        async with uow.write() as tx:
            (timer,) = await timers.claim_due(tx, limit=5)
        assert timer.kind == PULL_TIMER
        await job.fetch(uow, live, KEYS, source, timer)
        async with uow.read() as tx:
            found = await pull.state(tx)
        assert bool(found.error) == is_down
        assert len(found.linked) == (0 if is_down else 2)
        uow.clock.advance(seconds=600)  # type: ignore[attr-defined]  # the tests' clock
    assert "502" not in found.error


async def test_nonsense_from_the_oa_moves_nothing(uow: UnitOfWork) -> None:
    class Odd:
        async def changes(self, cursor: str) -> OaPage:
            del cursor
            return OaPage([{"id": "o1", "version": 1, "name": "没有 type"}], "9", has_more=False)

    with pytest.raises(SendFailure):
        await pull.pull(uow, KEYS, Odd())
    async with uow.read() as tx:
        found = await pull.state(tx)
    assert "type" in found.error
    assert found.read_at is None
