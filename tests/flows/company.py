"""A whole company for flow tests: the sandbox over real HTTP, the product, desks that log in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from bot import demo
from bot.app import App, build, listening
from bot.config import HttpSettings, Settings
from channels.wecom.sandbox import demo_seed as seed
from channels.wecom.sandbox.client import CustomerPhone, Sandbox, ServicerPhone, running_sandbox
from core.actor import Actor
from core.settings import service as settings_service
from core.settings.base import Section
from core.settings.sections import Bot
from knowledge.config import EmbedderSettings
from tests.flows.vectors import keep_vectors, lend_vectors
from tests.waiting import eventually

#: A busy machine encodes late; the answers are the same.
PATIENT = EmbedderSettings(wait_s=60)
CDC, HOSPITAL, VIP = seed.CDC_ACCOUNT, seed.HOSPITAL_ACCOUNT, seed.VIP_ACCOUNT


class Desk:
    """A servicer at the console: the HTTP API and the socket, nothing else."""

    def __init__(self, http: aiohttp.ClientSession, base: str, name: str) -> None:
        self._http, self._base, self.name = http, base, name
        self.token = ""
        self.servicer_id = ""
        self.events: list[dict[str, Any]] = []
        self._came = asyncio.Event()

    async def logs_in(self, password: str = demo.PASSWORD) -> None:
        body = {"username": self.name, "password": password}
        answer = await self.post("/auth/login", body)
        self.token = answer["access_token"]
        me = await self.get("/auth/me")
        self.servicer_id = me["servicer"]["id"]

    async def is_online(self) -> None:
        await self.call("PUT", "/servicers/me/presence", {"presence": "online"})

    async def get(self, path: str, **query: Any) -> Any:
        return await self.call("GET", path, params=query)

    async def post(self, path: str, body: Any = None, *, status: int = 0) -> Any:
        return await self.call("POST", path, body, status=status)

    async def call(
        self, method: str, path: str, body: Any = None, *, params: Any = None, status: int = 0
    ) -> Any:
        """status 0: any success will do."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self._http.request(
            method, f"{self._base}/api/v1{path}", json=body, params=params, headers=headers
        ) as answer:
            text = await answer.text()
            is_fine = answer.status == status if status else answer.status < 400
            assert is_fine, f"{method} {path}: {answer.status} {text}"
            return await answer.json(content_type=None) if text else None

    # --- work --------------------------------------------------------------------------------

    async def sessions(self, view: str = "mine") -> list[dict[str, Any]]:
        return list((await self.get("/sessions", view=view))["items"])

    async def gets_session(self, customer: str = "") -> dict[str, Any]:
        """Wait until a session (of this customer) is mine."""

        async def find() -> dict[str, Any] | None:
            for one in await self.sessions("mine"):
                if customer in one["customer_name"]:
                    return one
            return None

        return await eventually(find)

    async def says(self, session: dict[str, Any], text: str, **more: Any) -> list[dict[str, Any]]:
        content = {"type": "text", "text": text}
        return await self.posts(session, content, **more)

    async def posts(
        self, session: dict[str, Any], content: dict[str, Any], *, status: int = 0, **more: Any
    ) -> Any:
        body = {"content": content, "client_id": uuid4().hex, **more}
        answer = await self.post(f"/sessions/{session['id']}/messages", body, status=status)
        return answer["items"] if isinstance(answer, dict) and "items" in answer else answer

    async def transcript(self, session: dict[str, Any]) -> list[dict[str, Any]]:
        answer = await self.get(f"/sessions/{session['id']}/messages", limit=200)
        return list(answer["items"])

    async def closes(self, session: dict[str, Any]) -> dict[str, Any]:
        return await self.post(f"/sessions/{session['id']}/close", {})

    async def reads(self, session: dict[str, Any], part: str) -> dict[str, Any]:
        """Wait until a line with these words is in the transcript."""

        async def find() -> dict[str, Any] | None:
            for line in await self.transcript(session):
                if part in str(line["content"]):
                    return line
            return None

        return await eventually(find)


@dataclass
class Company:
    """The running product with its sandbox."""

    app: App
    base: str
    sandbox: Sandbox
    http: aiohttp.ClientSession
    names: dict[str, str] = field(default_factory=dict)

    def customer(self, number: int = 1, account: str = CDC) -> CustomerPhone:
        return self.sandbox.customer(f"wmDemoCustomer{number:016d}", account)

    def phone_of(self, userid: str) -> ServicerPhone:
        return self.sandbox.servicer(userid)

    async def desk(self, name: str, *, online: bool = True) -> Desk:
        desk = Desk(self.http, self.base, name)
        await desk.logs_in()
        if online:
            await desk.is_online()
        return desk

    async def sets(self, section: Section) -> None:
        """Change a settings section, as an administrator would."""
        await put(self.app, section)


async def put(app: App, section: Section) -> None:
    async with app.uow.write() as tx:
        admin = Actor.system("test")
        value = section.model_dump(mode="json")
        from core.settings.models import SettingRow

        row = await tx.db.get(SettingRow, section.key)
        version = row.version if row else 0
        await settings_service.put(tx, section.key, value, version=version, by=admin)
    await app.live.load()


@asynccontextmanager
async def company(
    database_url: str, folder: Path, *, faults: Mapping[str, int] | None = None, **more: Any
) -> AsyncIterator[Company]:
    """Sandbox and product, each with its own HTTP server on a free port.

    faults: API paths that refuse from the start, with their errcodes.
    """
    async with running_sandbox(seed.demo_seed(None)) as sandbox:
        for path, errcode in (faults or {}).items():
            await sandbox.fault("errcode", api=path, errcode=errcode, rate=1.0)
        settings = demo.demo_settings(
            Settings(
                data_dir=folder,
                database_url=database_url,
                http=HttpSettings(port=0),
                embedder=PATIENT,
                **more,
            )
        )
        wecom = settings.wecom.model_copy(
            update={"api_base": sandbox.base_url, "poll_interval_s": 2.0}
        )
        settings = settings.model_copy(update={"wecom": wecom})
        async with running(settings) as (app, base), aiohttp.ClientSession() as http:
            url = f"{base}/callback/wecom/kf"
            await sandbox.set_callback(seed.AGENT_ID, url=url)
            yield Company(app, base, sandbox, http)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[tuple[App, str]]:
    """One process's worth of the product."""
    async with build(settings, is_demo=True) as app:
        await app.prepare()
        await demo.load(app.uow)
        await put(app, Bot(burst_quiet_s=0.4, burst_max_s=3))
        await lend_vectors(app)
        async with listening(app) as base:
            work = asyncio.create_task(app.work())
            try:
                await eventually(lambda: loaded(app, work), timeout_s=600)
                await keep_vectors(app)
                yield app, base
            finally:
                work.cancel()
                with suppress(asyncio.CancelledError):
                    await work


async def loaded(app: App, work: asyncio.Task[None]) -> bool:
    if work.done():
        work.result()
    return len(app.answerer) >= 120
