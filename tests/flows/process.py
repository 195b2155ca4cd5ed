"""The product as a process of its own, which can be killed without warning."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot import demo
from bot.config import Settings
from bot.migrate import migrate
from channels.wecom.sandbox import demo_seed as seed
from channels.wecom.sandbox.client import Sandbox
from core.actor import Actor
from core.clock import SystemClock
from core.db import UnitOfWork, make_engine
from core.settings.sections import Bot
from core.settings.service import put as put_setting
from tests.flows.vectors import lend_to_database
from tests.services import free_port
from tests.waiting import PATIENCE_S, eventually

ROOT = Path(__file__).parents[2]


async def prepare_database(url: str, folder: Path) -> None:
    """Tables, the demo company and its vectors."""
    await migrate(url)
    uow = UnitOfWork(make_engine(url), SystemClock())
    await demo.load(uow)
    async with uow.write() as tx:  # nobody is handed off: every line gets its own reply
        patient = Bot(handoff_after_misses=10).model_dump(mode="json")
        await put_setting(tx, Bot.key, patient, version=0, by=Actor.system("test"))
    await lend_to_database(uow, Settings(data_dir=folder, database_url=url))
    await uow.close()


@dataclass
class Product:
    """`wenqu run` on a port that stays the same over restarts."""

    database_url: str
    folder: Path
    sandbox: Sandbox
    role: str = "all"
    extra: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    _process: asyncio.subprocess.Process | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "WENQU_DATABASE_URL": self.database_url,
            "WENQU_DATA_DIR": str(self.folder),
            "WENQU_SECRET_KEY": "a-secret-for-tests-only-0123456789",
            "WENQU_HTTP__PORT": str(self.port),
            "WENQU_LOG__LEVEL": "WARNING",
            "WENQU_WECOM__API_BASE": self.sandbox.base_url,
            "WENQU_WECOM__CORP_ID": seed.CORP_ID,
            "WENQU_WECOM__APP__AGENT_ID": str(seed.AGENT_ID),
            "WENQU_WECOM__APP__SECRET": seed.APP_SECRET,
            "WENQU_WECOM__APP__TOKEN": seed.CALLBACK_TOKEN,
            "WENQU_WECOM__APP__AES_KEY": seed.CALLBACK_AES_KEY,
            "WENQU_WECOM__POLL_INTERVAL_S": "3",
            "WENQU_WECOM__RATE_LIMIT_WAIT_S": "1",
            "WENQU_EMBEDDER__WAIT_S": "60",
            "OMP_NUM_THREADS": "1",
            **self.extra,
        }

    async def start(self) -> None:
        log = (self.folder / "product.log").open("ab")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", "--role", self.role,
            cwd=ROOT, env=self._environment(), stdout=log, stderr=log,
        )  # fmt: skip
        log.close()

    async def is_ready(self) -> None:
        await eventually(self._answers, timeout_s=3 * PATIENCE_S)

    async def _answers(self) -> bool:
        assert self._process is not None
        if self._process.returncode is not None:
            raise AssertionError((self.folder / "product.log").read_text()[-3000:])
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{self.base}/healthz") as found:
                return found.status == 200
        except aiohttp.ClientError:
            return False

    async def kill(self) -> None:
        """As the out-of-memory killer does it: no warning, no clean-up."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
