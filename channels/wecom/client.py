"""Calls to WeCom: token, retries, rate limits and errors in one place.

wechatpy's own client blocks; see docs/adr/0006-wechatpy-over-an-async-transport.md.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from channels.errors import RetryLater
from channels.http import HttpClient, JsonObject, Response, Upload
from channels.wecom.errcodes import Action, channel_error, explain
from channels.wecom.tokens import AccessTokens, Application
from core.ports import KeyedLock, KeyValue

log = logging.getLogger(__name__)

_BUSY = -1
_BUSY_DELAYS_S = (0.5, 1.0, 2.0)

#: How long a call rests when it meets its limit for the first time, the second, …; afterwards
#: `rate_limit_wait_s`. The platform does not say which window is full: one call finds out.
_RESTS_S = (2.0, 10.0)
_PROBE_S = 1.0

_Call = Callable[[dict[str, str]], Awaitable[JsonObject]]


@dataclass(slots=True)
class _Limit:
    """A call that met its rate limit. Moments are monotonic seconds."""

    met_s: float = 0.0
    until_s: float = 0.0
    times: int = 0

    def meet(self, now_s: float, began_s: float, most_s: float) -> float:
        """The call that began at `began_s` met it. Returns the seconds to wait."""
        if began_s > self.met_s:  # those that were under way together met it once
            rest_s = _RESTS_S[self.times] if self.times < len(_RESTS_S) else most_s
            self.times += 1
            self.met_s, self.until_s = now_s, now_s + min(rest_s, most_s)
        return self.until_s - now_s


class WeComClient:
    """The API as one application may call it. Paths are relative: `kf/send_msg`."""

    def __init__(
        self,
        http: HttpClient,
        tokens: AccessTokens,
        *,
        api_root: str,
        rate_limit_wait_s: float = 60,
        busy_delays_s: Sequence[float] = _BUSY_DELAYS_S,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._root = api_root
        self._rate_limit_wait_s = rate_limit_wait_s
        self._busy_delays_s = busy_delays_s
        self._limits: dict[str, _Limit] = {}

    @classmethod
    def connect(
        cls,
        http: HttpClient,
        application: Application,
        *,
        cache: KeyValue,
        lock: KeyedLock,
        rate_limit_wait_s: float = 60,
    ) -> Self:
        """A client with its own token. Nothing is called yet."""
        tokens = AccessTokens(http, application, cache=cache, lock=lock)
        root = application.api_root
        return cls(http, tokens, api_root=root, rate_limit_wait_s=rate_limit_wait_s)

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> JsonObject:
        """GET; the answer with errcode 0. Raises ChannelError."""

        async def call(query: dict[str, str]) -> JsonObject:
            return await self._http.get_json(self._root + path, {**(params or {}), **query})

        return await self._checked(path, call)

    async def post(
        self, path: str, body: Mapping[str, object], params: Mapping[str, str] | None = None
    ) -> JsonObject:
        """POST JSON; the answer with errcode 0. Raises ChannelError."""

        async def call(query: dict[str, str]) -> JsonObject:
            return await self._http.post_json(self._root + path, body, {**(params or {}), **query})

        return await self._checked(path, call)

    async def upload(self, kind: str, *, name: str, data: bytes, mime: str = "") -> str:
        """Upload an image, voice, video or file; its media id is good for 3 days."""
        part = Upload("media", name, data, mime or "application/octet-stream")

        async def call(query: dict[str, str]) -> JsonObject:
            return await self._http.post_file(
                f"{self._root}media/upload", part, {"type": kind, **query}
            )

        answer = await self._checked("media/upload", call)
        media_id = answer.get("media_id")
        if not isinstance(media_id, str) or not media_id:
            raise RetryLater("media/upload answered without a media id")
        return media_id

    async def download(self, media_id: str, *, max_bytes: int) -> Response:
        """The bytes of a media id. Raises Rejected when expired or larger than `max_bytes`."""
        found: list[Response] = []

        async def call(query: dict[str, str]) -> JsonObject:
            response = await self._http.download(
                f"{self._root}media/get", {"media_id": media_id, **query}, max_bytes=max_bytes
            )
            if response.filename is None and response.content_type.endswith("json"):
                return response.json()
            found.append(response)
            return {"errcode": 0}

        await self._checked("media/get", call)
        return found[-1]

    async def _checked(self, path: str, call: _Call) -> JsonObject:
        """Call with a token; renew it once, retry a busy system, raise everything else."""
        began_s = self._begin(path)
        token = await self._tokens.get()
        answer = await self._unless_busy(call, token)
        if explain(_code(answer)).action is Action.REFRESH:
            token = await self._tokens.renew(token)
            answer = await self._unless_busy(call, token)
        code, errmsg = _code(answer), str(answer.get("errmsg", ""))
        if code != 0:
            raise self._failure(path, code, errmsg, began_s)
        self._limits.pop(path, None)
        if "warning" in errmsg.lower():  # a badly typed field was ignored
            log.warning("%s: %s", path, errmsg, extra={"action": "wecom.warned"})
        return answer

    async def _unless_busy(self, call: _Call, token: str) -> JsonObject:
        for delay_s in self._busy_delays_s:
            answer = await call({"access_token": token})
            if _code(answer) != _BUSY:
                return answer
            await asyncio.sleep(delay_s)
        return await call({"access_token": token})

    def _begin(self, path: str) -> float:
        """This moment. Raises: RetryLater while the call rests, but for one call at its end."""
        now_s = time.monotonic()
        if (limit := self._limits.get(path)) is not None:
            if (left_s := limit.until_s - now_s) > 0:
                raise RetryLater(
                    f"{path} has reached its rate limit", vendor_code="45009", retry_after_s=left_s
                )
            limit.until_s = now_s + _PROBE_S
        return now_s

    def _failure(self, path: str, code: int, errmsg: str, began_s: float) -> Exception:
        wait_s = self._rate_limit_wait_s
        if explain(code).action is Action.WAIT:
            limit = self._limits.setdefault(path, _Limit())
            wait_s = limit.meet(time.monotonic(), began_s, wait_s)
        log.info(
            "%s was refused: %d", path, code, extra={"action": "wecom.refused", "errcode": code}
        )
        return channel_error(code, errmsg, wait_s=wait_s)


def _code(answer: JsonObject) -> int:
    """The errcode; a missing one is success, an unreadable one is a reason to try again."""
    code = answer.get("errcode", 0)
    if isinstance(code, bool) or not isinstance(code, int | str):
        raise RetryLater("an answer with an unreadable errcode")
    try:
        return int(code)
    except ValueError:
        raise RetryLater("an answer with an unreadable errcode") from None
