"""What screens show: the shapes of README.md, made from the state."""

from __future__ import annotations

from typing import Final

from channels.wecom.sandbox.app_messages import app_chat
from channels.wecom.sandbox.app_phone import desk_app
from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.servicers import can_write
from channels.wecom.sandbox.sessions import is_servicer, refresh
from channels.wecom.sandbox.state import (
    QUEUED,
    RECALL_S,
    SERVING,
    Chat,
    Customer,
    Entry,
    KfAccount,
    Member,
    Thread,
)
from channels.wecom.sandbox.world import World

PAGE: Final = 100
_ENDED_SHOWN: Final = 20
_MEDIA: Final = ("image", "voice", "video", "file")
_WORDS: Final = {
    "image": "[图片]",
    "voice": "[语音]",
    "video": "[视频]",
    "file": "[文件]",
    "location": "[位置]",
    "link": "[链接]",
    "miniprogram": "[小程序]",
    "template_card": "[卡片]",
}


def person_view(member: Member) -> Json:
    return {
        "userid": member.userid,
        "name": member.name,
        "avatar": f"avatars/{member.userid}.svg",
    }


def people_view(world: World) -> Json:
    app = desk_app(world)
    return {
        "now": world.now(),
        "corp": {"corp_id": world.seed.corp_id, "name": world.seed.corp_name},
        "app": {"agent_id": app.agent_id, "name": world.app_seed(app.agent_id).name},
        "accounts": [_account_view(world, a) for a in world.state.accounts.values()],
        "customers": [customer_view(world, c) for c in world.state.customers.values()],
        "servicers": [servicer_view(world, m) for m in world.state.members.values()],
    }


def _account_view(world: World, account: KfAccount) -> Json:
    return {
        "open_kfid": account.open_kfid,
        "name": account.name,
        "avatar": f"avatars/{account.open_kfid}.svg",
        "is_managed": account.is_managed,
        "links": [
            {"scene": link.scene, "url": link.url}
            for link in world.state.links.values()
            if link.open_kfid == account.open_kfid
        ],
    }


def customer_view(world: World, customer: Customer) -> Json:
    threads = [
        account.threads[customer.external_userid]
        for account in world.state.accounts.values()
        if customer.external_userid in account.threads
    ]
    return {
        "external_userid": customer.external_userid,
        "name": customer.name,
        "organisation": customer.organisation,
        "gender": customer.gender,
        "avatar": f"avatars/{customer.external_userid}.svg",
        "threads": [thread_view(world, thread) for thread in threads],
    }


def servicer_view(world: World, member: Member) -> Json:
    accounts = [
        {
            "open_kfid": account.open_kfid,
            "name": account.name,
            "status": account.servicers.get(member.userid, "accepting"),
        }
        for account in world.state.accounts.values()
        if is_servicer(world, account, member.userid)
    ]
    return {
        **person_view(member),
        "position": member.position,
        "is_active": member.is_active,
        "accounts": accounts,
    }


def thread_view(world: World, thread: Thread) -> Json:
    refresh(world, thread)
    customer = world.state.customers[thread.external_userid]
    servicer = world.state.members.get(thread.servicer or "")
    shown = next((e for e in reversed(thread.chat.entries) if e.fail_type is None), None)
    return {
        "open_kfid": thread.open_kfid,
        "account": world.state.accounts[thread.open_kfid].name,
        "external_userid": thread.external_userid,
        "customer": customer.name,
        "organisation": customer.organisation,
        "state": thread.state,
        "state_hint": _hint(thread, servicer),
        "servicer": person_view(servicer) if servicer else None,
        "last_at": shown.at if shown else None,
        "last_text": _preview(shown) if shown else "",
        "is_muted": thread.muted_by is not None,
    }


def chat_view(
    world: World, thread: Thread, entries: list[Entry], has_more: bool, viewer: str
) -> Json:
    """viewer: "customer", or the userid of a servicer."""
    view: Json = {
        "thread": thread_view(world, thread),
        "entries": entry_views(world, entries, viewer),
        "has_more": has_more,
    }
    if viewer != "customer":
        view["can_write"] = can_write(thread, viewer)
    return view


def entry_views(world: World, entries: list[Entry], viewer: str) -> list[Json]:
    return [
        entry_view(world, entry, viewer)
        for entry in entries
        if viewer != "customer" or entry.fail_type is None
    ]


def entry_view(world: World, entry: Entry, viewer: str) -> Json:
    servicer = world.state.members.get(entry.servicer or "")
    is_own = entry.servicer == viewer or (viewer == "customer" and entry.side == "customer")
    is_fresh = world.now() - entry.at <= RECALL_S
    view: Json = {
        "seq": entry.seq,
        "msgid": entry.msgid,
        "at": entry.at,
        "side": entry.side,
        "servicer": person_view(servicer) if servicer else None,
        "msgtype": entry.msgtype,
        "is_recalled": entry.is_recalled,
        "fail_type": entry.fail_type,
        "can_recall": is_own and is_fresh and not entry.is_recalled,
        "is_rejected": entry.is_rejected,
    }
    if not entry.is_recalled:
        view[entry.msgtype] = _object(world, entry)
    return view


def servicer_screen(world: World, member: Member) -> Json:
    own = [a for a in world.state.accounts.values() if is_servicer(world, a, member.userid)]
    waiting = [
        (since, account.threads[external_userid])
        for account in own
        for external_userid, since in account.pool.items()
    ]
    served = [world.thread_by_key(key) for key in member.threads if _exists(world, key)]
    mine = [t for t in served if t.state == SERVING and t.servicer == member.userid]
    ended = [t for t in reversed(served) if t not in mine and t.state != QUEUED]
    waiting.sort(key=lambda pair: pair[0])
    return {
        "servicer": servicer_view(world, member),
        "pool": [thread_view(world, thread) for _, thread in waiting if thread.state == QUEUED],
        "mine": [thread_view(world, thread) for thread in mine],
        "ended": [thread_view(world, thread) for thread in ended[:_ENDED_SHOWN]],
        "app_entries": len(app_chat(member, desk_app(world)).entries),
    }


def app_screen(world: World, member: Member, entries: list[Entry], has_more: bool) -> Json:
    return {
        "entries": entry_views(world, entries, member.userid),
        "has_more": has_more,
        "menu": desk_app(world).menu,
    }


def page_of(
    chat: Chat, *, limit: int, before: int | None, after: int | None
) -> tuple[list[Entry], bool]:
    """The newest entries, or those before or after a seq; whether there are more that way."""
    entries = chat.entries
    if after is not None:
        found = entries[max(0, after) : max(0, after) + limit]
        return found, after + len(found) < len(entries)
    end = len(entries) if before is None else max(0, min(before - 1, len(entries)))
    start = max(0, end - limit)
    return entries[start:end], start > 0


def _exists(world: World, key: str) -> bool:
    return key.split("|", 1)[0] in world.state.accounts


def _hint(thread: Thread, servicer: Member | None) -> str:
    match thread.state:
        case 0:
            return "等待接待"
        case 1:
            return "智能助手接待中"
        case 2:
            return "排队中，请稍候"
        case 3:
            return f"客服 {servicer.name if servicer else ''} 接待中"
        case _:
            return "会话已结束" if thread.started_at is not None else "会话未开始"


def _preview(entry: Entry) -> str:
    if entry.is_recalled:
        return "撤回了一条消息"
    if entry.msgtype == "msgmenu":
        return str(entry.body.get("head_content") or "[菜单]")
    if entry.msgtype in {"text", "markdown"}:
        return str(entry.body.get("content", ""))[:60]
    return _WORDS.get(entry.msgtype, f"[{entry.msgtype}]")


def _object(world: World, entry: Entry) -> Json:
    body: Json = dict(entry.body)
    if entry.msgtype in _MEDIA:
        media_id = str(body.get("media_id", ""))
        body["url"] = f"media/{media_id}"
        known = world.state.media.get(media_id)
        if known is not None:
            body |= {"name": known.name, "size": known.size, "mime": known.mime}
    elif "thumb_media_id" in body:
        body["thumb_url"] = f"media/{body['thumb_media_id']}"
    return body
