"""What a check may look at, and how it says what it saw."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from bot.config import Settings
from bot.embedding import post_json
from channels.base import AccountInfo
from channels.errors import ChannelError
from channels.http import HttpClient
from channels.wecom.client import WeComClient
from channels.wecom.errcodes import explain
from channels.wecom.tokens import AccessTokens, Application
from core.clock import SystemClock
from core.db import UnitOfWork, make_engine
from core.diagnosis import Status
from core.local import SmallPorts, in_process
from knowledge.config import make_encoder
from knowledge.encoders import Role

#: Seconds that one text took, for a model that answered.
Encode = Callable[[str], Awaitable[object]]
#: How long the platform may take for one answer.
PLATFORM_WITHIN_S: Final = 8.0
_ADDRESS: Final = re.compile(r"from ip: ?([0-9a-fA-F.:]+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check says about one thing."""

    status: Status
    detail: str
    advice: str = ""
    code: str = ""


def ok(detail: str) -> Outcome:
    return Outcome(Status.OK, detail)


def warn(detail: str, advice: str = "") -> Outcome:
    return Outcome(Status.WARN, detail, advice)


def fail(detail: str, advice: str = "") -> Outcome:
    return Outcome(Status.FAIL, detail, advice)


def skip(detail: str) -> Outcome:
    return Outcome(Status.SKIP, detail)


def refused(error: ChannelError, about: str = "") -> Outcome:
    """What the platform said, with the page to click from the table of error codes."""
    prefix = f"{about}：" if about else ""
    if not re.fullmatch(r"-?\d+", error.vendor_code or ""):
        advice = "检查服务器能否访问企业微信接口（DNS、防火墙、代理），稍后重试。"
        return fail(f"{prefix}没有得到企业微信的回答（{error.reason}）。", advice)
    row = explain(int(error.vendor_code or 0))
    found = _ADDRESS.search(error.reason)
    where = f"企业微信看到的 IP 是 {found[1]}。" if found else ""
    detail = f"{prefix}错误码 {row.code}：{row.meaning}。"
    return Outcome(Status.FAIL, detail, f"{where}{row.advice}", str(row.code))


@dataclass(slots=True)
class Subject:
    """The installation under examination. accounts: filled by the check that reads them."""

    settings: Settings
    uow: UnitOfWork
    ports: SmallPorts
    http: HttpClient
    encode: Encode
    accounts: list[AccountInfo] = field(default_factory=list)

    @property
    def applications(self) -> Sequence[tuple[str, str]]:
        """(name, secret) of every application that is configured, each secret once."""
        wecom = self.settings.wecom
        rows = (
            ("微信客服", wecom.kf_effective.secret),
            ("自建应用", wecom.app.secret),
            ("客户联系", wecom.contact.secret),
        )
        named: dict[str, list[str]] = {}
        for name, secret in rows:
            if secret.get_secret_value():
                named.setdefault(secret.get_secret_value(), []).append(name)
        return [("、".join(names), secret) for secret, names in named.items()]

    def tokens(self, secret: str) -> AccessTokens:
        kv, lock = self.ports.key_value, self.ports.locks
        return AccessTokens(self.http, self._application(secret), cache=kv, lock=lock)

    def client(self, secret: str) -> WeComClient:
        kv, lock = self.ports.key_value, self.ports.locks
        return WeComClient.connect(self.http, self._application(secret), cache=kv, lock=lock)

    @property
    def kf(self) -> WeComClient:
        return self.client(self.settings.wecom.kf_effective.secret.get_secret_value())

    def _application(self, secret: str) -> Application:
        wecom = self.settings.wecom
        return Application(wecom.api_root, wecom.corp_id, secret)


@asynccontextmanager
async def open_subject(settings: Settings) -> AsyncIterator[Subject]:
    """For the command line: everything is made for the occasion and closed after it."""
    uow = UnitOfWork(make_engine(settings.database, pool_size=2), SystemClock())
    http = HttpClient(timeout_s=PLATFORM_WITHIN_S)
    encoder = make_encoder(settings.embedder, post_json, settings.data_dir / "models")

    async def encode(text: str) -> object:
        return await encoder.encode([text], Role.QUERY)

    try:
        yield Subject(settings, uow, in_process(), http, encode)
    finally:
        await encoder.close()
        await http.close()
        await uow.close()
