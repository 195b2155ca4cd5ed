"""The session of one customer on one account: its states 0…4 and the codes that changes give.

Source: developer.work.weixin.qq.com/document/path/94669, 95122.
"""

from __future__ import annotations

from typing import Final

from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.errors import ApiError
from channels.wecom.sandbox.figures import count_session
from channels.wecom.sandbox.state import (
    ASSISTANT,
    ENDED,
    NEW,
    QUEUED,
    SERVING,
    WINDOW_S,
    EventCode,
    KfAccount,
    Thread,
)
from channels.wecom.sandbox.world import World

SHORT_CODE_S: Final = 20.0
LONG_CODE_S: Final = WINDOW_S

#: What the page writes down.
DOCUMENTED: Final = frozenset(
    {
        (NEW, QUEUED),
        (NEW, SERVING),
        (ASSISTANT, QUEUED),
        (ASSISTANT, SERVING),
        (QUEUED, SERVING),
        (SERVING, SERVING),
        (SERVING, ENDED),
    }
)
#: What its picture is said to show as well.
ALLOWED: Final = DOCUMENTED | {
    (NEW, ASSISTANT),
    (NEW, ENDED),
    (ASSISTANT, ENDED),
    (QUEUED, ENDED),
}

_CODE_OF_STATE: Final = {
    QUEUED: ("queued", LONG_CODE_S),
    SERVING: ("accepted", LONG_CODE_S),
    ENDED: ("ended", SHORT_CODE_S),
}


def refresh(world: World, thread: Thread) -> Thread:
    """End a session that is over by itself: 48 h after it began."""
    started_at = thread.started_at
    if thread.state != ENDED and started_at is not None and world.now() - started_at > WINDOW_S:
        put(world, thread, ENDED)
    return thread


def put(world: World, thread: Thread, state: int, servicer: str | None = None) -> None:
    """Set the state without asking whether that is allowed."""
    account = world.state.accounts[thread.open_kfid]
    account.pool.pop(thread.external_userid, None)
    if state == QUEUED:
        account.pool[thread.external_userid] = world.now()
    thread.state = state
    thread.servicer = servicer if state == SERVING else None
    if thread.servicer is not None:
        _remember_servicer(world, thread, thread.servicer)
    world.show_session(thread)


def begin(world: World, thread: Thread, state: int, servicer: str | None = None) -> None:
    """Open a new session."""
    thread.started_at = world.now()
    thread.coded.clear()
    put(world, thread, state, servicer)
    count_session(world, thread)


def change_by_api(
    world: World, account: KfAccount, thread: Thread, to: int, servicer: str | None
) -> str | None:
    """`service_state/trans`. Returns the code, where one is given. Raises: ApiError."""
    refresh(world, thread)
    steps = DOCUMENTED if world.settings.is_strict_transitions else ALLOWED
    same_person = thread.state == to == SERVING and servicer == thread.servicer
    if (thread.state, to) not in steps or same_person:
        raise ApiError(95016, "service state transition not allowed")
    if to == SERVING:
        check_servicer(world, account, servicer or "")
    put(world, thread, to, servicer)
    if to not in _CODE_OF_STATE or to in thread.coded:
        return None
    thread.coded.add(to)
    return new_code(world, thread, to)


def check_servicer(world: World, account: KfAccount, userid: str) -> None:
    """Raises: ApiError 95014 not a servicer or not activated, 95019 stopped."""
    member = world.state.members.get(userid)
    if member is None or not member.is_active or not is_servicer(world, account, userid):
        raise ApiError(95014, "not a servicer of the account")
    if account.servicers.get(userid, "accepting") != "accepting":
        raise ApiError(95019, "servicer has stopped")


def is_servicer(world: World, account: KfAccount, userid: str) -> bool:
    if userid in account.servicers:
        return True
    member = world.state.members.get(userid)
    return member is not None and bool(set(member.departments) & set(account.departments))


def new_code(world: World, thread: Thread, state: int) -> str:
    """A code that belongs to a change into `state`."""
    kind, lifetime = _CODE_OF_STATE[state]
    return _issue(world, thread, kind, lifetime)


def new_welcome_code(world: World, thread: Thread) -> str | None:
    """Only for customers without a welcome and without a message in the last 48 h."""
    since = world.now() - WINDOW_S
    if any(at is not None and at > since for at in (thread.welcomed_at, thread.last_customer_at)):
        return None
    return _issue(world, thread, "welcome", SHORT_CODE_S)


def use_code(world: World, code: str) -> EventCode:
    """Take a code. Raises: ApiError 41050 unknown, used or late; 95018 its state is over."""
    known = world.state.event_codes.pop(code, None)
    if known is None or world.now() > known.expires_at:
        raise ApiError(41050, "invalid code")
    thread = refresh(world, world.thread_by_key(known.thread))
    state = next((s for s, (kind, _) in _CODE_OF_STATE.items() if kind == known.kind), None)
    if state is not None and thread.state != state:
        raise ApiError(95018, "session is no longer in the state of the code")
    return known


def log_change(
    world: World, thread: Thread, change_type: int, *, old: str | None, new: str | None
) -> None:
    """Report what a servicer did in the client. 1 picked, 2 transferred, 3 ended, 4 re-opened."""
    fields: Json = {"external_userid": thread.external_userid, "change_type": change_type}
    if change_type in (2, 3, 4):
        fields["old_servicer_userid"] = old or ""
    if change_type in (1, 2, 4):
        fields["new_servicer_userid"] = new or ""
    if change_type in (1, 3):
        fields["msg_code"] = new_code(world, thread, thread.state)
    world.log_event(world.state.accounts[thread.open_kfid], "session_status_change", fields)


def _issue(world: World, thread: Thread, kind: str, lifetime_s: float) -> str:
    code = world.code("CODE")
    world.state.event_codes[code] = EventCode(kind, thread.key, world.now() + lifetime_s)
    return code


def _remember_servicer(world: World, thread: Thread, userid: str) -> None:
    if userid in thread.served_by:
        thread.served_by.remove(userid)
    thread.served_by.append(userid)
    member = world.state.members.get(userid)
    if member is not None:
        member.threads.pop(thread.key, None)
        member.threads[thread.key] = None
