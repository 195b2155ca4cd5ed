"""Consoles under load: how soon after a change every open one has heard of it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp

from bot import demo
from tools.bench.stage import percentile, product

SOCKETS, CHANGES = 500, 40


async def _open(http: aiohttp.ClientSession, token: str) -> aiohttp.ClientWebSocketResponse:
    socket = await http.ws_connect("/api/v1/ws", protocols=("wenqu", f"bearer.{token}"))
    await socket.send_json({"op": "hello", "last_event_id": None})
    await socket.receive()
    return socket


async def _heard_at(socket: aiohttp.ClientWebSocketResponse) -> float:
    """The moment at which this console hears of a changed setting."""
    async for message in socket:
        if '"setting.changed"' in message.data:
            return time.perf_counter()
    raise ConnectionError("a console was shut out")


async def bench_sockets() -> list[tuple[str, float, str]]:
    """From sending a change to its event on each console: more than from its commit."""
    rows = []
    for kind in ("sqlite", "postgres"):
        async with product(kind) as (running, _, _):
            waits = await _waits(running[0].base)
        for share in (0.5, 0.99):
            name = f"change → event, {SOCKETS} sockets, p{share * 100:g}, {kind}"
            rows.append((name, percentile(waits, share) * 1000, "ms (p99 ≤ 100)"))
    return rows


async def _waits(base: str) -> list[float]:
    unlimited = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(base, connector=unlimited, raise_for_status=True) as http:
        login = {"username": "admin", "password": demo.PASSWORD}
        async with http.post("/api/v1/auth/login", json=login) as answer:
            token = (await answer.json())["access_token"]
        consoles = [await _open(http, token) for _ in range(SOCKETS)]
        head = {"Authorization": f"Bearer {token}"}
        async with http.get("/api/v1/settings", headers=head) as answer:
            section: dict[str, Any] = next(x for x in await answer.json() if x["key"] == "bot")
        waits: list[float] = []
        for number in range(CHANGES):
            hearing = [asyncio.create_task(_heard_at(one)) for one in consoles]
            value = section["value"] | {"show_source": bool(number % 2)}
            body = {"value": value, "version": section["version"]}
            changed_at = time.perf_counter()
            async with http.put("/api/v1/settings/bot", json=body, headers=head) as answer:
                section = await answer.json()
            waits += [at - changed_at for at in await asyncio.gather(*hearing)]
        await asyncio.gather(*(one.close() for one in consoles))
    return waits
