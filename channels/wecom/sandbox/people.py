"""What customers do in WeChat."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs, urlsplit

from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.content import cut_text
from channels.wecom.sandbox.errors import Refusal
from channels.wecom.sandbox.figures import count_customer_message, of_account, of_servicer
from channels.wecom.sandbox.sessions import begin, new_welcome_code, refresh
from channels.wecom.sandbox.state import ENDED, NEW, RECALL_S, Entry, KfAccount, Thread
from channels.wecom.sandbox.world import World

_MAX_SCENE_PARAM: Final = 128


def phone_thread(world: World, open_kfid: str, external_userid: str) -> Thread:
    """The thread as a person may see it, also on accounts that no API manages."""
    world.customer(external_userid)
    account = world.state.accounts.get(open_kfid)
    if account is None:
        raise Refusal("not_found", "没有这个客服账号")
    return world.thread(account, external_userid)


def enter(world: World, thread: Thread, scene: str, scene_param: str) -> str | None:
    """Open the chat through a link. Returns the welcome code, if there is one."""
    if len(scene_param.encode()) > _MAX_SCENE_PARAM:
        raise Refusal("bad_request", "scene_param 超过 128 字节")
    customer = world.state.customers[thread.external_userid]
    customer.active_at = world.now()
    context: Json = {"scene": scene, "scene_param": scene_param if scene else ""}
    customer.context = context
    code = new_welcome_code(world, refresh(world, thread))
    fields: Json = {"external_userid": thread.external_userid, **context}
    if code is not None:
        fields["welcome_code"] = code
    world.log_event(_account(world, thread), "enter_session", fields)
    world.show_session(thread)
    return code


def open_link(world: World, external_userid: str, url: str) -> tuple[Thread, str | None]:
    """Follow a link of `kf/add_contact_way`."""
    world.customer(external_userid)
    query = parse_qs(urlsplit(url).query)
    link = world.state.links.get(query.get("enc_scene", [""])[0])
    if link is None:
        raise Refusal("not_found", "链接无效")
    scene_param = query.get("scene_param", [""])[0] if link.scene else ""
    thread = phone_thread(world, link.open_kfid, external_userid)
    return thread, enter(world, thread, link.scene, scene_param)


def write(world: World, thread: Thread, msgtype: str, body: Json) -> Entry:
    """A message of the customer, in any state."""
    if msgtype == "text":
        body = {**body, "content": cut_text(str(body.get("content", "")), 4096)}
        if not str(body["content"]).strip():
            raise Refusal("bad_request", "不能发送空白消息")
    entry = thread.chat.add(Entry(0, world.msgid(), world.now(), "customer", msgtype, body))
    if thread.muted_by is not None:
        return _refuse(world, thread, entry)
    _open_session(world, thread)
    thread.last_customer_at = world.now()
    thread.sent_since = 0
    world.state.customers[thread.external_userid].active_at = world.now()
    world.counters.customer_messages += 1
    count_customer_message(world, thread)
    world.show_entry(thread, entry)
    world.log(_account(world, thread), message_item(thread, entry))
    return entry


def click(world: World, thread: Thread, menu: Entry | None, menu_id: str) -> Entry:
    """Press a line of a menu: the phone sends its text with its id."""
    if menu is None or menu.msgtype != "msgmenu" or menu.is_recalled:
        raise Refusal("not_found", "没有这个菜单")
    items = menu.body.get("list")
    for item in items if isinstance(items, list) else []:
        line = item.get("click")
        if line and line["id"] == menu_id:
            text: Json = {"content": line["content"], "menu_id": menu_id}
            return write(world, thread, "text", text)
    raise Refusal("not_found", "菜单里没有这一项")


def recall(world: World, thread: Thread, msgid: str) -> Entry:
    entry = thread.chat.find(msgid)
    if entry is None or entry.side != "customer":
        raise Refusal("not_found", "没有这条消息")
    _mark_recalled(world, thread, entry)
    fields: Json = {"external_userid": thread.external_userid, "recall_msgid": msgid}
    world.log_event(_account(world, thread), "user_recall_msg", fields)
    return entry


def recall_of_servicer(world: World, thread: Thread, msgid: str, userid: str) -> Entry:
    entry = thread.chat.find(msgid)
    if entry is None or entry.servicer != userid:
        raise Refusal("not_found", "没有这条消息")
    _mark_recalled(world, thread, entry)
    fields: Json = {
        "external_userid": thread.external_userid,
        "recall_msgid": msgid,
        "servicer_userid": userid,
    }
    world.log_event(_account(world, thread), "servicer_recall_msg", fields)
    return entry


def message_item(thread: Thread, entry: Entry) -> Json:
    """A message as `sync_msg` shows it."""
    item: Json = {
        "msgid": entry.msgid,
        "open_kfid": thread.open_kfid,
        "external_userid": thread.external_userid,
        "send_time": int(entry.at),
        "origin": 5 if entry.side == "servicer" else 3,
        "msgtype": entry.msgtype,
    }
    if entry.servicer is not None:
        item["servicer_userid"] = entry.servicer
    if entry.body:
        item[entry.msgtype] = entry.body
    return item


def _mark_recalled(world: World, thread: Thread, entry: Entry) -> None:
    if entry.is_recalled:
        raise Refusal("conflict", "已经撤回")
    if world.now() - entry.at > RECALL_S:
        raise Refusal("conflict", "超过 2 分钟，不能撤回")
    entry.is_recalled = True
    world.show_entry(thread, entry)


def _open_session(world: World, thread: Thread) -> None:
    if refresh(world, thread).state == ENDED:
        begin(world, thread, NEW)


def _refuse(world: World, thread: Thread, entry: Entry) -> Entry:
    entry.is_rejected = True
    account = _account(world, thread)
    of_account(world, account).rejected.add(thread.external_userid)
    if thread.muted_by is not None:
        of_servicer(world, account, thread.muted_by).rejected.add(thread.external_userid)
    world.show_entry(thread, entry)
    return entry


def _account(world: World, thread: Thread) -> KfAccount:
    return world.state.accounts[thread.open_kfid]
