"""The API over real HTTP, with users of each role."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import ClientResponse, ClientWebSocketResponse
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from admin_api.app import make_app
from admin_api.config import ApiConfig
from admin_api.services import Services
from admin_api.socket.hub import SocketHub
from core.actor import Actor
from core.attachments.blobs import LocalBlobs
from core.attachments.service import AttachmentStore
from core.clock import ManualClock
from core.db import SettingsReader, UnitOfWork
from core.local import in_process
from core.registration.sms import ConsoleSms
from core.sealing import KeyRing
from core.servicers import service as servicers
from core.settings.live import LiveSettings
from core.users import service
from core.users.service import NewUser
from core.views import Role

PASSWORD = "Correct-horse-7"


@dataclass
class Api:
    """A client of a running server. `token` may be overridden per call; None: not logged in."""

    client: TestClient[Any, Any]
    services: Services
    clock: ManualClock
    token: str | None = None

    async def call(
        self, method: str, path: str, json: object = None, *, status: int = 200, **more: Any
    ) -> Any:
        """Call, demand a status, return the JSON (None for an empty answer)."""
        response = await self.raw(method, path, json=json, **more)
        body = await response.text()
        assert response.status == status, f"{response.status} {body}"
        return await response.json(content_type=None) if body else None

    async def raw(self, method: str, path: str, **more: Any) -> ClientResponse:
        headers = dict(more.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if more.get("json") is None:
            more.pop("json", None)
        url = path if path.startswith(("/healthz", "/readyz", "/metrics")) else f"/api/v1{path}"
        return await self.client.request(method, url, headers=headers, **more)

    async def refused(
        self, method: str, path: str, json: object = None, *, status: int, code: str, **more: Any
    ) -> Any:
        """Demand a problem+json of that status and code."""
        response = await self.raw(method, path, json=json, **more)
        body = await response.json(content_type=None)
        assert (response.status, body["code"]) == (status, code), body
        assert response.content_type == "application/problem+json"
        assert set(body) >= {"type", "title", "status", "code"}
        return body

    async def socket(self, token: str | None = None) -> ClientWebSocketResponse:
        return await self.client.ws_connect(
            "/api/v1/ws", protocols=("wenqu", f"bearer.{token or self.token}")
        )

    def as_(self, token: str | None) -> Api:
        return Api(self.client, self.services, self.clock, token)


@pytest.fixture
def keyring() -> KeyRing:
    return KeyRing.from_secrets(["a secret of the tests only"])


@pytest.fixture
def config(tmp_path: Path) -> ApiConfig:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html><title>desk</title>")
    (static / "widget.js").write_text("// widget")
    (static / "assets" / "index-abcdef12.js").write_text("// app")
    for page in ("h5", "phone"):
        (static / page).mkdir()
        (static / page / "index.html").write_text(f"<!doctype html><title>{page}</title>")
    return ApiConfig(static_dir=static, is_demo=True)


@pytest.fixture
async def services(
    uow: UnitOfWork, keyring: KeyRing, config: ApiConfig, tmp_path: Path
) -> Services:
    settings = LiveSettings(uow)
    await settings.load()
    uow.settings = cast("SettingsReader", settings)
    return Services(
        uow=uow,
        settings=settings,
        files=AttachmentStore(uow, LocalBlobs(tmp_path / "blobs"), settings),
        limiter=in_process().rate_limiter,
        cache=in_process().key_value,
        keyring=keyring,
        hub=SocketHub(),
        config=config,
        channels=("sandbox",),
        sms=ConsoleSms(),
    )


@pytest.fixture
async def api(services: Services, clock: ManualClock) -> AsyncIterator[Api]:
    """Nobody is logged in."""
    async with TestClient(TestServer(make_app(services))) as client:
        yield Api(client, services, clock)


@pytest.fixture(scope="session")
def password_hash() -> str:
    return PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)


Login = Callable[..., Awaitable[Any]]


@pytest.fixture
def log_in(api: Api, uow: UnitOfWork, password_hash: str) -> Login:
    """`await log_in("servicer")` makes a user of that role, a servicer too, and logs in."""

    async def make(role: str, username: str | None = None) -> Api:
        name = username or role
        async with uow.write() as tx:
            new = NewUser(name, name.title(), password_hash, Role(role))
            user = await service.create(tx, new, by=Actor.system())
            await servicers.create(
                tx, user_id=user.id, name=user.name, capacity=5, by=Actor.system()
            )
        body = {"username": name, "password": PASSWORD}
        tokens = await api.as_(None).call("POST", "/auth/login", body)
        return api.as_(tokens["access_token"])

    return make


@pytest.fixture
async def admin(log_in: Login) -> Api:
    logged_in: Api = await log_in("admin")
    return logged_in


@pytest.fixture
async def supervisor(log_in: Login) -> Api:
    logged_in: Api = await log_in("supervisor")
    return logged_in


@pytest.fixture
async def servicer(log_in: Login) -> Api:
    logged_in: Api = await log_in("servicer")
    return logged_in
