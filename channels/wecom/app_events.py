"""Callbacks of a self-built app as Updates. Pure; an app's URL may also be that of 微信客服.

Source: developer.work.weixin.qq.com/document/path/90239 and 90240.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

from channels.update import (
    AccountsChanged,
    AppMenuPressed,
    CardPressed,
    MessageReceived,
    UnknownEvent,
    Update,
)
from channels.wecom.fields import Fields, stable_id
from core.content import Address, Content, Image, Link, Location, Media, Text, Video, Voice

CHANNEL = "wecom_app"
KF_CHANNEL = "wecom_kf"


class _Head(TypedDict):
    update_id: str
    address: Address
    occurred_at: datetime


def app_update(document: Fields) -> Update:
    """A message or event of a member. What we do not know becomes UnknownEvent."""
    member = document.text("FromUserName")
    head = _Head(
        update_id=document.text("MsgId") or _event_id(document),
        address=Address(CHANNEL, document.text("AgentID"), member),
        occurred_at=document.moment("CreateTime"),
    )
    if document.text("MsgType") == "event":
        return _event(document, head)
    read = _CONTENTS.get(document.text("MsgType"))
    if read is None:
        return _unknown(document, head, document.text("MsgType"))
    return MessageReceived(
        **head,
        message_id=head["update_id"],
        content=read(document),
        sender="servicer",
        servicer_ref=member,
    )


def accounts_changed(document: Fields) -> AccountsChanged:
    """`kf_account_auth_change`: what this app may manage has changed."""
    return AccountsChanged(
        update_id=_event_id(document),
        address=Address(KF_CHANNEL, "", document.text("FromUserName") or "sys"),
        occurred_at=document.moment("CreateTime"),
        added=tuple(document.texts("AuthAddOpenKfId")),
        removed=tuple(document.texts("AuthDelOpenKfId")),
    )


def _event_id(document: Fields) -> str:
    """Events have no MsgId. Source: document/path/90238; the later names are for safety."""
    names = (
        "FromUserName", "CreateTime", "Event", "ChangeType", "EventKey", "TaskId", "Token",
        "AuthAddOpenKfId", "AuthDelOpenKfId",
    )  # fmt: skip
    parts = ["+".join(document.texts(name)) for name in names]
    if code := document.text("ResponseCode"):  # two presses within a second are two
        parts.append(code)
    return stable_id(*parts)


_CONTENTS: dict[str, Callable[[Fields], Content]] = {
    "text": lambda document: Text(text=document.text("Content")),
    "image": lambda document: Image(media=_media(document)),
    "voice": lambda document: Voice(media=_media(document)),
    "video": lambda document: Video(media=_media(document)),
    "location": lambda document: Location(
        latitude=document.decimal("Location_X"),
        longitude=document.decimal("Location_Y"),
        address=document.text("Label"),
    ),
    "link": lambda document: Link(
        title=document.text("Title"),
        url=document.text("Url"),
        description=document.text("Description"),
        picture_url=document.text("PicUrl"),
    ),
}


def _media(document: Fields) -> Media:
    return Media(vendor_ref=document.optional_text("MediaId"))


def _event(document: Fields, head: _Head) -> Update:
    match document.text("Event"):
        case "click":
            return AppMenuPressed(**head, key=document.text("EventKey"))
        case "enter_agent":
            return AppMenuPressed(**head, key="enter")
        case "template_card_event" | "template_card_menu_event":
            return CardPressed(
                **head,
                task_id=document.text("TaskId"),
                button=document.text("EventKey"),
                response_code=document.text("ResponseCode"),
                selected=_selected(document),
            )
        case kind:
            return _unknown(document, head, kind)


def _selected(document: Fields) -> dict[str, str]:
    """Question → option ids, joined by commas where several were chosen."""
    items = document.object("SelectedItems").objects("SelectedItem")
    return {
        item.text("QuestionKey"): ",".join(item.object("OptionIds").texts("OptionId"))
        for item in items
    }


def _unknown(document: Fields, head: _Head, kind: str) -> UnknownEvent:
    return UnknownEvent(**head, kind=kind or "?", raw=document.as_json())
