"""@endpoint: one typed function per route, and everything that all routes share.

A function names what it needs by type: `call: Call` first, then any of `tx: Tx` (a transaction,
writing unless the method is GET), `query` and `body` (pydantic models), and path parts as `str`.
What it returns is its answer: a model, a list of models, None (204), or a ready response.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_type_hints

from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from admin_api.auth import client_ip, identify, limit_requests
from admin_api.body import check_text, parse_body, parse_query, read_capped
from admin_api.services import Services
from core import idempotency
from core.actor import Actor
from core.db import Tx
from core.errors import Invalid, Unauthenticated
from core.permissions import Permission

BASE: Final = "/api/v1"
SERVICES: Final = web.AppKey("services", Services)
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
#: public: no token. login: any user. Otherwise the permission that is asked for.
Access = Literal["public", "login"] | Permission
MAX_KEY_CHARS: Final = 128


@dataclass(frozen=True, slots=True)
class Call:
    """One request: who asks, from where, and the services. actor is nobody on public routes."""

    services: Services
    request: web.Request
    actor: Actor
    ip: str
    device_id: str = ""


NOBODY: Final = Actor(None, None, "nobody", None, frozenset())


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route with its types; callable by aiohttp, readable by openapi.py."""

    method: Method
    path: str
    access: Access
    tag: str
    function: Callable[..., Awaitable[object]]
    status: int
    multipart: bool
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    takes_tx: bool
    result: Any
    adapter: TypeAdapter[Any] | None = field(repr=False)

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def summary(self) -> str:
        return inspect.cleandoc(self.function.__doc__ or self.name).split("\n", maxsplit=1)[0]

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        call = await self._identify(request, services)
        arguments: dict[str, object] = {
            name: check_text(value) for name, value in request.match_info.items()
        }
        if self.query is not None:
            arguments["query"] = parse_query(request.query, self.query)
        raw = b""
        if self.body is not None:
            raw = await read_capped(request, services.config.json_max_bytes)
            arguments["body"] = parse_body(raw or b"{}", self.body)
        if not self.takes_tx:
            return self._answer(await self.function(call, **arguments))
        if self.method == "GET":
            async with services.uow.read() as tx:
                return self._answer(await self.function(call, tx=tx, **arguments))
        return await self._write(call, arguments, raw)

    async def _identify(self, request: web.Request, services: Services) -> Call:
        ip = client_ip(request, services.config)
        if self.access == "public":
            await limit_requests(services, ip)
            return Call(services, request, NOBODY, ip)
        try:
            actor, device_id = await identify(services, request, ip=ip)
        except Unauthenticated:
            await limit_requests(services, ip)
            raise
        if self.access == "login":
            _ = actor.person
        else:
            actor.require(self.access)
        return Call(services, request, actor, ip, device_id)

    async def _write(
        self, call: Call, arguments: dict[str, object], raw: bytes
    ) -> web.StreamResponse:
        """One transaction; with an `Idempotency-Key` the answer is part of it."""
        claim = self._claim(call, raw)
        async with call.services.uow.write() as tx:
            if claim and (earlier := await idempotency.claim(tx, claim)):
                return _json(earlier.status, earlier.body, replayed=True)
            response = self._answer(await self.function(call, tx=tx, **arguments))
            if claim:
                text = response.text if isinstance(response, web.Response) else None
                await idempotency.keep(tx, claim, idempotency.Answer(response.status, text or ""))
            return response

    def _claim(self, call: Call, raw: bytes) -> idempotency.Claim | None:
        key = call.request.headers.get("Idempotency-Key")
        if key is None or self.method != "POST":
            return None
        if not 0 < len(key) <= MAX_KEY_CHARS:
            raise Invalid("invalid", field="Idempotency-Key")
        route = f"{self.method} {call.request.rel_url.raw_path}"
        return idempotency.claim_for(call.actor.key, route, key, raw)

    def _answer(self, result: object) -> web.StreamResponse:
        if isinstance(result, web.StreamResponse):
            return result
        if self.adapter is None:
            return web.Response(status=204)
        return _json(self.status, self.adapter.dump_json(result).decode())


def _json(status: int, text: str, *, replayed: bool = False) -> web.Response:
    headers = {"Idempotency-Replayed": "true"} if replayed else {}
    if status == 204:
        return web.Response(status=204, headers=headers)
    return web.Response(text=text, status=status, content_type="application/json", headers=headers)


def endpoint(
    method: Method,
    path: str,
    *,
    access: Access,
    tag: str,
    status: int = 200,
    multipart: bool = False,
) -> Callable[[Callable[..., Awaitable[object]]], Endpoint]:
    """Declare a route below `/api/v1`. The docstring's first line is its summary."""

    def declare(function: Callable[..., Awaitable[object]]) -> Endpoint:
        hints = get_type_hints(function)
        result = hints.pop("return")
        is_raw = isinstance(result, type) and issubclass(result, web.StreamResponse)
        return Endpoint(
            method=method,
            path=path,
            access=access,
            tag=tag,
            function=function,
            status=status,
            multipart=multipart,
            body=hints.get("body"),
            query=hints.get("query"),
            takes_tx=hints.get("tx") is Tx,
            result=result,
            adapter=None if is_raw or result is type(None) else TypeAdapter(result),
        )

    return declare
