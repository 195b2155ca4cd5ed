"""`wenqu …` as a process of its own, with its output in a file."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.flows.process import ROOT
from tests.services import free_port
from tests.waiting import PATIENCE_S, eventually


@dataclass
class Process:
    process: asyncio.subprocess.Process
    log: Path
    port: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    async def listens(self) -> None:
        await eventually(self._answers, timeout_s=3 * PATIENCE_S)

    async def says(self, part: str) -> None:
        async def find() -> bool:
            return part in self.said or self.process.returncode is not None

        await eventually(find)
        assert part in self.said, self.said[-3000:]

    async def stops_on(self, number: signal.Signals) -> float:
        """Seconds from the signal to the end."""
        started = time.monotonic()
        self.process.send_signal(number)
        await asyncio.wait_for(self.process.wait(), PATIENCE_S)
        return time.monotonic() - started

    async def _answers(self) -> bool:
        assert self.process.returncode is None, self.said[-3000:]
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{self.base}/healthz") as found:
                return found.status == 200
        except aiohttp.ClientError:
            return False


@asynccontextmanager
async def wenqu(
    *arguments: str, folder: Path, port: int = 0, extra: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """Killed at the end when it still runs."""
    port = port or free_port()
    environment = {
        **os.environ,
        "WENQU_DATA_DIR": str(folder / "data"),
        "WENQU_HTTP__PORT": str(port),
        "WENQU_STOP_WITHIN_S": "60",
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "40",
        **(extra or {}),
    }
    log = folder / f"{arguments[0]}-{port}.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *arguments,
            cwd=ROOT, env=environment, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield Process(process, log, port)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
