"""`kf/sync_msg`. Source: developer.work.weixin.qq.com/document/path/94670."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final

from channels.wecom.sandbox.api import Call
from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.errors import ApiError
from channels.wecom.sandbox.state import KEPT_S, KfAccount, Log
from channels.wecom.sandbox.world import World

MAX_LIMIT: Final = 1000
_REPEATED: Final = 10
_CURSOR: Final = re.compile(r"4gw7(?P<position>[0-9a-f]{12})(?P<empty>e?)K(?P<account>.{1,40})")


@dataclass(slots=True)
class PullPace:
    """Runtime facts of pulling: calls so far, and recent calls without a token per account."""

    calls: int = 0
    tokenless: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))


class Pulls:
    """The handler of `sync_msg` with what it must remember between calls."""

    def __init__(self) -> None:
        self._pace = PullPace()

    def sync_msg(self, world: World, call: Call) -> Json:
        body = call.body
        account = world.account(body.text("open_kfid"))
        limit = body.integer("limit", MAX_LIMIT)
        if not 1 <= limit <= MAX_LIMIT or body.integer("voice_format", 0) not in (0, 1):
            raise ApiError(40035, "invalid limit or voice_format")
        cursor = body.text("cursor", "", max_bytes=64)
        self._check_token(world, account, body.text("token", "", max_bytes=128))
        position, was_empty = read_cursor(account, cursor)
        return self._page(world, account, position, limit, was_empty)

    def _page(
        self, world: World, account: KfAccount, position: int, limit: int, was_empty: bool
    ) -> Json:
        log = account.log
        log.drop_before(world.now() - KEPT_S)
        start = max(log.index_after(position), log.first_since(world.now() - KEPT_S))
        waiting = len(log.items) - start
        if waiting and not was_empty and self._is_empty_turn(world):
            return _answer(cursor_of(account, position, is_empty=True), True, [])
        if not waiting:
            return _answer(cursor_of(account, max(position, _last(log))), False, [])
        stop = min(start + limit, len(log.items))
        items = _spoil(world, log, start, stop)
        return _answer(cursor_of(account, log.positions[stop - 1]), stop < len(log.items), items)

    def _is_empty_turn(self, world: World) -> bool:
        every = world.settings.empty_page_every
        self._pace.calls += 1
        return (every > 0 and self._pace.calls % every == 0) or (
            world.faults.hit("pull_empty") is not None
        )

    def _check_token(self, world: World, account: KfAccount, token: str) -> None:
        now = world.now()
        if token:
            known = world.pull_tokens.get(token)
            if known is None or known[0] != account.open_kfid or known[1] < now:
                raise ApiError(95007, "invalid token")
            return
        most = world.settings.tokenless_pulls_per_minute
        if not most:
            return
        recent = self._pace.tokenless[account.open_kfid]
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if len(recent) >= most:
            raise ApiError(45009, "api freq out of limit")
        recent.append(now)


def read_cursor(account: KfAccount, cursor: str) -> tuple[int, bool]:
    """Position and whether the page before was empty. Raises: ApiError 50100."""
    if not cursor:
        return 0, False
    match = _CURSOR.fullmatch(cursor)
    if match is None or match["account"] != account.open_kfid[-32:]:
        raise ApiError(50100, "invalid cursor")
    return int(match["position"], 16), bool(match["empty"])


def cursor_of(account: KfAccount, position: int, *, is_empty: bool = False) -> str:
    return f"4gw7{position:012x}{'e' if is_empty else ''}K{account.open_kfid[-32:]}"


def _last(log: Log) -> int:
    return log.positions[-1] if log.positions else 0


def _answer(next_cursor: str, has_more: bool, items: list[Json]) -> Json:
    return {"next_cursor": next_cursor, "has_more": int(has_more), "msg_list": items}


def _spoil(world: World, log: Log, start: int, stop: int) -> list[Json]:
    items = log.items[start:stop]
    if world.faults.hit("pull_repeat"):
        items = log.items[max(0, start - _REPEATED) : start] + items
    if world.faults.hit("pull_shuffle"):
        items = _mixed(world, items)
    return items


def _mixed(world: World, items: list[Json]) -> list[Json]:
    """Customers in another order among one another; each one's own items keep theirs."""
    by_customer: dict[str, deque[Json]] = defaultdict(deque)
    turns: list[str] = []
    for item in items:
        event = item.get("event")
        inner = event.get("external_userid", "") if isinstance(event, dict) else ""
        owner = str(item.get("external_userid") or inner)
        by_customer[owner].append(item)
        turns.append(owner)
    world.faults.shuffle(turns)
    return [by_customer[owner].popleft() for owner in turns]
