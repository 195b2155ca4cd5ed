"""The phone API that makes the platform misbehave, and that shows files and figures."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from hashlib import sha256
from html import escape
from typing import Final

from aiohttp import web

from channels.wecom.crypto import CallbackCrypto, CallbackError
from channels.wecom.sandbox import media
from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.errors import Refusal
from channels.wecom.sandbox.phone_requests import answer, read_body
from channels.wecom.sandbox.state import AppState
from channels.wecom.sandbox.tokens import Tokens
from channels.wecom.sandbox.world import World

_MAX_IDLE_WAIT_S: Final = 60.0
_COLOURS: Final = ("#3b6fd4", "#2f9e8f", "#c9782b", "#7a5bd0", "#c2506e", "#4c8f3a", "#5b6b80")


class Control:
    """Handlers over one world; each answers at once."""

    def __init__(self, world: World, tokens: Tokens) -> None:
        self._world = world
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/faults", self.faults),
            web.post("/faults", self.add_fault),
            web.delete("/faults", self.clear_faults),
            web.delete("/faults/{fault_id}", self.remove_fault),
            web.post("/tokens/expire", self.expire_tokens),
            web.get("/clock", self.time),
            web.post("/clock/advance", self.advance),
            web.get("/settings", self.settings),
            web.patch("/settings", self.change_settings),
            web.get("/counters", self.counters),
            web.get("/callbacks", self.callbacks),
            web.put("/callbacks/{agent_id}", self.set_callback),
            web.post("/callbacks/{agent_id}/check", self.check_callback),
            web.get("/idle", self.idle),
            web.get("/media/{media_id}", self.media),
            web.get("/avatars/{name}.svg", self.avatar),
        ]

    # --- faults and time --------------------

    async def faults(self, _request: web.Request) -> web.Response:
        return answer({"faults": [fault.view for fault in self._world.faults.all()]})

    async def add_fault(self, request: web.Request) -> web.Response:
        return answer(self._world.faults.add(await read_body(request)).view, 201)

    async def clear_faults(self, _request: web.Request) -> web.Response:
        self._world.faults.clear()
        return answer({})

    async def remove_fault(self, request: web.Request) -> web.Response:
        self._world.faults.remove(request.match_info["fault_id"])
        return answer({})

    async def expire_tokens(self, _request: web.Request) -> web.Response:
        self._tokens.expire()
        return answer({})

    async def time(self, _request: web.Request) -> web.Response:
        return answer({"now": self._world.now(), "offset": self._world.state.offset_s})

    async def advance(self, request: web.Request) -> web.Response:
        seconds = (await read_body(request)).number("seconds")
        if seconds < 0:
            raise Refusal("bad_request", "时间不能倒流")
        self._world.state.offset_s += seconds
        self._world.changes += 1
        return await self.time(request)

    # --- settings and figures --------------------

    async def settings(self, _request: web.Request) -> web.Response:
        timing = self._world.callbacks.timing
        return answer(
            {
                **asdict(self._world.settings),
                "callback_timeout_s": timing.timeout_s,
                "callback_retry_s": timing.retry_s,
            }
        )

    async def change_settings(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        settings, timing = self._world.settings, self._world.callbacks.timing
        if "is_strict_transitions" in body:
            settings.is_strict_transitions = body.flag("is_strict_transitions")
        settings.empty_page_every = body.integer("empty_page_every", settings.empty_page_every)
        settings.tokenless_pulls_per_minute = body.integer(
            "tokenless_pulls_per_minute", settings.tokenless_pulls_per_minute
        )
        timing.timeout_s = body.number("callback_timeout_s", timing.timeout_s)
        timing.retry_s = body.number("callback_retry_s", timing.retry_s)
        return await self.settings(request)

    async def counters(self, _request: web.Request) -> web.Response:
        counters = self._world.counters
        return answer(
            {
                "api": {path: asdict(count) for path, count in counters.api.items()},
                "callbacks": asdict(self._world.callbacks.counts),
                "customer_messages": counters.customer_messages,
                "sent_messages": counters.sent_messages,
            }
        )

    # --- callbacks --------------------

    async def callbacks(self, _request: web.Request) -> web.Response:
        apps = self._world.state.apps.values()
        return answer({"callbacks": [self._callback(app) for app in apps]})

    async def set_callback(self, request: web.Request) -> web.Response:
        app, body = self._app(request), await read_body(request)
        token, aes_key = body.text("token", app.token), body.text("aes_key", app.aes_key)
        try:
            CallbackCrypto(token, aes_key, "")
        except CallbackError as error:
            raise Refusal("bad_request", "EncodingAESKey 应为 43 位字母或数字") from error
        if "url" in body:
            app.url = None if body.fields["url"] is None else body.text("url")
        app.token, app.aes_key = token, aes_key
        self._world.changes += 1
        return answer(self._callback(app))

    async def check_callback(self, request: web.Request) -> web.Response:
        is_ok, status, reason = await self._world.callbacks.check_url(self._app(request))
        return answer({"is_ok": is_ok, "status": status, "reason": reason})

    async def idle(self, request: web.Request) -> web.Response:
        try:
            wait_s = min(float(request.query.get("timeout", "5")), _MAX_IDLE_WAIT_S)
        except ValueError as error:
            raise Refusal("bad_request", "timeout 必须是数字") from error
        try:
            async with asyncio.timeout(wait_s):
                await self._world.callbacks.idle()
        except TimeoutError:
            return answer({"is_idle": False})
        return answer({"is_idle": True})

    # --- files --------------------

    async def media(self, request: web.Request) -> web.Response:
        media_id = request.match_info["media_id"]
        if media_id not in self._world.state.media:
            raise Refusal("not_found", "文件不存在或已过期")
        return media.download(self._world, media_id)

    async def avatar(self, request: web.Request) -> web.Response:
        svg = _avatar(self._world, request.match_info["name"])
        headers = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
        return web.Response(text=svg, content_type="image/svg+xml", headers=headers)

    def _app(self, request: web.Request) -> AppState:
        text = request.match_info["agent_id"]
        app = self._world.state.apps.get(int(text)) if text.isdecimal() else None
        if app is None:
            raise Refusal("not_found", "没有这个应用")
        return app

    def _callback(self, app: AppState) -> Json:
        grants = sorted(self._world.app_seed(app.agent_id).grants)
        return {
            "agent_id": app.agent_id,
            "url": app.url,
            "token": app.token,
            "aes_key": app.aes_key,
            "grants": grants,
        }


def _avatar(world: World, name: str) -> str:
    """A coloured square with the first character of the person's (or account's) name."""
    state = world.state
    known = state.customers.get(name) or state.members.get(name) or state.accounts.get(name)
    if known is None:
        raise Refusal("not_found", "没有这个头像")
    colour = _COLOURS[sha256(name.encode()).digest()[0] % len(_COLOURS)]
    letter = escape(known.name[:1])
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
        f'<rect width="64" height="64" rx="10" fill="{colour}"/>'
        '<text x="32" y="34" fill="#fff" font-size="30" font-family="sans-serif" '
        f'text-anchor="middle" dominant-baseline="middle">{letter}</text></svg>'
    )
