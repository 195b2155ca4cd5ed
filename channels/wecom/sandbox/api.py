"""The frame around every call of `/cgi-bin`: tokens, permissions, faults, counting, errors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from channels.wecom.sandbox.body import Body, Json
from channels.wecom.sandbox.errors import ApiError
from channels.wecom.sandbox.faults import Fault
from channels.wecom.sandbox.tokens import Tokens
from channels.wecom.sandbox.world import ApiCount, World


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose token was accepted. agent_id: None for the contact secret."""

    body: Body
    query: Mapping[str, str]
    agent_id: int | None


Answer = Json | web.Response
Endpoint = Callable[[web.Request], Awaitable[web.Response]]
Handler = Callable[[World, Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """grant: the permission that the token must carry; empty for any token."""

    method: str
    path: str
    handler: Handler
    grant: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """Everything that a call passes before and after its handler."""

    world: World
    tokens: Tokens

    def json(self, route: Route) -> Endpoint:
        """An endpoint that reads and answers JSON."""

        async def run(request: web.Request) -> web.Response:
            agent_id = self.authorise(request.query, route.grant)
            raw = await request.read()
            result = route.handler(self.world, Call(Body.parse(raw), request.query, agent_id))
            if isinstance(result, web.Response):
                return result
            return json_answer({"errcode": 0, "errmsg": "ok", **result})

        return self.wrap(route.path, run)

    def wrap(self, path: str, run: Endpoint) -> Endpoint:
        """Count, spoil by the faults that are on, and turn ApiError into an answer."""

        async def answer(request: web.Request) -> web.Response:
            count = self.world.counters.api.setdefault(path, ApiCount())
            count.calls += 1
            response = await self._before(path, request)
            if response is None:
                try:
                    response = await run(request)
                except ApiError as error:
                    response = error_answer(error)
                if (drop := self.world.faults.hit("drop_after", path)) is not None:
                    response = await _hang_up(request, drop)
            errcode = int(response.headers.get("Error-Code", "0"))
            if errcode:
                count.errors[errcode] = count.errors.get(errcode, 0) + 1
            return response

        return answer

    def authorise(self, query: Mapping[str, str], grant: str) -> int | None:
        """The app of a token. Raises: ApiError 41001, 40014, 42001, 48002."""
        agent_id = self.tokens.check(query.get("access_token", ""))
        if not grant:
            return agent_id
        grants = {"contact"} if agent_id is None else self.world.app_seed(agent_id).grants
        if grant not in grants:
            raise ApiError(48002, "api forbidden for this app")
        return agent_id

    async def _before(self, path: str, request: web.Request) -> web.Response | None:
        """Faults that strike before anything is applied."""
        faults = self.world.faults
        if (latency := faults.hit("latency", path)) is not None:
            await _wait(request, latency.seconds)
        if (drop := faults.hit("drop_before", path)) is not None:
            return await _hang_up(request, drop)
        if (broken := faults.hit("http", path)) is not None:
            page = "<html><body>error</body></html>"
            return web.Response(status=broken.status, text=page, content_type="text/html")
        if (refused := faults.hit("errcode", path)) is not None:
            return error_answer(ApiError(refused.errcode, "fault of the sandbox"))
        return None


def json_answer(fields: Json) -> web.Response:
    body = json.dumps(fields, ensure_ascii=False).encode()
    headers = {"Error-Code": str(fields.get("errcode", 0))}
    return web.Response(body=body, content_type="application/json", headers=headers)


def error_answer(error: ApiError) -> web.Response:
    return json_answer({"errcode": error.errcode, "errmsg": error.errmsg})


async def _hang_up(request: web.Request, drop: Fault) -> web.Response:
    """Keep the caller waiting, then close the connection without an answer."""
    await _wait(request, drop.seconds)
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _wait(request: web.Request, seconds: float) -> None:
    """Wait as long as somebody waits for the answer."""
    while seconds > 0 and request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(min(seconds, 0.1))
        seconds -= 0.1
