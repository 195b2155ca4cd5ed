"""access_token. Source: developer.work.weixin.qq.com/document/path/91039."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.errors import ApiError
from channels.wecom.sandbox.world import World

LIFETIME_S: Final = 7200


@dataclass(slots=True)
class Token:
    text: str
    agent_id: int | None
    expires_at: float


class Tokens:
    """One secret, one token; the same one inside its lifetime. agent_id None: contact secret."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._current: dict[int | None, Token] = {}
        self._known: dict[str, Token] = {}

    def issue(self, query: Mapping[str, str]) -> Json:
        """`gettoken`. Raises: ApiError 40013, 40001."""
        if query.get("corpid") != self._world.seed.corp_id:
            raise ApiError(40013, "invalid corpid")
        agent_id = self._agent_of(query.get("corpsecret", ""))
        now = self._world.now()
        token = self._current.get(agent_id)
        if token is None or token.expires_at <= now:
            token = Token(secrets.token_urlsafe(96), agent_id, now + LIFETIME_S)
            self._current[agent_id] = self._known[token.text] = token
        return {"access_token": token.text, "expires_in": int(token.expires_at - now)}

    def check(self, text: str) -> int | None:
        """Raises: ApiError 41001 missing, 40014 unknown, 42001 expired."""
        if not text:
            raise ApiError(41001, "access_token missing")
        token = self._known.get(text)
        if token is None:
            raise ApiError(40014, "invalid access_token")
        if token.expires_at <= self._world.now():
            raise ApiError(42001, "access_token expired")
        return token.agent_id

    def expire(self) -> None:
        """Every token dies now."""
        for token in self._current.values():
            token.expires_at = 0.0
        self._current.clear()

    def _agent_of(self, secret: str) -> int | None:
        seed = self._world.seed
        for app in seed.apps:
            if hmac.compare_digest(app.secret.encode(), secret.encode()):
                return app.agent_id
        if seed.contact_secret and hmac.compare_digest(
            seed.contact_secret.encode(), secret.encode()
        ):
            return None
        raise ApiError(40001, "invalid credential")
