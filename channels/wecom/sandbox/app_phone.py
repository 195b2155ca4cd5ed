"""What members do in their chat with the app, and the passive replies that come back.

Source: developer.work.weixin.qq.com/document/path/90239, 90240, 90241.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from channels.wecom.crypto import XmlValue
from channels.wecom.sandbox.app_messages import app_chat, show_in_app
from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.callbacks import OnReply, xml_document
from channels.wecom.sandbox.cards import (
    UNTOUCHED,
    button_keys,
    change_card,
    corner_keys,
    is_card,
    new_card_code,
    options_of,
)
from channels.wecom.sandbox.content import cut_text
from channels.wecom.sandbox.errors import Refusal
from channels.wecom.sandbox.state import AppState, Entry, Member
from channels.wecom.sandbox.world import World

_REPLY_KINDS: Final = frozenset({"text", "image", "voice", "video", "news"})


def desk_app(world: World) -> AppState:
    """The app whose chat the servicers see."""
    for seed in world.seed.apps:
        if "app" in seed.grants:
            return world.state.apps[seed.agent_id]
    raise Refusal("not_found", "没有应用")


def enter(world: World, member: Member) -> None:
    _event(world, member, "enter_agent", {"EventKey": ""})


def write(world: World, member: Member, msgtype: str, body: Json, nodes: Json) -> Entry:
    """A message of the member. nodes: what the callback carries of it."""
    app = desk_app(world)
    entry = Entry(0, world.msgid(), world.now(), "member", msgtype, body)
    show_in_app(world, app, member, entry)
    fields: Json = {"MsgType": msgtype, **nodes, "MsgId": int(entry.msgid)}
    _send(world, app, member, fields, partial(_reply, world, app, member))
    return entry


def write_text(world: World, member: Member, text: str) -> Entry:
    content = cut_text(text)
    if not content.strip():
        raise Refusal("bad_request", "不能发送空白消息")
    return write(world, member, "text", {"content": content}, {"Content": content})


def write_media(world: World, member: Member, kind: str, media_id: str) -> Entry:
    nodes: dict[str, Json] = {
        "image": {"PicUrl": f"https://wework.qpic.cn/sandbox/{media_id}", "MediaId": media_id},
        "voice": {"MediaId": media_id, "Format": "amr"},
        "video": {"MediaId": media_id, "ThumbMediaId": media_id},
    }
    if kind not in nodes:
        raise Refusal("bad_request", "应用会话里不能发送这种文件")
    return write(world, member, kind, {"media_id": media_id}, nodes[kind])


def write_location(world: World, member: Member, place: Json) -> Entry:
    nodes: Json = {
        "Location_X": place.get("latitude", 0),
        "Location_Y": place.get("longitude", 0),
        "Scale": 16,
        "Label": place.get("name", ""),
        "AppType": "wxwork",
    }
    return write(world, member, "location", place, nodes)


def write_link(world: World, member: Member, link: Json) -> Entry:
    nodes: Json = {
        "Title": link.get("title", ""),
        "Description": link.get("desc", ""),
        "Url": link.get("url", ""),
        "PicUrl": link.get("pic_url", ""),
    }
    return write(world, member, "link", link, nodes)


def press_menu(world: World, member: Member, key: str) -> None:
    for button in _leaves(desk_app(world).menu):
        if button.get("key") == key:
            _event(world, member, str(button.get("type", "click")), {"EventKey": key})
            return
        if button.get("url") == key:
            _event(world, member, "view", {"EventKey": key})
            return
    raise Refusal("not_found", "没有这个菜单项")


def press_card(
    world: World, member: Member, seq: int, key: str, selected: Mapping[str, list[str]]
) -> Entry:
    """Press a button, or submit the choices, of a card."""
    app = desk_app(world)
    entry = app_chat(member, app).at(seq)
    if entry is None or not is_card(entry):
        raise Refusal("not_found", "没有这张卡片")
    card = entry.body
    is_corner = key in corner_keys(card)
    if not is_corner:
        _check_press(card, key, selected)
        card["selected"] = dict(selected)
        world.show_app(member.userid, entry)
    code = new_card_code(world, app, entry.msgid)
    fields: Json = {
        "EventKey": key,
        "TaskId": card.get("task_id", ""),
        "CardType": card["card_type"],
        "ResponseCode": code,
    }
    if selected:
        fields["SelectedItems"] = {"SelectedItem": [_selected(*item) for item in selected.items()]}
    name = "template_card_menu_event" if is_corner else "template_card_event"
    _event(world, member, name, fields, partial(_card_reply, world, app, member, entry))
    return entry


def _check_press(card: Json, key: str, selected: Mapping[str, list[str]]) -> None:
    if card["is_done"]:
        raise Refusal("conflict", "卡片已处理")
    if key not in button_keys(card):
        raise Refusal("not_found", "卡片上没有这个按钮")
    options = options_of(card)
    for question, chosen in selected.items():
        if not set(chosen) <= options.get(question, set()):
            raise Refusal("bad_request", "没有这个选项")


def _selected(question: str, chosen: list[str]) -> Json:
    return {"QuestionKey": question, "OptionIds": {"OptionId": list(chosen)}}


def _event(
    world: World, member: Member, name: str, nodes: Json, on_reply: OnReply | None = None
) -> None:
    app = desk_app(world)
    fields: Json = {"MsgType": "event", "Event": name, **nodes}
    _send(world, app, member, fields, on_reply or partial(_reply, world, app, member))


def _send(world: World, app: AppState, member: Member, fields: Json, on_reply: OnReply) -> None:
    document: Json = {
        "ToUserName": world.seed.corp_id,
        "FromUserName": member.userid,
        "CreateTime": int(world.now()),
        **fields,
        "AgentID": app.agent_id,
    }
    world.callbacks.send(app, xml_document(document), on_reply)


def _reply(world: World, app: AppState, member: Member, document: dict[str, XmlValue]) -> None:
    """A passive reply to a message or an ordinary event becomes a line of the chat."""
    kind = str(document.get("MsgType", ""))
    if kind not in _REPLY_KINDS:
        return
    entry = Entry(0, world.msgid(), world.now(), "app", kind, _reply_body(kind, document))
    show_in_app(world, app, member, entry)


def _reply_body(kind: str, document: dict[str, XmlValue]) -> Json:
    if kind == "text":
        return {"content": cut_text(str(document.get("Content", "")))}
    if kind == "news":
        articles = document.get("Articles")
        items = articles.get("item") if isinstance(articles, dict) else None
        rows = items if isinstance(items, list) else [items]
        return {"articles": [_snake(row) for row in rows]}
    holder = document.get(kind.capitalize())
    return {"media_id": holder.get("MediaId", "") if isinstance(holder, dict) else ""}


def _card_reply(
    world: World, app: AppState, member: Member, entry: Entry, document: dict[str, XmlValue]
) -> None:
    """Only the two card updates are accepted, and only for the person who pressed."""
    kind = document.get("MsgType")
    if kind == "update_button":
        button = document.get("Button")
        name = button.get("ReplaceName", "") if isinstance(button, dict) else ""
        change_card(world, app, member.userid, entry.msgid, {"replace_name": name})
    elif kind == "update_template_card":
        card = _snake(document.get("TemplateCard"))
        if isinstance(card, dict) and card.get("card_type"):
            change_card(world, app, member.userid, entry.msgid, {**UNTOUCHED, **card})


#: Nodes that are repeated for a list, so that a single one is a list too.
_LISTS: Final = frozenset(
    {
        "button_list",
        "horizontal_content_list",
        "jump_list",
        "vertical_content_list",
        "select_list",
        "option_list",
        "action_list",
    }
)
_SPELLED: Final = {"key_name": "keyname", "check_box": "checkbox"}


def _snake(value: XmlValue | None) -> object:
    """CamelCase nodes as the names of the JSON card."""
    if isinstance(value, list):
        return [_snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    found: Json = {}
    for name, inner in value.items():
        letters = [f"_{c.lower()}" if c.isupper() else c for c in name]
        snake = "".join(letters).lstrip("_")
        snake = _SPELLED.get(snake, snake)
        plain = _snake(inner)
        found[snake] = [plain] if snake in _LISTS and not isinstance(plain, list) else plain
    return found


def _leaves(menu: Json | None) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    buttons = (menu or {}).get("button")
    for button in buttons if isinstance(buttons, list) else []:
        found += button.get("sub_button") or [button]
    return found
