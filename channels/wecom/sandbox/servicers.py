"""What servicers do inside the WeCom client."""

from __future__ import annotations

from typing import Final

from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.errors import Refusal
from channels.wecom.sandbox.figures import of_servicer
from channels.wecom.sandbox.people import message_item
from channels.wecom.sandbox.sessions import begin, is_servicer, log_change, put, refresh
from channels.wecom.sandbox.state import (
    ENDED,
    QUEUED,
    SERVING,
    Entry,
    KfAccount,
    Member,
    Thread,
)
from channels.wecom.sandbox.world import World

#: status → what the event says of it. Source: document/path/94670.
_STATUS_EVENT: Final = {
    "accepting": {"status": 1},
    "stopped": {"status": 2, "stop_type": 0},
    "suspended": {"status": 2, "stop_type": 1},
}


def own_account(world: World, member: Member, open_kfid: str) -> KfAccount:
    account = world.state.accounts.get(open_kfid)
    if account is None:
        raise Refusal("not_found", "没有这个客服账号")
    if not is_servicer(world, account, member.userid):
        raise Refusal("conflict", "您不是该账号的接待人员")
    return account


def can_write(thread: Thread, userid: str) -> bool:
    if thread.state == SERVING:
        return thread.servicer == userid
    return thread.state == ENDED and userid in thread.served_by


def pick(world: World, thread: Thread, member: Member) -> None:
    if refresh(world, thread).state != QUEUED:
        raise Refusal("conflict", "该客户已不在待接入池")
    put(world, thread, SERVING, member.userid)
    log_change(world, thread, 1, old=None, new=member.userid)


def reply(world: World, thread: Thread, member: Member, msgtype: str, body: Json) -> Entry:
    if refresh(world, thread).state == ENDED and member.userid in thread.served_by:
        reopen(world, thread, member)
    _must_be_mine(thread, member)
    entry = Entry(0, world.msgid(), world.now(), "servicer", msgtype, body, member.userid)
    thread.chat.add(entry)
    of_servicer(world, _account(world, thread), member.userid).replies += 1
    world.show_entry(thread, entry)
    world.log(_account(world, thread), message_item(thread, entry))
    return entry


def transfer(world: World, thread: Thread, member: Member, to: str) -> None:
    _must_be_mine(refresh(world, thread), member)
    account = _account(world, thread)
    if to == member.userid or not is_servicer(world, account, to):
        raise Refusal("bad_request", "不能转给该成员")
    if account.servicers.get(to, "accepting") != "accepting":
        raise Refusal("conflict", "对方已停止接待")
    put(world, thread, SERVING, to)
    log_change(world, thread, 2, old=member.userid, new=to)


def end(world: World, thread: Thread, member: Member) -> None:
    _must_be_mine(refresh(world, thread), member)
    put(world, thread, ENDED)
    log_change(world, thread, 3, old=member.userid, new=None)


def reopen(world: World, thread: Thread, member: Member) -> None:
    """Take back a session that was ended, or that was transferred to somebody else."""
    is_over = refresh(world, thread).state == ENDED
    is_elsewhere = thread.state == SERVING and thread.servicer != member.userid
    if member.userid not in thread.served_by or not (is_over or is_elsewhere):
        raise Refusal("conflict", "不能重新接入该会话")
    old = thread.servicer or thread.served_by[-1]
    if is_over:
        begin(world, thread, SERVING, member.userid)
    else:
        put(world, thread, SERVING, member.userid)
    log_change(world, thread, 4, old=old, new=member.userid)


def mute(world: World, thread: Thread, member: Member, is_muted: bool) -> None:
    if is_muted == (thread.muted_by is not None):
        return
    thread.muted_by = member.userid if is_muted else None
    fields: Json = {
        "servicer_userid": member.userid,
        "external_userid": thread.external_userid,
        "reject_switch": int(is_muted),
    }
    world.log_event(_account(world, thread), "reject_customer_msg_switch_change", fields)
    world.show_session(thread)


def set_status(world: World, account: KfAccount, member: Member, status: str) -> None:
    if status not in _STATUS_EVENT:
        raise Refusal("bad_request", "没有这种状态")
    if account.servicers.get(member.userid, "accepting") == status:
        return
    account.servicers[member.userid] = status
    fields: Json = {"servicer_userid": member.userid, **_STATUS_EVENT[status]}
    world.log_event(account, "servicer_status_change", fields)
    world.show_servicer(member.userid)


def _must_be_mine(thread: Thread, member: Member) -> None:
    if thread.state != SERVING or thread.servicer != member.userid:
        raise Refusal("conflict", "会话不在您这里")


def _account(world: World, thread: Thread) -> KfAccount:
    return world.state.accounts[thread.open_kfid]
