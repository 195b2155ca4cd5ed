"""Ctrl-C and SIGTERM: gone in a moment, whatever was under way, and without a traceback."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import aiohttp
import pytest

from channels.wecom.sandbox import demo_seed as seed
from tests.bot.processes import Process, wenqu

#: Shorter than the longest wait of a phone, longer than a busy machine needs.
A_MOMENT_S = 20.0


def check(process: Process, elapsed_s: float) -> None:
    said = process.said
    assert process.process.returncode == 0, said[-3000:]
    assert "Traceback" not in said, said[-3000:]
    assert "never retrieved" not in said
    assert "was destroyed" not in said
    assert "process.gave_up" not in said
    assert elapsed_s < A_MOMENT_S


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_demo_stops_while_it_computes_vectors_and_phones_are_open(
    number: signal.Signals, tmp_path: Path
) -> None:
    async with wenqu("demo", folder=tmp_path) as process, aiohttp.ClientSession() as http:
        await process.listens()
        phone = f"{process.base}/phone/api"
        customer = f"wmDemoCustomer{1:016d}"
        async with http.ws_connect(f"{phone}/ws?as=customer:{customer}:{seed.CDC_ACCOUNT}"):
            thread = f"{phone}/customers/{customer}/threads/{seed.CDC_ACCOUNT}"
            waiting = asyncio.create_task(http.get(f"{thread}?after=999&wait=25"))
            await asyncio.sleep(0.05)
            elapsed_s = await process.stops_on(number)
            await asyncio.gather(waiting, return_exceptions=True)
        check(process, elapsed_s)
        assert "process.stopping" in process.said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_server_with_an_unreachable_platform_stops(
    number: signal.Signals, tmp_path: Path
) -> None:
    extra = {
        "WENQU_SECRET_KEY": "a-secret-for-tests-only-0123456789",
        "WENQU_WECOM__API_BASE": "http://127.0.0.1:9",
        "WENQU_WECOM__CORP_ID": seed.CORP_ID,
        "WENQU_WECOM__APP__AGENT_ID": str(seed.AGENT_ID),
        "WENQU_WECOM__APP__SECRET": seed.APP_SECRET,
    }
    async with wenqu("run", folder=tmp_path, extra=extra) as process:
        await process.listens()
        check(process, await process.stops_on(number))
