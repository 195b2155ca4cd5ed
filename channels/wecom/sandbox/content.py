"""What kf messages may consist of, and their limits.

Source: developer.work.weixin.qq.com/document/path/94677.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from channels.wecom.sandbox.body import Body, Json
from channels.wecom.sandbox.errors import ApiError
from channels.wecom.sandbox.state import KEPT_S
from channels.wecom.sandbox.world import World

MAX_TEXT_BYTES: Final = 2048
MAX_MENU_ITEMS: Final = 50
MAX_EVENT_MENU_ITEMS: Final = 10
_MAX_CLICKABLE: Final = 10
_MENU_ID: Final = re.compile(r"[0-9A-Za-z_]+")
_MSGID: Final = re.compile(r"[0-9A-Za-z_-]{0,32}")


def read_msgid(world: World, body: Body) -> str:
    """The caller's own msgid, or a fresh one. Raises: ApiError 40058."""
    msgid = body.text("msgid", "")
    if not _MSGID.fullmatch(msgid):
        raise ApiError(40058, "msgid must be up to 32 of [0-9a-zA-Z_-]")
    return msgid or world.code("MSG")[:32]


def read_content(
    world: World, body: Body, *, kinds: frozenset[str], max_items: int = MAX_MENU_ITEMS
) -> tuple[str, Json]:
    """The msgtype and checked object of a message. Raises: ApiError."""
    msgtype = body.text("msgtype")
    if msgtype not in kinds:
        raise ApiError(40008, "invalid message type")
    if msgtype == "msgmenu":
        return msgtype, _menu(body.child(msgtype), max_items)
    return msgtype, _READERS[msgtype](world, msgtype, body.child(msgtype))


def cut_text(text: str, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """What the platform leaves of a long text."""
    return text.encode()[:max_bytes].decode("utf-8", "ignore")


def check_media(world: World, media_id: str, kind: str | None = None) -> str:
    """Raises: ApiError 40007 unknown, of another kind, or older than 3 days."""
    media = world.state.media.get(media_id)
    if media is None or world.now() - media.created_at > KEPT_S or kind not in (None, media.kind):
        raise ApiError(40007, "invalid media_id")
    return media_id


def _text(_world: World, _kind: str, body: Body) -> Json:
    content = body.text("content")
    if not content:
        raise ApiError(44004, "text content is empty")
    return {"content": cut_text(content)}


def _media(world: World, kind: str, body: Body) -> Json:
    return {"media_id": check_media(world, body.text("media_id"), kind)}


def _link(world: World, _kind: str, body: Body) -> Json:
    url = body.text("url", max_bytes=2048, min_bytes=1)
    if not url.startswith(("http://", "https://")):
        raise ApiError(40058, "url must begin with http:// or https://")
    return {
        "title": body.text("title", max_bytes=128, min_bytes=1),
        "desc": body.text("desc", "", max_bytes=512),
        "url": url,
        "thumb_media_id": check_media(world, body.text("thumb_media_id"), "image"),
    }


def _miniprogram(world: World, _kind: str, body: Body) -> Json:
    pagepath = body.text("pagepath", min_bytes=1)
    if not pagepath.split("?", 1)[0].endswith(".html"):
        raise ApiError(40058, "pagepath must end with .html")
    return {
        "appid": body.text("appid", min_bytes=1),
        "title": body.text("title", "", max_bytes=64),
        "thumb_media_id": check_media(world, body.text("thumb_media_id"), "image"),
        "pagepath": pagepath,
    }


def _location(_world: World, _kind: str, body: Body) -> Json:
    return {
        "name": body.text("name", ""),
        "address": body.text("address", ""),
        "latitude": body.number("latitude"),
        "longitude": body.number("longitude"),
    }


def _ca_link(_world: World, _kind: str, body: Body) -> Json:
    return {"link_url": body.text("link_url", min_bytes=1)}


def _menu(body: Body, max_items: int) -> Json:
    items = body.children("list")
    clickable = sum(item.fields.get("type") != "text" for item in items)
    if len(items) > max_items or clickable > _MAX_CLICKABLE:
        raise ApiError(95008, "too many menu items")
    return {
        "head_content": body.text("head_content", "", max_bytes=1024),
        "list": [_menu_item(item) for item in items],
        "tail_content": body.text("tail_content", "", max_bytes=1024),
    }


def _menu_item(item: Body) -> Json:
    kind = item.text("type")
    if kind not in _MENU_ITEMS:
        raise ApiError(95009, "invalid menu item type")
    return {"type": kind, kind: _MENU_ITEMS[kind](item.child(kind))}


def _click(body: Body) -> Json:
    menu_id = body.text("id", max_bytes=128, min_bytes=1)
    if not _MENU_ID.fullmatch(menu_id):
        raise ApiError(40058, "id must be of [0-9a-zA-Z_]")
    return {"id": menu_id, "content": body.text("content", max_bytes=128, min_bytes=1)}


def _view(body: Body) -> Json:
    return {
        "url": body.text("url", max_bytes=2048, min_bytes=1),
        "content": body.text("content", max_bytes=1024, min_bytes=1),
    }


def _menu_miniprogram(body: Body) -> Json:
    return {
        "appid": body.text("appid", max_bytes=32, min_bytes=1),
        "pagepath": body.text("pagepath", max_bytes=1024, min_bytes=1),
        "content": body.text("content", max_bytes=1024, min_bytes=1),
    }


def _menu_text(body: Body) -> Json:
    return {
        "content": body.text("content", max_bytes=256, min_bytes=1),
        "no_newline": body.integer("no_newline", 0),
    }


_MENU_ITEMS: Final[dict[str, Callable[[Body], Json]]] = {
    "click": _click,
    "view": _view,
    "miniprogram": _menu_miniprogram,
    "text": _menu_text,
}
_READERS: Final[dict[str, Callable[[World, str, Body], Json]]] = {
    "text": _text,
    "image": _media,
    "voice": _media,
    "video": _media,
    "file": _media,
    "link": _link,
    "miniprogram": _miniprogram,
    "location": _location,
    "ca_link": _ca_link,
}
SENDABLE: Final = frozenset({*_READERS, "msgmenu"})
