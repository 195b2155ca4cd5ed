"""The stage of a benchmark: sandbox and product as processes of their own, load from this one."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from importlib import resources
from pathlib import Path

import aiohttp
import psutil

from bot.burst import is_whole_question
from channels.wecom.sandbox import demo_seed as seed
from channels.wecom.sandbox.client import CustomerPhone, Sandbox
from tests import services
from tests.flows.process import ROOT, Product, prepare_database
from tests.services import free_port
from tests.waiting import eventually

QUESTIONS = [
    question
    for line in (resources.files("knowledge") / "data" / "demo_faq.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
    if is_whole_question(question := json.loads(line)["question"])
]
ACCOUNTS = (seed.CDC_ACCOUNT, seed.HOSPITAL_ACCOUNT)


@asynccontextmanager
async def sandbox_process() -> AsyncIterator[Sandbox]:
    """The sandbox alone, so that its work is not counted as ours."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "channels.wecom.sandbox", "--port", str(port),
        cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with Sandbox(f"http://127.0.0.1:{port}") as sandbox:
            await _until_up(sandbox)
            yield sandbox
    finally:
        process.terminate()
        await process.wait()


async def _until_up(sandbox: Sandbox) -> None:
    for _ in range(200):
        try:
            await sandbox.people()
        except OSError:
            await asyncio.sleep(0.05)
        else:
            return
    raise TimeoutError("the sandbox did not start")


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/bench.db"
        return
    server = services.postgres()
    try:
        yield server.url
    finally:
        server.stop()


@asynccontextmanager
async def product(
    kind: str, *, processes: int = 1
) -> AsyncIterator[tuple[list[Product], Sandbox, float]]:
    """Product processes over a sandbox; and how many seconds the first needed to be ready."""
    with tempfile.TemporaryDirectory() as name, database(kind, Path(name)) as url:
        folder = Path(name)
        await prepare_database(url, folder)
        async with sandbox_process() as sandbox:
            extra: dict[str, str] = {}
            cache = services.valkey() if processes > 1 else None
            if cache is not None:
                extra["WENQU_REDIS_URL"] = f"{cache.url}/0"
            running = [Product(url, folder, sandbox, extra=extra) for _ in range(processes)]
            target = f"{running[0].base}/callback/wecom/kf"
            await sandbox.set_callback(seed.AGENT_ID, url=target)
            started = time.perf_counter()
            await running[0].start()
            await running[0].is_ready()
            start_s = time.perf_counter() - started
            for one in running[1:]:
                await one.start()
                await one.is_ready()
            try:
                for one in running:  # questions wait for the index; that is not what we measure
                    await eventually(partial(_is_loaded, one.base))
                yield running, sandbox, start_s
            finally:
                for one in running:
                    await one.stop()
                if cache is not None:
                    cache.stop()


async def _is_loaded(base: str) -> bool:
    async with aiohttp.ClientSession() as http, http.get(f"{base}/readyz") as answer:
        return answer.status == 200


def cpu_s(running: Sequence[Product]) -> float:
    """Processor seconds that these processes have used so far."""
    spent = [psutil.Process(one.pid).cpu_times() for one in running]
    return float(sum(one.user + one.system for one in spent))


async def crowd(sandbox: Sandbox, count: int) -> list[CustomerPhone]:
    return [
        await sandbox.add_customer(f"客户{number}", ACCOUNTS[number % 2])
        for number in range(count)
    ]


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
