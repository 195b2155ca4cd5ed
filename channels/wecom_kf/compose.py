"""Contents as bodies of `kf/send_msg` and `kf/send_msg_on_event`. Pure.

Source: developer.work.weixin.qq.com/document/path/94677 and 95122.
"""

from __future__ import annotations

from datetime import timedelta

from channels.capabilities import Capabilities, ReplyWindow
from channels.degrade import shorten
from channels.errors import Rejected
from channels.wecom_kf.menu_ids import write_menu_id
from core.content import (
    Content,
    File,
    Image,
    Link,
    Location,
    Menu,
    MenuItem,
    MiniProgram,
    Text,
    Video,
    Voice,
)

Body = dict[str, object]

_CA_LINK = "https://work.weixin.qq.com/ca/"
_KINDS = frozenset(
    {"text", "image", "voice", "video", "file", "link", "miniprogram", "menu", "location"}
)

CAPABILITIES = Capabilities(
    kinds=_KINDS,
    max_text_bytes=2048,
    max_menu_clicks=10,
    needs_thumb=True,
    image_mimes=frozenset({"image/jpeg", "image/png"}),
    voice_mimes=frozenset({"audio/amr", "audio/AMR"}),
    video_mimes=frozenset({"video/mp4"}),
    reply_window=ReplyWindow(messages=5, duration=timedelta(hours=48)),
    has_native_handover=True,
)

#: What may be sent with a code: text everywhere, menus with welcome and closing codes only.
WITH_CODE = Capabilities(
    kinds=frozenset({"text", "menu"}), max_text_bytes=2048, max_menu_clicks=10, max_menu_items=10
)
WITH_TEXT_CODE = Capabilities(kinds=frozenset({"text"}), max_text_bytes=2048)


def is_ca_link(content: Content) -> bool:
    """A 获客链接: the only link that needs no picture."""
    return isinstance(content, Link) and content.url.startswith(_CA_LINK)


def compose(content: Content, media_id: str = "") -> Body:
    """`{"msgtype": …, <msgtype>: {…}}`. media_id: of the file, or of the link's picture.

    Raises: Rejected for what `degrade.fit` would have changed.
    """
    match content:
        case Text():
            return _body("text", {"content": content.text})
        case Image() | Voice() | Video() | File():
            return _body(content.type, {"media_id": media_id})
        case Location():
            fields = content.model_dump(include={"name", "address", "latitude", "longitude"})
            return _body("location", fields)
        case Link():
            return _link(content, media_id)
        case MiniProgram():
            return _miniprogram(content, media_id)
        case Menu():
            return _menu(content)
        case _:
            raise Rejected(f"{content.type} cannot be sent")


def _body(msgtype: str, fields: Body) -> Body:
    return {"msgtype": msgtype, msgtype: fields}


def _link(link: Link, thumb: str) -> Body:
    if is_ca_link(link):
        return _body("ca_link", {"link_url": link.url})
    fields: Body = {
        "title": shorten(link.title, 128),
        "desc": shorten(link.description, 512),
        "url": link.url,
        "thumb_media_id": thumb,
    }
    return _body("link", fields)


def _miniprogram(program: MiniProgram, thumb: str) -> Body:
    fields: Body = {
        "appid": program.appid,
        "title": shorten(program.title, 64),
        "thumb_media_id": thumb,
        "pagepath": program.page,
    }
    return _body("miniprogram", fields)


def _menu(menu: Menu) -> Body:
    fields: Body = {"list": [_menu_item(item) for item in menu.items]}
    if menu.head:
        fields["head_content"] = menu.head
    if menu.tail:
        fields["tail_content"] = menu.tail
    return _body("msgmenu", fields)


def _menu_item(item: MenuItem) -> Body:
    match item.kind:
        case "click":
            fields: Body = {"id": write_menu_id(item.id), "content": item.label}
        case "view":
            fields = {"url": item.url, "content": item.label}
        case "miniprogram":
            fields = {"appid": item.appid, "pagepath": item.url, "content": item.label}
        case "text":
            fields = {"content": item.label, "no_newline": 0}
    return {"type": item.kind, item.kind: fields}
