"""The phone API of servicers: sessions in the WeCom client, and the chat with the app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aiohttp import web

from channels.wecom.sandbox import app_phone, directory, media, people, servicers
from channels.wecom.sandbox.app_messages import app_chat
from channels.wecom.sandbox.body import Body, Json
from channels.wecom.sandbox.errors import Refusal
from channels.wecom.sandbox.phone_customers import asked_thread, typed_message
from channels.wecom.sandbox.phone_requests import PhoneHandler, answer, asked_page, read_body
from channels.wecom.sandbox.state import Entry, Member, Thread
from channels.wecom.sandbox.views import (
    app_screen,
    chat_view,
    entry_view,
    servicer_screen,
    servicer_view,
    thread_view,
)
from channels.wecom.sandbox.watches import app_topic, thread_topic
from channels.wecom.sandbox.world import World

_ONE: Final = "/servicers/{userid}"
_CHAT: Final = "/servicers/{userid}/threads/{open_kfid}/{external_userid}"

Action = Callable[[World, Thread, Member, Body], Entry | None]
AppAction = Callable[[World, Member, Body], Entry | None]


def routes(world: World) -> list[web.RouteDef]:
    plain = [
        web.get(_ONE, _screen(world)),
        web.post(f"{_ONE}/status", _status(world)),
        web.post(f"{_ONE}/oauth-code", _oauth_code(world)),
        web.get(f"{_ONE}/app", _app_chat(world)),
        web.post(f"{_ONE}/app/upload", _app_upload(world)),
        web.get(_CHAT, _chat(world)),
        web.post(f"{_CHAT}/upload", _upload(world)),
    ]
    actions = [web.post(f"{_CHAT}/{n}", _run(world, act)) for n, act in _ACTIONS.items()]
    in_app = [web.post(f"{_ONE}/app/{n}", _run_app(world, act)) for n, act in _APP_ACTIONS.items()]
    return plain + actions + in_app


def _member(request: web.Request, world: World) -> Member:
    return world.member(request.match_info["userid"])


def _served(request: web.Request, world: World) -> tuple[Thread, Member]:
    member = _member(request, world)
    servicers.own_account(world, member, request.match_info["open_kfid"])
    return asked_thread(request, world), member


def _acted(world: World, thread: Thread, member: Member, entry: Entry | None) -> web.Response:
    fields: Json = {"thread": thread_view(world, thread)}
    if entry is not None:
        fields["entry"] = entry_view(world, entry, member.userid)
    return answer(fields)


def _run(world: World, act: Action) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        body = await read_body(request)
        thread, member = _served(request, world)
        return _acted(world, thread, member, act(world, thread, member, body))

    return handle


def _run_app(world: World, act: AppAction) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        body = await read_body(request)
        member = _member(request, world)
        entry = act(world, member, body)
        return answer({"entry": entry_view(world, entry, member.userid)} if entry else {})

    return handle


def _screen(world: World) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        return answer(servicer_screen(world, _member(request, world)))

    return handle


def _status(world: World) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        body = await read_body(request)
        member, status = _member(request, world), body.text("status")
        names = [body.text("open_kfid")] if "open_kfid" in body else _own_accounts(world, member)
        for open_kfid in names:
            account = servicers.own_account(world, member, open_kfid)
            servicers.set_status(world, account, member, status)
        return answer({"servicer": servicer_view(world, member)})

    return handle


def _own_accounts(world: World, member: Member) -> list[str]:
    return [a.open_kfid for a in world.state.accounts.values() if member.userid in a.servicers]


def _oauth_code(world: World) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        return answer({"code": directory.new_oauth_code(world, _member(request, world))})

    return handle


def _chat(world: World) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        thread, member = _served(request, world)
        topic = thread_topic(thread.key)
        entries, has_more = await asked_page(request, world, thread.chat, topic)
        return answer(chat_view(world, thread, entries, has_more, member.userid))

    return handle


def _upload(world: World) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        thread, member = _served(request, world)
        if not servicers.can_write(thread, member.userid):
            raise Refusal("conflict", "会话不在您这里")
        upload = await media.read_upload(request)
        kind, body = media.upload_by_phone(world, request.query.get("type", ""), upload)
        entry = servicers.reply(world, thread, member, kind, body)
        return _acted(world, thread, member, entry)

    return handle


def _app_chat(world: World) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        member = _member(request, world)
        chat = app_chat(member, app_phone.desk_app(world))
        topic = app_topic(member.userid)
        entries, has_more = await asked_page(request, world, chat, topic)
        return answer(app_screen(world, member, entries, has_more))

    return handle


def _app_upload(world: World) -> PhoneHandler:
    async def handle(request: web.Request) -> web.Response:
        member, kind = _member(request, world), request.query.get("type", "")
        upload = await media.read_upload(request)
        media_id = media.keep(world, kind, upload).media_id
        entry = app_phone.write_media(world, member, kind, media_id)
        return answer({"entry": entry_view(world, entry, member.userid)})

    return handle


# --- actions in the WeCom client --------------------


def _pick(world: World, thread: Thread, member: Member, _body: Body) -> None:
    servicers.pick(world, thread, member)


def _reply(world: World, thread: Thread, member: Member, body: Body) -> Entry:
    return servicers.reply(world, thread, member, *typed_message(body))


def _transfer(world: World, thread: Thread, member: Member, body: Body) -> None:
    servicers.transfer(world, thread, member, body.text("to"))


def _end(world: World, thread: Thread, member: Member, _body: Body) -> None:
    servicers.end(world, thread, member)


def _reopen(world: World, thread: Thread, member: Member, _body: Body) -> None:
    servicers.reopen(world, thread, member)


def _recall(world: World, thread: Thread, member: Member, body: Body) -> Entry:
    return people.recall_of_servicer(world, thread, body.text("msgid"), member.userid)


def _mute(world: World, thread: Thread, member: Member, body: Body) -> None:
    servicers.mute(world, thread, member, body.flag("is_muted"))


_ACTIONS: Final[dict[str, Action]] = {
    "pick": _pick,
    "reply": _reply,
    "transfer": _transfer,
    "end": _end,
    "reopen": _reopen,
    "recall": _recall,
    "mute": _mute,
}


# --- actions in the chat with the app --------------------


def _app_enter(world: World, member: Member, _body: Body) -> None:
    app_phone.enter(world, member)


def _app_say(world: World, member: Member, body: Body) -> Entry:
    return app_phone.write_text(world, member, body.text("text"))


def _app_send(world: World, member: Member, body: Body) -> Entry:
    msgtype = body.text("msgtype")
    writers = {"location": app_phone.write_location, "link": app_phone.write_link}
    if msgtype not in writers:
        raise Refusal("bad_request", f"不能发送这种消息：{msgtype}")
    return writers[msgtype](world, member, dict(body.child(msgtype).fields))


def _app_menu(world: World, member: Member, body: Body) -> None:
    app_phone.press_menu(world, member, body.text("key"))


def _app_press(world: World, member: Member, body: Body) -> Entry:
    asked = body.child("selected") if "selected" in body else Body({})
    selected = {question: asked.texts(question, most=20) for question in asked.fields}
    return app_phone.press_card(world, member, body.integer("seq"), body.text("key"), selected)


_APP_ACTIONS: Final[dict[str, AppAction]] = {
    "enter": _app_enter,
    "say": _app_say,
    "send": _app_send,
    "menu": _app_menu,
    "press": _app_press,
}
