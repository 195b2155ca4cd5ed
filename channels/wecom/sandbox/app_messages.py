"""`message/send`, `message/recall`, `menu/*`: what the app says to members.

Source: developer.work.weixin.qq.com/document/path/90236, 94867, 90231.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final

from channels.wecom.sandbox.api import Call
from channels.wecom.sandbox.body import Body, Json
from channels.wecom.sandbox.cards import has_callback, new_card_code, read_card
from channels.wecom.sandbox.content import check_media, cut_text
from channels.wecom.sandbox.directory import has_department, visible_members
from channels.wecom.sandbox.errors import ApiError
from channels.wecom.sandbox.state import DAY_S, AppState, Chat, Entry, Member
from channels.wecom.sandbox.world import World

_PER_MINUTE: Final = 30
_PER_HOUR: Final = 1000
_DUPLICATE_S: Final = 1800
_MAX_RECEIVERS: Final = 1000


class AppMessages:
    """The handlers with what they remember about frequency."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[float]] = defaultdict(deque)

    def send(self, world: World, call: Call) -> Json:
        app = own_app(world, call)
        receivers, answer = _receivers(world, call.body)
        msgtype = call.body.text("msgtype")
        if msgtype not in _READERS:
            raise ApiError(40008, "invalid message type")
        content = _READERS[msgtype](world, app, call.body.child(msgtype))
        msgid = world.code("MSG")
        if _is_duplicate(world, app, call.body):
            return {**answer, "msgid": msgid}
        app.receivers[msgid] = receivers
        app.sent_at[msgid] = world.now()
        for userid in receivers:
            self._deliver(world, app, world.state.members[userid], msgid, (msgtype, content))
        answer["msgid"] = msgid
        if msgtype == "template_card" and has_callback(content):
            answer["response_code"] = new_card_code(world, app, msgid)
        return answer

    def _deliver(
        self, world: World, app: AppState, member: Member, msgid: str, message: tuple[str, Json]
    ) -> None:
        """Put it on the member's screen; above the frequency limit it is dropped silently."""
        now = world.now()
        recent = self._recent[f"{app.agent_id}|{member.userid}"]
        while recent and recent[0] <= now - 3600:
            recent.popleft()
        in_minute = sum(at > now - 60 for at in recent)
        if in_minute >= _PER_MINUTE or len(recent) >= _PER_HOUR:
            return
        recent.append(now)
        msgtype, content = message
        entry = Entry(0, msgid, now, "app", msgtype, json.loads(json.dumps(content)))
        show_in_app(world, app, member, entry)


def recall(world: World, call: Call) -> Json:
    app = own_app(world, call)
    msgid = call.body.text("msgid", min_bytes=1)
    sent_at = app.sent_at.get(msgid)
    if sent_at is None or world.now() - sent_at > DAY_S:
        raise ApiError(42052, "msgid is unknown or older than 24 hours")
    for userid in app.receivers[msgid]:
        chat = app_chat(world.state.members[userid], app)
        entry = chat.find(msgid)
        if entry is not None:
            entry.is_recalled = True
            world.show_app(userid, entry)
    return {}


def create_menu(world: World, call: Call) -> Json:
    app = own_app(world, call)
    buttons = call.body.children("button")
    if not 1 <= len(buttons) <= 3:
        raise ApiError(40016, "invalid button count")
    for button in buttons:
        _check_button(button, name_bytes=16)
        below = button.children("sub_button")
        if len(below) > 5:
            raise ApiError(40023, "invalid sub button count")
        for sub in below:
            _check_button(sub, name_bytes=40)
    app.menu = {"button": [button.fields for button in buttons]}
    _show_menu(world)
    return {}


def get_menu(world: World, call: Call) -> Json:
    app = own_app(world, call)
    if app.menu is None:
        raise ApiError(46003, "menu does not exist")
    return dict(app.menu)


def delete_menu(world: World, call: Call) -> Json:
    own_app(world, call).menu = None
    _show_menu(world)
    return {}


def own_app(world: World, call: Call) -> AppState:
    """The app of the token. Raises: ApiError 301002 when the agentid is another one."""
    text = call.query.get("agentid", "")
    asked = call.body.integer("agentid") if "agentid" in call.body else None
    if asked is None and text.isdecimal():
        asked = int(text)
    if call.agent_id is None or asked not in (None, call.agent_id):
        raise ApiError(301002, "agentid is not of this token")
    return world.state.apps[call.agent_id]


def app_chat(member: Member, app: AppState) -> Chat:
    return member.app_chats.setdefault(app.agent_id, Chat())


def show_in_app(world: World, app: AppState, member: Member, entry: Entry) -> Entry:
    """Add a line to a member's chat with the app."""
    app_chat(member, app).add(entry)
    world.show_app(member.userid, entry)
    return entry


def _show_menu(world: World) -> None:
    for userid in world.state.members:
        world.show_app(userid, None)


def _check_button(button: Body, *, name_bytes: int) -> None:
    button.text("name", min_bytes=1, max_bytes=name_bytes)
    if "sub_button" in button:
        return
    kind = button.text("type")
    if kind == "view":
        button.text("url", min_bytes=1, max_bytes=1024)
    elif kind == "view_miniprogram":
        button.text("pagepath", min_bytes=1)
    else:
        button.text("key", min_bytes=1, max_bytes=128)


def _receivers(world: World, body: Body) -> tuple[list[str], Json]:
    """Userids, and the part of the answer that names the invalid ones. Raises: ApiError."""
    users = _split(body.text("touser", ""))
    parties = _split(body.text("toparty", ""))
    tags = _split(body.text("totag", ""))
    if not users and not parties and not tags:
        raise ApiError(82001, "no receiver")
    if len(users) > _MAX_RECEIVERS:
        raise ApiError(40032, "too many receivers")
    if len(parties) > 100:
        raise ApiError(82002, "too many departments")
    known = {m.userid.lower(): m.userid for m in world.state.members.values() if m.is_visible}
    found = dict.fromkeys(known.values()) if users == ["@all"] else {}
    bad_users = [user for user in users if user != "@all" and user.lower() not in known]
    found |= dict.fromkeys(known[user.lower()] for user in users if user.lower() in known)
    bad_parties = [p for p in parties if not p.isdecimal() or not has_department(world, int(p))]
    wanted = [int(party) for party in parties if party not in bad_parties]
    found |= dict.fromkeys(visible_members(world, wanted))
    if not found:
        raise ApiError(81013, "all receivers are invalid")
    answer: Json = {}
    for name, bad in (
        ("invaliduser", bad_users),
        ("invalidparty", bad_parties),
        ("invalidtag", tags),
    ):
        if bad:
            answer[name] = "|".join(item.lower() for item in bad)
    return list(found), answer


def _split(text: str) -> list[str]:
    return [part for part in text.split("|") if part]


def _is_duplicate(world: World, app: AppState, body: Body) -> bool:
    if body.integer("enable_duplicate_check", 0) != 1:
        return False
    interval = body.integer("duplicate_check_interval", _DUPLICATE_S)
    print_of = json.dumps(body.fields, sort_keys=True, ensure_ascii=False)
    before = app.duplicates.get(print_of)
    if before is not None and world.now() - before < interval:
        return True
    app.duplicates[print_of] = world.now()
    return False


def _text(_world: World, _app: AppState, body: Body) -> Json:
    content = body.text("content")
    if not content:
        raise ApiError(44004, "text content is empty")
    return {"content": cut_text(content)}


def _media_of(kind: str) -> Callable[[World, AppState, Body], Json]:
    def read(world: World, _app: AppState, body: Body) -> Json:
        media: Json = {"media_id": check_media(world, body.text("media_id"), kind)}
        if kind == "video":
            media["title"] = body.text("title", "", max_bytes=128)
            media["description"] = body.text("description", "", max_bytes=512)
        return media

    return read


def _textcard(_world: World, _app: AppState, body: Body) -> Json:
    title, description = body.text("title", min_bytes=1), body.text("description", min_bytes=1)
    if len(title) > 128 or len(description) > 512:
        raise ApiError(45002, "title or description too long")
    return {
        "title": title,
        "description": description,
        "url": body.text("url", min_bytes=1, max_bytes=2048),
        "btntxt": body.text("btntxt", "详情"),
    }


def _news(_world: World, _app: AppState, body: Body) -> Json:
    articles = body.children("articles")
    if not 1 <= len(articles) <= 8:
        raise ApiError(45008, "1 to 8 articles")
    for article in articles:
        article.text("title", min_bytes=1, max_bytes=128)
        article.text("description", "", max_bytes=512)
    return {"articles": [article.fields for article in articles]}


def _card(_world: World, app: AppState, body: Body) -> Json:
    return read_card(app, body)


_READERS: Final[dict[str, Callable[[World, AppState, Body], Json]]] = {
    "text": _text,
    "markdown": _text,
    "image": _media_of("image"),
    "voice": _media_of("voice"),
    "video": _media_of("video"),
    "file": _media_of("file"),
    "textcard": _textcard,
    "news": _news,
    "template_card": _card,
}
