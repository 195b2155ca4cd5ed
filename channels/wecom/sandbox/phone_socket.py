"""The WebSocket of the phone page: a snapshot, then what changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from aiohttp import WSMsgType, web

from channels.wecom.sandbox.app_messages import app_chat
from channels.wecom.sandbox.app_phone import desk_app
from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.errors import Refusal
from channels.wecom.sandbox.people import phone_thread
from channels.wecom.sandbox.sessions import is_servicer
from channels.wecom.sandbox.state import Chat, Entry, Member, Thread
from channels.wecom.sandbox.views import (
    PAGE,
    chat_view,
    entry_views,
    page_of,
    servicer_screen,
    thread_view,
)
from channels.wecom.sandbox.watches import (
    Change,
    Watch,
    account_topic,
    app_topic,
    servicer_topic,
    thread_topic,
)
from channels.wecom.sandbox.world import World

_PING_S = 20.0


class Sockets:
    """Open sockets of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open: set[web.WebSocketResponse] = set()

    async def close(self) -> None:
        for socket in list(self._open):
            await socket.close(code=1001, message=b"sandbox stops")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        kind, _, rest = request.query.get("as", "").partition(":")
        if kind == "customer":
            external_userid, _, open_kfid = rest.partition(":")
            screen = _customer(self._world, phone_thread(self._world, open_kfid, external_userid))
        elif kind == "servicer":
            screen = _servicer(self._world, self._world.member(rest))
        else:
            raise Refusal("bad_request", "as 应为 customer:… 或 servicer:…")
        socket = web.WebSocketResponse(heartbeat=_PING_S)
        await socket.prepare(request)
        self._open.add(socket)
        try:
            await _talk(socket, screen)
        finally:
            self._open.discard(socket)
        return socket


async def _talk(socket: web.WebSocketResponse, screen: AsyncIterator[Json]) -> None:
    """Send until the other side closes."""
    sender = asyncio.ensure_future(_send_all(socket, screen))
    try:
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
    finally:
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)


async def _send_all(socket: web.WebSocketResponse, screen: AsyncIterator[Json]) -> None:
    async for message in screen:
        if socket.closed:
            return
        await socket.send_str(json.dumps(message, ensure_ascii=False))


async def _customer(world: World, thread: Thread) -> AsyncIterator[Json]:
    with world.watches.watch(thread_topic(thread.key)) as watch:
        entries, has_more = page_of(thread.chat, limit=PAGE, before=None, after=None)
        view = chat_view(world, thread, entries, has_more, "customer")
        yield {"type": "snapshot", "view": view}
        while True:
            yield _thread_message(world, thread, await watch.next(), "customer")


async def _servicer(world: World, member: Member) -> AsyncIterator[Json]:
    with world.watches.watch(*_topics(world, member)) as watch:
        yield {"type": "snapshot", "view": servicer_screen(world, member)}
        while True:
            for message in await _servicer_messages(world, member, watch):
                yield message


async def _servicer_messages(world: World, member: Member, watch: Watch) -> list[Json]:
    changes = await watch.next()
    screen = servicer_screen(world, member)
    messages: list[Json] = []
    if any(change.is_session for change in changes):
        messages.append({"type": "sessions", "view": screen})
    by_thread: dict[str, list[Change]] = {}
    for change in changes:
        if change.thread_key:
            by_thread.setdefault(change.thread_key, []).append(change)
    for key, marks in by_thread.items():
        thread = world.thread_by_key(key)
        if _is_shown(screen, thread):
            messages.append(_thread_message(world, thread, marks, member.userid))
    app_marks = [change for change in changes if change.topic == app_topic(member.userid)]
    if app_marks:
        app = desk_app(world)
        entries = entry_views(world, _marked(app_chat(member, app), app_marks), member.userid)
        messages.append({"type": "app", "entries": entries, "menu": app.menu})
    return messages


def _topics(world: World, member: Member) -> list[str]:
    own = [
        a.open_kfid for a in world.state.accounts.values() if is_servicer(world, a, member.userid)
    ]
    return [
        servicer_topic(member.userid),
        app_topic(member.userid),
        *(account_topic(open_kfid) for open_kfid in own),
    ]


def _thread_message(world: World, thread: Thread, changes: list[Change], viewer: str) -> Json:
    entries = entry_views(world, _marked(thread.chat, changes), viewer)
    return {"type": "thread", "thread": thread_view(world, thread), "entries": entries}


def _marked(chat: Chat, changes: list[Change]) -> list[Entry]:
    seqs = sorted({change.seq for change in changes if change.seq})
    return [entry for entry in map(chat.at, seqs) if entry is not None]


def _is_shown(screen: Json, thread: Thread) -> bool:
    for name in ("pool", "mine", "ended"):
        rows = screen[name]
        for row in rows if isinstance(rows, list) else []:
            if (row["open_kfid"], row["external_userid"]) == (
                thread.open_kfid,
                thread.external_userid,
            ):
                return True
    return False
