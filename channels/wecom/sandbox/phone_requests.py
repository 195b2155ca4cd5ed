"""Reading and answering requests of the phone API; its refusals as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from channels.wecom.sandbox.body import Body, Json
from channels.wecom.sandbox.errors import STATUS_OF, ApiError, Refusal, RefusalCode
from channels.wecom.sandbox.state import Chat, Entry
from channels.wecom.sandbox.views import PAGE, page_of
from channels.wecom.sandbox.world import World

_MAX_WAIT_S: Final = 30.0
_MAX_PAGE: Final = 500

PhoneHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def read_body(request: web.Request) -> Body:
    """The JSON object of a request. Escapes are fine here: browsers may send them."""
    raw = await request.read()
    try:
        fields = json.loads(raw or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal("bad_request", "不是 JSON") from error
    if not isinstance(fields, dict):
        raise Refusal("bad_request", "不是 JSON 对象")
    return Body(fields)


def answer(fields: Json, status: int = 200) -> web.Response:
    body = json.dumps(fields, ensure_ascii=False).encode()
    return web.Response(body=body, status=status, content_type="application/json")


def refusal(code: RefusalCode, text: str) -> web.Response:
    return answer({"code": code, "error": text}, STATUS_OF[code])


@web.middleware
async def refuse_in_words(request: web.Request, handler: PhoneHandler) -> web.StreamResponse:
    """Turn what actions raise into the JSON refusals of README.md."""
    try:
        return await handler(request)
    except Refusal as error:
        return refusal(error.code, error.text)
    except ApiError as error:
        is_large = error.errcode in {45001, 40206}
        return refusal("too_large" if is_large else "bad_request", str(error))


async def asked_page(
    request: web.Request, world: World, chat: Chat, topic: str
) -> tuple[list[Entry], bool]:
    """The part of a chat that a query asks for; with `wait`, when there is something new."""
    limit = min(_number(request, "limit") or PAGE, _MAX_PAGE)
    before, after = _number(request, "before"), _number(request, "after")
    wait_s = _seconds(request, "wait")
    if after is not None and wait_s:
        await _until_longer(world, chat, after, topic, wait_s)
    return page_of(chat, limit=limit, before=before, after=after)


async def _until_longer(world: World, chat: Chat, after: int, topic: str, wait_s: float) -> None:
    with world.watches.watch(topic) as watch:
        try:
            async with asyncio.timeout(wait_s):
                while len(chat.entries) <= after:
                    await watch.next()
        except TimeoutError:
            return


def _number(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not text.isdecimal():
        raise Refusal("bad_request", f"{name} 必须是非负整数")
    return int(text)


def _seconds(request: web.Request, name: str) -> float:
    try:
        seconds = float(request.query.get(name, "0"))
    except ValueError as error:
        raise Refusal("bad_request", f"{name} 必须是数字") from error
    return max(0.0, min(seconds, _MAX_WAIT_S))
