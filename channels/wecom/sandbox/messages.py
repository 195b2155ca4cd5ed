"""`kf/send_msg`, `kf/send_msg_on_event`, `kf/recall_msg`.

Source: developer.work.weixin.qq.com/document/path/94677, 95122.
"""

from __future__ import annotations

from typing import Final

from channels.wecom.sandbox.api import Call
from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.content import (
    MAX_EVENT_MENU_ITEMS,
    SENDABLE,
    read_content,
    read_msgid,
)
from channels.wecom.sandbox.errors import ApiError
from channels.wecom.sandbox.sessions import put, refresh, use_code
from channels.wecom.sandbox.state import (
    ASSISTANT,
    ENDED,
    NEW,
    RECALL_S,
    WINDOW_S,
    Entry,
    KfAccount,
    Thread,
)
from channels.wecom.sandbox.world import World

MAX_MESSAGES: Final = 5
REFUSED_BY_CUSTOMER: Final = 10
_TEXT_ONLY: Final = frozenset({"text"})
_KINDS_OF_CODE: Final = {
    "welcome": frozenset({"text", "msgmenu"}),
    "queued": _TEXT_ONLY,
    "accepted": _TEXT_ONLY,
    "ended": frozenset({"text", "msgmenu"}),
}


def send_msg(world: World, call: Call) -> Json:
    body = call.body
    account = world.account(body.text("open_kfid"))
    external_userid = body.text("touser", min_bytes=1)
    msgid = read_msgid(world, body)
    msgtype, content = read_content(world, body, kinds=SENDABLE)
    _refuse_used(account, msgid)
    thread = world.thread(account, external_userid)
    check_window(world, thread)
    thread.sent_since += 1
    if thread.state == NEW:
        put(world, thread, ASSISTANT)
    _hand_over(world, account, thread, _entry(world, msgid, msgtype, content))
    return {"msgid": msgid}


def send_msg_on_event(world: World, call: Call) -> Json:
    body = call.body
    code = body.text("code", min_bytes=1)
    msgid = read_msgid(world, body)
    known = world.state.event_codes.get(code)
    kinds = _KINDS_OF_CODE[known.kind] if known else SENDABLE
    msgtype, content = read_content(world, body, kinds=kinds, max_items=MAX_EVENT_MENU_ITEMS)
    if known is not None:
        _refuse_used(world.account(known.thread.split("|", 1)[0]), msgid)
    thread = world.thread_by_key(use_code(world, code).thread)
    account = world.account(thread.open_kfid)
    if known is not None and known.kind == "welcome":
        thread.welcomed_at = world.now()
    _hand_over(world, account, thread, _entry(world, msgid, msgtype, content))
    return {"msgid": msgid}


def recall_msg(world: World, call: Call) -> Json:
    """As the pages of the standalone edition have it."""
    account = world.account(call.body.text("open_kfid"))
    msgid = call.body.text("msgid", min_bytes=1)
    external_userid = account.owner_of_msgid.get(msgid)
    if external_userid is None:
        raise ApiError(95025, "msgid not found")
    thread = account.threads[external_userid]
    entry = thread.chat.find(msgid)
    if entry is None or entry.side != "account":
        raise ApiError(95025, "msgid not found")
    if entry.is_recalled:
        raise ApiError(95029, "message already recalled")
    if world.now() - entry.at > RECALL_S:
        raise ApiError(95024, "message is older than 2 minutes")
    entry.is_recalled = True
    world.show_entry(thread, entry)
    return {}


def check_window(world: World, thread: Thread) -> None:
    """May `send_msg` write here? Raises: ApiError 95031, 95002, 95013, 95018, 95001."""
    if thread.last_customer_at is None:
        if thread.chat.entries:
            raise ApiError(95018, "the customer has not written yet")
        raise ApiError(95031, "the customer has not consulted")
    if world.now() - thread.last_customer_at > WINDOW_S:
        raise ApiError(95002, "over 48 hours since the customer's last message")
    refresh(world, thread)
    if thread.state == ENDED:
        raise ApiError(95013, "session ended")
    if thread.state not in (NEW, ASSISTANT):
        raise ApiError(95018, "session state does not allow sending")
    if thread.sent_since >= MAX_MESSAGES:
        raise ApiError(95001, "more than 5 messages since the customer's last one")


def _refuse_used(account: KfAccount, msgid: str) -> None:
    if msgid in account.owner_of_msgid:
        raise ApiError(95033, "msgid already used")


def _entry(world: World, msgid: str, msgtype: str, content: Json) -> Entry:
    return Entry(seq=0, msgid=msgid, at=world.now(), side="account", msgtype=msgtype, body=content)


def _hand_over(world: World, account: KfAccount, thread: Thread, entry: Entry) -> None:
    """Deliver to the customer's phone, or report later that it did not arrive."""
    account.owner_of_msgid[entry.msgid] = thread.external_userid
    world.counters.sent_messages += 1
    fault = world.faults.hit("send_fail")
    if thread.is_refusing:
        entry.fail_type = REFUSED_BY_CUSTOMER
    elif fault is not None:
        entry.fail_type = fault.fail_type
    thread.chat.add(entry)
    world.show_entry(thread, entry)
    if entry.fail_type is not None:
        world.log_event(
            account,
            "msg_send_fail",
            {
                "external_userid": thread.external_userid,
                "fail_msgid": entry.msgid,
                "fail_type": entry.fail_type,
            },
        )
