"""Access tokens: one per secret, shared by all, renewed by one caller at a time.

Source: developer.work.weixin.qq.com/document/path/91039.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError

from channels.errors import RetryLater
from channels.http import HttpClient
from channels.wecom.errcodes import channel_error
from channels.wecom.fields import Fields
from core.ports import KeyedLock, KeyValue

log = logging.getLogger(__name__)

_LIFE_S = 7200.0
_MARGIN_S = 300
_SAME_TOKEN_PAUSE_S = 5
#: How long a refusal is remembered: those who keep trying wrong secrets have their IP blocked.
_REFUSED_PAUSE_S = 60.0
_WRONG_SECRET_PAUSE_S = 300.0
_WRONG_SECRET = frozenset({40001, 40091, 45031})


class _Entry(BaseModel):
    """What the cache holds. replaced: the token that this one was fetched to replace."""

    token: str
    replaced: str = ""
    fetched_at_s: float


@dataclass(frozen=True, slots=True)
class Application:
    """Whom WeCom sees. api_root: where paths begin (`WeComSettings.api_root`)."""

    api_root: str
    corp_id: str
    secret: str = field(repr=False)


class AccessTokens:
    """The access token of one application."""

    def __init__(
        self,
        http: HttpClient,
        application: Application,
        *,
        cache: KeyValue,
        lock: KeyedLock,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._url = f"{application.api_root}gettoken"
        self._params = {"corpid": application.corp_id, "corpsecret": application.secret}
        self._cache = cache
        self._lock = lock
        self._now_s = now_s
        identity = f"{application.api_root}|{application.corp_id}|{application.secret}"
        fingerprint = hashlib.sha256(identity.encode()).hexdigest()[:20]
        self._key = f"wecom.token:{fingerprint}"
        self._refused_key = f"wecom.token_refused:{fingerprint}"

    async def get(self) -> str:
        """A token that should be valid. Raises RetryLater, BadCredentials."""
        entry = await self._cached()
        return entry.token if entry else await self.renew("")

    async def renew(self, stale: str) -> str:
        """A token other than `stale`; fetched by one of all callers that find it stale."""
        async with self._lock.hold(self._key):
            entry = await self._cached()
            if entry and (entry.token != stale or self._has_just_been_fetched(entry)):
                return entry.token
            return await self._fetch(replaced=entry.token if entry else "")

    def _has_just_been_fetched(self, entry: _Entry) -> bool:
        """WeCom may hand out the same token again; asking at once once more would not help."""
        is_fresh = self._now_s() - entry.fetched_at_s < _SAME_TOKEN_PAUSE_S
        return is_fresh and entry.replaced == entry.token

    async def _cached(self) -> _Entry | None:
        raw = await self._cache.get(self._key)
        if raw is None:
            return None
        try:
            return _Entry.model_validate_json(raw)
        except ValidationError:
            return None

    async def _fetch(self, *, replaced: str) -> str:
        refused = await self._cache.get(self._refused_key)
        if refused:
            known, _, errmsg = refused.partition(" ")
            raise channel_error(int(known), errmsg)
        answer = await self._http.get_json(self._url, self._params)
        fields = Fields(answer)
        if code := fields.integer("errcode"):
            await self._refuse(code, fields.text("errmsg"))
        token, life_s = answer.get("access_token"), fields.decimal("expires_in") or _LIFE_S
        if not isinstance(token, str) or not token:
            raise RetryLater("gettoken answered without a token")
        entry = _Entry(token=token, replaced=replaced, fetched_at_s=self._now_s())
        ttl_s = life_s - min(_MARGIN_S, life_s / 10)
        await self._cache.set(self._key, entry.model_dump_json(), ttl_s=max(ttl_s, 1))
        log.info("An access token was renewed", extra={"action": "wecom.token_renewed"})
        return token

    async def _refuse(self, code: int, errmsg: str) -> None:
        """Keep all processes from asking again at once, and raise."""
        error = channel_error(code, errmsg)
        pause_s = error.retry_after_s or _REFUSED_PAUSE_S
        if code in _WRONG_SECRET:
            pause_s = _WRONG_SECRET_PAUSE_S
        await self._cache.set(self._refused_key, f"{code} {errmsg}", ttl_s=pause_s)
        raise error
