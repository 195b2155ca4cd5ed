"""Items of `kf/sync_msg` as Updates. Pure.

Source: developer.work.weixin.qq.com/document/path/94670.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal, TypedDict

from channels.update import (
    CustomerMuted,
    DeliveryFailed,
    HandoverChanged,
    MenuChosen,
    MessageRecalled,
    MessageReceived,
    ServicerStatusChanged,
    SessionEntered,
    UnknownEvent,
    Update,
)
from channels.wecom.fields import Fields, stable_id
from channels.wecom_kf.menu_ids import read_menu_id
from core.content import (
    Address,
    Card,
    Content,
    File,
    Image,
    Link,
    Location,
    Media,
    Menu,
    MenuItem,
    Merged,
    MergedItem,
    MiniProgram,
    Text,
    Unsupported,
    Video,
    Voice,
    plain_text,
)

CHANNEL = "wecom_kf"
_SERVICER = 5  # origin: 3 customer, 4 system event, 5 servicer in the WeCom client
_SHORT_CODE = timedelta(seconds=20)
_LONG_CODE = timedelta(hours=48)
_PART = re.compile(r"-p\d+$")


class _Head(TypedDict):
    update_id: str
    address: Address
    occurred_at: datetime


def to_update(raw: Mapping[str, object], account: str) -> Update:
    """One item. What we do not understand becomes Unsupported or UnknownEvent, never an error."""
    item = Fields(raw)
    is_event = item.text("msgtype") == "event"
    body = item.object("event") if is_event else item
    user = body.text("external_userid") or body.text("servicer_userid")
    head = _Head(
        update_id=stable_id(item.text("msgid") or _digest(item)),
        address=Address(CHANNEL, body.text("open_kfid") or account, user),
        occurred_at=item.moment("send_time"),
    )
    return _event(body, head) if is_event else _message(item, head)


def part_id(message_id: str, part: int) -> str:
    """The platform's msgid for one of the parts (from 0) into which a message was cut."""
    return f"{message_id}-p{part + 1}" if part else message_id


def _digest(item: Fields) -> str:
    return hashlib.sha256(item.as_json().encode()).hexdigest()[:32]


# --- messages ----------------------------------------------------------------------------------


def _message(item: Fields, head: _Head) -> Update:
    is_servicer = item.integer("origin") == _SERVICER
    text = item.object("text")
    if item.text("msgtype") == "text" and text.text("menu_id") and not is_servicer:
        return MenuChosen(
            **head,
            message_id=head["update_id"],
            menu_id=read_menu_id(text.text("menu_id")),
            text=text.text("content"),
        )
    sender: Literal["customer", "servicer"] = "servicer" if is_servicer else "customer"
    return MessageReceived(
        **head,
        message_id=head["update_id"],
        content=to_content(item),
        sender=sender,
        servicer_ref=item.optional_text("servicer_userid"),
    )


def to_content(item: Fields) -> Content:
    """What an item of any message type says."""
    kind = item.text("msgtype")
    read = _CONTENTS.get(kind)
    if read is None:
        return Unsupported(kind=kind or "?", raw=item.as_json())
    return read(item.object(kind))


def _media(body: Fields) -> Media:
    return Media(vendor_ref=body.optional_text("media_id"), name=body.text("filename"))


def _thumb(body: Fields) -> Media | None:
    ref = body.optional_text("thumb_media_id")
    return Media(vendor_ref=ref) if ref else None


def _location(body: Fields) -> Content:
    return Location(
        latitude=body.decimal("latitude"),
        longitude=body.decimal("longitude"),
        name=body.text("name"),
        address=body.text("address"),
    )


def _link(body: Fields) -> Content:
    return Link(
        title=body.text("title"),
        url=body.text("url"),
        description=body.text("desc"),
        picture_url=body.text("pic_url"),
    )


def _miniprogram(body: Fields) -> Content:
    return MiniProgram(
        appid=body.text("appid"),
        page=body.text("pagepath"),
        title=body.text("title"),
        thumb=_thumb(body),
    )


_MENU_KINDS: dict[str, Literal["click", "view", "miniprogram", "text"]] = {
    "click": "click",
    "view": "view",
    "miniprogram": "miniprogram",
    "text": "text",
}


def _menu(body: Fields) -> Content:
    items = tuple(_menu_item(row) for row in body.objects("list"))
    return Menu(head=body.text("head_content"), items=items, tail=body.text("tail_content"))


def _menu_item(row: Fields) -> MenuItem:
    word = row.text("type")
    body = row.object(word)
    return MenuItem(
        kind=_MENU_KINDS.get(word, "text"),
        id=body.text("id"),
        label=body.text("content"),
        url=body.text("url") or body.text("pagepath"),
        appid=body.text("appid"),
    )


def _merged(body: Fields) -> Content:
    items = tuple(_merged_item(row) for row in body.objects("item"))
    return Merged(title=body.text("title"), items=items)


def _merged_item(row: Fields) -> MergedItem:
    """`msg_content` is a JSON text with the same shapes as an item."""
    try:
        inner = json.loads(row.text("msg_content"))
    except (ValueError, RecursionError):
        inner = None
    fields = Fields({"msgtype": row.text("msgtype"), **(inner if isinstance(inner, dict) else {})})
    return MergedItem(
        sender=row.text("sender_name"),
        sent_at_s=row.integer("send_time"),
        text=plain_text(to_content(fields)),
    )


def _product(body: Fields) -> Content:
    price = f"￥{body.integer('sales_price') / 100:.2f}" if body.text("sales_price") else ""
    lines = (price, body.text("shop_nickname"))
    return Card(kind="商品", title=body.text("title"), lines=_filled(*lines))


def _order(body: Fields) -> Content:
    names = ("order_id", "price_wording", "state", "shop_nickname")
    lines = _filled(*(body.text(name) for name in names))
    return Card(kind="订单", title=body.text("product_titles"), lines=lines)


_CHANNELS_SUB_TYPES = {1: "动态", 2: "直播", 3: "名片"}


def _channels(body: Fields) -> Content:
    sub_type = _CHANNELS_SUB_TYPES.get(body.integer("sub_type"), "")
    lines = _filled(body.text("nickname"), sub_type)
    return Card(kind="视频号", title=body.text("title"), lines=lines)


def _filled(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


_CONTENTS: dict[str, Callable[[Fields], Content]] = {
    "text": lambda body: Text(text=body.text("content")),
    "image": lambda body: Image(media=_media(body)),
    "voice": lambda body: Voice(media=_media(body)),
    "video": lambda body: Video(media=_media(body)),
    "file": lambda body: File(media=_media(body)),
    "location": _location,
    "link": _link,
    "business_card": lambda body: Card(kind="名片", title=body.text("userid")),
    "miniprogram": _miniprogram,
    "msgmenu": _menu,
    "channels_shop_product": _product,
    "channels_shop_order": _order,
    "merged_msg": _merged,
    "channels": _channels,
    "meeting": lambda _: Card(kind="会议"),
    "calendar": lambda _: Card(kind="日程"),
    "schedule": lambda _: Card(kind="日程"),
    "note": lambda _: Card(kind="笔记"),
}


# --- events ------------------------------------------------------------------------------------


def _event(event: Fields, head: _Head) -> Update:
    kind = event.text("event_type")
    read = _EVENTS.get(kind)
    update = read(event, head) if read else None
    return update or UnknownEvent(**head, kind=kind or "?", raw=event.as_json())


_ENTRANCES = {1: "主页", 2: "直播间商品", 3: "橱窗", 4: "小店商品", 5: "小店订单"}


def _entered(event: Fields, head: _Head) -> Update:
    channels = event.object("wechat_channels")
    name = channels.text("nickname") or channels.text("shop_nickname")
    place = _ENTRANCES.get(channels.integer("scene"), "")
    code = event.optional_text("welcome_code")
    return SessionEntered(
        **head,
        scene=event.text("scene"),
        scene_param=event.text("scene_param"),
        welcome_code=code,
        code_expires_at=head["occurred_at"] + _SHORT_CODE if code else None,
        origin=" ".join(_filled("视频号", place, name)) if channels.raw else "",
    )


#: Source: document/path/94670, fail_type.
_FAIL_REASONS = {
    0: "unknown",
    1: "account_deleted",
    2: "app_closed",
    4: "over_48_hours",
    5: "session_closed",
    6: "over_5_messages",
    8: "corp_not_verified",
    10: "refused_by_customer",
    11: "no_member_logged_in",
    12: "type_forbidden",
    13: "security",
}


def _failed(event: Fields, head: _Head) -> Update:
    fail_type = event.integer("fail_type")
    return DeliveryFailed(
        **head,
        message_id=_PART.sub("", event.text("fail_msgid")),
        reason=_FAIL_REASONS.get(fail_type, "unknown"),
        vendor_code=str(fail_type),
    )


def _servicer_status(event: Fields, head: _Head) -> Update:
    """Here 1 is in service and 2 is stopped; `servicer/list` says 0 and 1."""
    is_accepting = event.integer("status") == 1
    return ServicerStatusChanged(
        **head,
        servicer_ref=event.text("servicer_userid"),
        is_accepting=is_accepting,
        is_suspended=not is_accepting and event.integer("stop_type") == 1,
    )


_CHANGES: dict[int, Literal["accepted", "transferred", "ended", "reopened"]] = {
    1: "accepted",
    2: "transferred",
    3: "ended",
    4: "reopened",
}


def _session_status(event: Fields, head: _Head) -> Update | None:
    change = _CHANGES.get(event.integer("change_type"))
    if change is None:
        return None
    code = event.optional_text("msg_code")
    life = _SHORT_CODE if change == "ended" else _LONG_CODE
    return HandoverChanged(
        **head,
        change=change,
        old_servicer_ref=event.optional_text("old_servicer_userid"),
        new_servicer_ref=event.optional_text("new_servicer_userid"),
        reply_code=code,
        code_expires_at=head["occurred_at"] + life if code else None,
    )


def _recalled(event: Fields, head: _Head) -> Update:
    servicer = event.optional_text("servicer_userid")
    return MessageRecalled(
        **head,
        message_id=event.text("recall_msgid"),
        by="servicer" if servicer else "customer",
        servicer_ref=servicer,
    )


def _muted(event: Fields, head: _Head) -> Update:
    return CustomerMuted(
        **head,
        servicer_ref=event.text("servicer_userid"),
        is_muted=event.integer("reject_switch") == 1,
    )


_EVENTS: dict[str, Callable[[Fields, _Head], Update | None]] = {
    "enter_session": _entered,
    "msg_send_fail": _failed,
    "servicer_status_change": _servicer_status,
    "session_status_change": _session_status,
    "user_recall_msg": _recalled,
    "servicer_recall_msg": _recalled,
    "reject_customer_msg_switch_change": _muted,
}
