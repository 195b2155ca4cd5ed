"""A fake Bot API at the wire, and Telegram behind the contract."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.telegram.adapter import Telegram
from channels.telegram.config import TelegramSettings
from channels.testing import MemoryServices
from core.content import Address

Json = dict[str, Any]
TOKEN = "123:abc"
CHAT = {"id": 77, "type": "private", "first_name": "小明"}
PERSON = {"id": 77, "is_bot": False, "first_name": "小明"}
ME = {"id": 123, "is_bot": True, "first_name": "问渠", "username": "wenqu_bot"}


@dataclass
class FakeBotApi:
    """`failure` is answered to everything while it is set: (status, body)."""

    updates: list[Json] = field(default_factory=list)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    failure: tuple[int, Json] | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    url: str = ""

    def server(self) -> TestServer:
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self._handle)
        app.router.add_get("/file/bot{token}/{path}", self._file)
        return TestServer(app)

    def called(self, method: str) -> list[Json]:
        return [body for name, body in self.calls if name == method]

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["path"]])

    async def _handle(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        body = {key: _read(value) for key, value in (await request.post()).items()}
        self.calls.append((method, body))
        if self.failure is not None:
            return web.json_response(self.failure[1], status=self.failure[0])
        return web.json_response({"ok": True, "result": self._result(method, body)})

    def _result(self, method: str, body: Json) -> object:
        match method:
            case "getMe":
                return ME
            case "getUpdates":
                offset = int(body.get("offset", 0))
                return [update for update in self.updates if update["update_id"] >= offset]
            case "getFile":
                name = body["file_id"]
                size = len(self.files[name])
                return {
                    "file_id": name,
                    "file_unique_id": name,
                    "file_size": size,
                    "file_path": name,
                }
            case "deleteMessage" | "answerCallbackQuery":
                return True
        number = len(self.calls)
        return {"message_id": number, "date": 1767229200, "chat": CHAT, "from": ME, "text": "x"}


def _read(value: object) -> object:
    return value.file.read() if isinstance(value, web.FileField) else value


@dataclass
class TelegramHarness:
    api: FakeBotApi
    memory: MemoryServices

    def __post_init__(self) -> None:
        settings = TelegramSettings.model_validate(
            {"token": TOKEN, "api_base": self.api.url, "poll_s": 0}
        )
        self.channel = Telegram(settings, self.memory.services)
        self.address = Address("telegram", "123", "77")

    def will_bring(self, **parts: Json) -> None:
        """Queue an update with these parts."""
        self.api.updates.append({"update_id": 100 + len(self.api.updates), **parts})

    def message(self, **fields: object) -> Json:
        number = len(self.api.updates)
        return {"message_id": number, "date": 1767229200, "chat": CHAT, "from": PERSON, **fields}

    async def someone_says(self, text: str) -> None:
        self.will_bring(message=self.message(text=text))
        await self.channel.receive()

    def shown(self) -> list[str]:
        return [body["text"] for body in self.api.called("sendMessage")]

    def cut_the_line(self) -> bool:
        self.api.failure = (502, {"ok": False, "error_code": 502, "description": "Bad Gateway"})
        return True

    def keyboard(self, number: int) -> list[list[Json]]:
        markup = json.loads(self.api.called("sendMessage")[number]["reply_markup"])
        rows: list[list[Json]] = markup["inline_keyboard"]
        return rows
