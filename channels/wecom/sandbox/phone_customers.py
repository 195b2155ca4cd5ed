"""The phone API of customers. Shapes: README.md."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from aiohttp import web

from channels.wecom.sandbox import media, people
from channels.wecom.sandbox.body import Body, Json
from channels.wecom.sandbox.errors import Refusal
from channels.wecom.sandbox.phone_requests import PhoneHandler, answer, asked_page, read_body
from channels.wecom.sandbox.state import Customer, Entry, Thread
from channels.wecom.sandbox.views import chat_view, customer_view, entry_view, people_view
from channels.wecom.sandbox.watches import thread_topic
from channels.wecom.sandbox.world import World

_CHAT: Final = "/customers/{external_userid}/threads/{open_kfid}"

#: Types that need no file. The platform hands them out with the object as it is.
TYPED: Final = frozenset(
    {
        "text",
        "location",
        "link",
        "miniprogram",
        "business_card",
        "merged_msg",
        "channels",
        "channels_shop_product",
        "channels_shop_order",
        "meeting",
        "calendar",
        "note",
        "msgmenu",
    }
)

Action = Callable[[World, Thread, Body], Json]


def routes(world: World) -> list[web.RouteDef]:
    plain = [
        web.get("/people", _people(world)),
        web.post("/customers", _add(world)),
        web.post("/customers/{external_userid}/open", _open_link(world)),
        web.get(_CHAT, _chat(world)),
        web.post(f"{_CHAT}/upload", _upload(world)),
    ]
    return plain + [web.post(f"{_CHAT}/{n}", _run(world, act)) for n, act in _ACTIONS.items()]


def asked_thread(request: web.Request, world: World) -> Thread:
    match = request.match_info
    return people.phone_thread(world, match["open_kfid"], match["external_userid"])


def typed_message(body: Body) -> tuple[str, Json]:
    """The msgtype and object of a message that needs no file."""
    if "text" in body and "msgtype" not in body:
        return "text", {"content": body.text("text")}
    msgtype = body.text("msgtype")
    if msgtype not in TYPED:
        raise Refusal("bad_request", f"不能发送这种消息：{msgtype}")
    return msgtype, dict(body.child(msgtype).fields) if msgtype in body else {}


def _run(world: World, act: Action) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        body = await read_body(request)
        return answer(act(world, asked_thread(request, world), body))

    return handle


def _people(world: World) -> PhoneHandler:
    async def handle(_request: web.Request) -> web.Response:
        return answer(people_view(world))

    return handle


def _add(world: World) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        body = await read_body(request)
        external_userid = body.text("external_userid", f"wm{secrets.token_hex(14)}", max_bytes=64)
        if external_userid in world.state.customers:
            raise Refusal("conflict", "这个 external_userid 已存在")
        customer = Customer(
            external_userid=external_userid,
            name=body.text("name", min_bytes=1, max_bytes=64),
            organisation=body.text("organisation", ""),
            gender=body.integer("gender", 0),
        )
        world.state.customers[external_userid] = customer
        world.changes += 1
        return answer(customer_view(world, customer), 201)

    return handle


def _open_link(world: World) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        url = (await read_body(request)).text("url")
        thread, code = people.open_link(world, request.match_info["external_userid"], url)
        return answer({"open_kfid": thread.open_kfid, "has_welcome_code": code is not None})

    return handle


def _chat(world: World) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        thread = asked_thread(request, world)
        topic = thread_topic(thread.key)
        entries, has_more = await asked_page(request, world, thread.chat, topic)
        return answer(chat_view(world, thread, entries, has_more, "customer"))

    return handle


def _upload(world: World) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        thread = asked_thread(request, world)
        upload = await media.read_upload(request)
        kind = request.query.get("type", "")
        msgtype, body = media.upload_by_phone(world, kind, upload)
        return answer(_sent(world, people.write(world, thread, msgtype, body)))

    return handle


def _sent(world: World, entry: Entry) -> Json:
    return {"entry": entry_view(world, entry, "customer")}


def _enter(world: World, thread: Thread, body: Body) -> Json:
    scene = body.text("scene", "", max_bytes=32)
    code = people.enter(world, thread, scene, body.text("scene_param", ""))
    return {"has_welcome_code": code is not None}


def _say(world: World, thread: Thread, body: Body) -> Json:
    text: Json = {"content": body.text("text")}
    return _sent(world, people.write(world, thread, "text", text))


def _send(world: World, thread: Thread, body: Body) -> Json:
    msgtype, content = typed_message(body)
    return _sent(world, people.write(world, thread, msgtype, content))


def _click(world: World, thread: Thread, body: Body) -> Json:
    if "msgid" in body:
        menu = thread.chat.find(body.text("msgid"))
    else:
        menu = thread.chat.at(body.integer("seq"))
    return _sent(world, people.click(world, thread, menu, body.text("id")))


def _recall(world: World, thread: Thread, body: Body) -> Json:
    return _sent(world, people.recall(world, thread, body.text("msgid")))


def _leave(_world: World, _thread: Thread, _body: Body) -> Json:
    return {}


def _refuse(world: World, thread: Thread, body: Body) -> Json:
    thread.is_refusing = body.flag("is_refusing")
    world.changes += 1
    return {}


_ACTIONS: Final[dict[str, Action]] = {
    "enter": _enter,
    "say": _say,
    "send": _send,
    "click": _click,
    "recall": _recall,
    "leave": _leave,
    "refuse": _refuse,
}
