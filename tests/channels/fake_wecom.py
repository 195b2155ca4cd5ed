"""A vendor-shaped WeCom at the wire: tokens, canned answers, and a record of what was asked."""

import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

PAYLOADS = Path(__file__).parent / "payloads"

Json = dict[str, Any]
Answer = Json | web.Response | Callable[[Json], Json]


def payload(name: str) -> Json:
    document: Json = json.loads((PAYLOADS / name).read_text())
    return document


@dataclass
class Call:
    path: str
    query: dict[str, str]
    body: Json
    raw: bytes


@dataclass
class FakeWeCom:
    """`answers[path]` is taken one by one, then `defaults[path]`, then a bare success."""

    answers: dict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    defaults: dict[str, Answer] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    valid_tokens: set[str] = field(default_factory=set)
    issued: int = 0
    url: str = ""

    def will_answer(self, path: str, *answers: Answer) -> None:
        self.answers[path].extend(answers)

    def called(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    def bodies(self, path: str) -> list[Json]:
        return [call.body for call in self.called(path)]

    def expire_tokens(self) -> None:
        self.valid_tokens.clear()

    def server(self) -> TestServer:
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_route("*", "/cgi-bin/{path:.+}", self._handle)
        return TestServer(app)

    async def _handle(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        raw = await request.read()
        body = json.loads(raw) if request.content_type == "application/json" and raw else {}
        self.calls.append(Call(path, dict(request.query), body, raw))
        if path not in {"gettoken"} and request.query.get("access_token") not in self.valid_tokens:
            return web.json_response({"errcode": 42001, "errmsg": "access_token expired"})
        answer = self._answer(path, body)
        return answer if isinstance(answer, web.Response) else web.json_response(answer)

    def _answer(self, path: str, body: Json) -> Json | web.Response:
        queue = self.answers[path]
        answer = queue.popleft() if queue else self.defaults.get(path)
        if callable(answer):
            return answer(body)
        if answer is not None:
            return answer
        if path == "gettoken":
            return self.issue_token()
        return {"errcode": 0, "errmsg": "ok"}

    def issue_token(self) -> Json:
        self.issued += 1
        token = f"token-{self.issued}"
        self.valid_tokens.add(token)
        return {"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": 7200}
