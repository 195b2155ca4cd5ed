"""Chat under load: acknowledgement, latency, throughput; ours and a bare echo bot's."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import aiohttp

from channels.wecom.crypto import CallbackCrypto
from channels.wecom.sandbox import demo_seed as seed
from channels.wecom.sandbox.client import CustomerPhone, Sandbox
from tests.flows.process import ROOT, Product
from tests.services import free_port
from tools.bench.stage import (
    ACCOUNTS,
    QUESTIONS,
    cpu_s,
    crowd,
    percentile,
    sandbox_process,
)

Rows = dict[str, float]


async def acknowledgement(base: str, *, per_s: int = 100, seconds: int = 10) -> Rows:
    """Callbacks at a steady rate, each timed from request to answer. Milliseconds."""
    crypto = CallbackCrypto(seed.CALLBACK_TOKEN, seed.CALLBACK_AES_KEY, seed.CORP_ID)
    times: list[float] = []
    async with aiohttp.ClientSession() as http:

        async def one(number: int) -> None:
            now = str(int(time.time()))
            plain = (
                f"<xml><ToUserName><![CDATA[{seed.CORP_ID}]]></ToUserName>"
                f"<CreateTime>{now}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
                f"<Event><![CDATA[kf_msg_or_event]]></Event><Token><![CDATA[T{number}]]></Token>"
                f"<OpenKfId><![CDATA[{ACCOUNTS[number % 2]}]]></OpenKfId></xml>"
            )
            sealed = crypto.encrypt(plain, timestamp=now, nonce=str(number))
            signed = {
                "msg_signature": sealed.signature, "timestamp": now, "nonce": str(number),
            }  # fmt: skip
            began = time.perf_counter()
            url = f"{base}/callback/wecom/kf"
            async with http.post(url, params=signed, data=sealed.xml) as answer:
                await answer.read()
                assert answer.status == 200, answer.status  # noqa: S101 - a benchmark's check
            times.append((time.perf_counter() - began) * 1000)

        await at_rate([partial(one, n) for n in range(per_s * seconds)], per_s)
    return {"ack p50 ms": percentile(times, 0.5), "ack p99 ms": percentile(times, 0.99)}


async def latency(sandbox: Sandbox, *, per_s: int = 50, seconds: int = 15) -> Rows:
    """Customer's message → answer handed to the platform, by the platform's own clock.

    First each question for the first time, so that every line has to be embedded; then again.
    """
    new = await _waits_of(sandbox, len(QUESTIONS), per_s)
    known = await _waits_of(sandbox, per_s * seconds, per_s)
    return {
        f"answer {name}, {kind} ms": percentile(waits, share) * 1000
        for kind, waits in (("asked before", known), ("never asked", new))
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }


async def _waits_of(sandbox: Sandbox, count: int, per_s: int) -> list[float]:
    people = await crowd(sandbox, per_s * 4)
    before = await _sent(sandbox)
    jobs = [
        lambda n=n: people[n % len(people)].says(QUESTIONS[n % len(QUESTIONS)])
        for n in range(count)
    ]
    await at_rate(jobs, per_s)
    await _all_answered(sandbox, before + count)
    return [wait for phone in people for wait in _waits(await phone.transcript())]


async def throughput(
    sandbox: Sandbox, running: Sequence[Product] = (), *, customers: int = 600, lines: int = 5
) -> Rows:
    """As many messages as the reply windows allow, all at once; answered per second.

    Each question has been asked once before: this is a day in progress, not its first minute.

    running: whose processor time is told as well; it does not depend on who else is working.
    """
    await _waits_of(sandbox, len(QUESTIONS), per_s=len(QUESTIONS))
    people = await crowd(sandbox, customers)
    before = await _sent(sandbox)
    began, spent_s = time.perf_counter(), cpu_s(running)
    await asyncio.gather(*(_talk(phone, number, lines) for number, phone in enumerate(people)))
    await _all_answered(sandbox, before + customers * lines)
    elapsed_s, spent_s = time.perf_counter() - began, cpu_s(running) - spent_s
    return {
        "processor ms / message": 1000 * spent_s / (customers * lines),
        "answered / s": customers * lines / elapsed_s,
    }


async def _talk(phone: CustomerPhone, number: int, lines: int) -> None:
    for line in range(lines):
        await phone.says(QUESTIONS[(number * lines + line) % len(QUESTIONS)])


async def _sent(sandbox: Sandbox) -> int:
    return int(str((await sandbox.counters())["sent_messages"]))


async def _all_answered(sandbox: Sandbox, wanted: int) -> None:
    """Wait until so many messages were sent; give up when none was for half a minute."""
    best, since = -1, time.perf_counter()
    while (sent := await _sent(sandbox)) < wanted:
        if sent > best:
            best, since = sent, time.perf_counter()
        elif time.perf_counter() - since > 30:
            raise TimeoutError(f"{sent} of {wanted} answers")
        await asyncio.sleep(0.05)


def _waits(lines: Sequence[object]) -> list[float]:
    """Seconds between each customer line and the answer that follows it, pairwise."""
    asked: list[float] = []
    waits: list[float] = []
    for line in lines:
        at, side = float(str(line.raw["at"])), line.side  # type: ignore[attr-defined]  # Line
        if side == "customer":
            asked.append(at)
        elif asked:
            waits.append(at - asked.pop(0))
    return waits


async def at_rate(jobs: Sequence[Callable[[], Awaitable[object]]], per_s: int) -> None:
    """Start the jobs evenly, whether or not earlier ones have ended."""
    began = time.perf_counter()
    running = []
    for number, job in enumerate(jobs):
        delay = began + number / per_s - time.perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        running.append(asyncio.ensure_future(job()))
    await asyncio.gather(*running)


@asynccontextmanager
async def echo_bot() -> AsyncIterator[Sandbox]:
    """The echo bot in a process of its own, over a fresh sandbox."""
    async with sandbox_process() as sandbox:
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tools.bench.echo", sandbox.base_url, str(port), cwd=ROOT
        )
        await sandbox.set_callback(seed.AGENT_ID, url=f"http://127.0.0.1:{port}/callback/wecom/kf")
        await asyncio.sleep(1.5)
        try:
            yield sandbox
        finally:
            process.terminate()
            await process.wait()
