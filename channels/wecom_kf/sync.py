"""Pulling messages: one puller per account, and a cursor that moves with what it stored.

Source: developer.work.weixin.qq.com/document/path/94670.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic import BaseModel, Field, ValidationError

from channels.errors import ChannelError, RetryLater
from channels.http import ResponseTooLarge
from channels.update import to_inbox
from channels.wecom.client import WeComClient
from channels.wecom.fields import Fields
from channels.wecom_kf.convert import to_update
from core.ports import CursorMove, Intake, KeyedLock, KeyValue

log = logging.getLogger(__name__)

_MAX_LIMIT = 1000
_LEASE_S = 60
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0
_TOKEN_REFUSED = "95007"  # noqa: S105 - an errcode
_CURSOR_REFUSED = "50100"


class _Page(BaseModel):
    """An answer of sync_msg. Items are read by `convert`, which trusts nothing."""

    next_cursor: str = ""
    has_more: int = 0
    msg_list: list[dict[str, object]] = Field(default_factory=list)

    @property
    def in_order(self) -> list[dict[str, object]]:
        """By the second in which they were sent; within one as they came."""
        return sorted(self.msg_list, key=lambda raw: Fields(raw).integer("send_time"))


@dataclass(frozen=True, slots=True)
class _Turn:
    """How an account is asked for its next page."""

    account: str
    token: str
    limit: int = _MAX_LIMIT
    is_restart: bool = False


class Puller:
    """Pulls accounts on request. Requests during a pull are merged into one more pull."""

    def __init__(
        self,
        client: WeComClient,
        *,
        intake: Intake,
        lock: KeyedLock,
        cache: KeyValue,
        fresh_s: float,
    ) -> None:
        self._client = client
        self._intake = intake
        self._lock = lock
        self._cache = cache
        self._fresh_s = fresh_s
        self._wanted: dict[str, str] = {}
        self._busy: set[str] = set()
        self._group: asyncio.TaskGroup | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        """Pull in tasks of this group from now on."""
        self._group = group

    def stop(self) -> None:
        self._group = None
        self._wanted.clear()
        self._busy.clear()

    @property
    def is_running(self) -> bool:
        return self._group is not None

    def request(self, account: str, token: str = "") -> None:
        """Have an account pulled soon. token: of the callback; without it WeCom is strict."""
        if self._group is None:
            return
        self._wanted[account] = token or self._wanted.get(account, "")
        if account not in self._busy:
            self._busy.add(account)
            self._group.create_task(self._serve(account))

    async def request_stale(self, accounts: Iterable[str]) -> None:
        """The net under lost callbacks: have those pulled that nobody pulled lately."""
        for account in accounts:
            if await self._cache.get(_pulled_key(account)) is None:
                self.request(account)

    async def _serve(self, account: str) -> None:
        """Pull while there are requests; wait longer and longer while WeCom does not answer."""
        pause_s = _FIRST_PAUSE_S
        try:
            while account in self._wanted:
                token = self._wanted.pop(account)
                try:
                    await self.pull(account, token)
                    pause_s = _FIRST_PAUSE_S
                except RetryLater as error:
                    self._wanted.setdefault(account, token)
                    wait_s = max(error.retry_after_s or 0, pause_s)
                    log.warning(
                        "Messages will be pulled later: %s", error.reason,
                        extra={"action": "wecom_kf.put_off", "account": account, "wait_s": wait_s},
                    )  # fmt: skip
                    await asyncio.sleep(wait_s)
                    pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                except ChannelError as error:
                    log.error(  # noqa: TRY400 - the platform's words say all
                        "Messages cannot be pulled: %s", error.reason,
                        extra={"action": "wecom_kf.pull_refused", "account": account},
                    )  # fmt: skip
        finally:
            self._busy.discard(account)

    async def pull(self, account: str, token: str = "") -> int:
        """Store all that is new on an account; how many updates were. Raises ChannelError."""
        stored, turn, has_more = 0, _Turn(account, token), True
        while has_more:
            try:
                new, has_more = await self._pull_page(turn)
            except ChannelError as error:
                turn = _after(error, turn)
                continue
            stored += new
            turn = replace(turn, is_restart=False)
        await self._cache.set(_pulled_key(account), "1", ttl_s=self._fresh_s)
        return stored

    async def _pull_page(self, turn: _Turn) -> tuple[int, bool]:
        """One page, under the account's lock. (new updates, whether there is more)."""
        name = f"wecom_kf.sync:{turn.account}"
        async with self._lock.hold(name, ttl_s=_LEASE_S):
            saved = await self._intake.cursor(name) or ""
            page = await self._fetch(turn, cursor="" if turn.is_restart else saved)
            items = [to_inbox(to_update(raw, turn.account)) for raw in page.in_order]
            is_moved = page.next_cursor not in ("", saved)
            stored = 0
            if items or is_moved:
                move = CursorMove(name, page.next_cursor) if is_moved else None
                stored = await self._intake.accept(items, cursor=move)
        if page.has_more and not is_moved:
            log.warning("WeCom has more but no new cursor", extra={"action": "wecom_kf.stuck"})
        return stored, bool(page.has_more) and is_moved

    async def _fetch(self, turn: _Turn, *, cursor: str) -> _Page:
        body: dict[str, object] = {
            "open_kfid": turn.account,
            "limit": turn.limit,
            "voice_format": 0,
        }
        if cursor:
            body["cursor"] = cursor
        if turn.token:
            body["token"] = turn.token
        answer = await self._client.post("kf/sync_msg", body)
        try:
            return _Page.model_validate(answer)
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            raise RetryLater(f"an unreadable page: {fault['loc']} {fault['type']}") from None


def _after(error: ChannelError, turn: _Turn) -> _Turn:
    """How to ask again after a refusal that asking differently mends. Raises all others."""
    if isinstance(error, ResponseTooLarge) and turn.limit > 1:
        return replace(turn, limit=max(1, turn.limit // 10))
    if error.vendor_code == _TOKEN_REFUSED and turn.token:
        return replace(turn, token="")
    if error.vendor_code == _CURSOR_REFUSED and not turn.is_restart:
        return replace(turn, is_restart=True)  # three days again; known msgids are skipped
    raise error


def _pulled_key(account: str) -> str:
    return f"wecom_kf.pulled:{account}"
