"""Short-lived signed texts: access tokens (JWT, HS256) and download tickets."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt

from core.errors import Unauthenticated
from core.sealing import KeyRing

_ALGORITHM: Final = "HS256"
_MAX_CHARS: Final = 2048


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token says."""

    user_id: str
    device_id: str
    expires_at: datetime


class Tokens:
    """Signed with the current key, accepted from any key of the ring."""

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring

    def issue(self, user_id: str, device_id: str, *, now: datetime, lifetime: timedelta) -> str:
        claims = {
            "sub": user_id,
            "did": device_id,
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
        }
        key_id = self._keyring.key_ids[0]
        headers = {"kid": key_id, "typ": "at+jwt"}
        return jwt.encode(claims, self._key(key_id), algorithm=_ALGORITHM, headers=headers)

    def read(self, token: str, *, now: datetime) -> Access:
        """Raises: Unauthenticated (`token_expired` when only the time is up)."""
        try:
            key = self._key(str(jwt.get_unverified_header(token[:_MAX_CHARS]).get("kid")))
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                options={
                    "verify_exp": False,
                    "verify_iat": False,
                    "require": ["exp", "sub", "did"],
                },
            )
            expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
        except (jwt.InvalidTokenError, ValueError, OverflowError, TypeError) as error:
            raise Unauthenticated from error
        if expires_at <= now:
            raise Unauthenticated("token_expired")
        return Access(str(claims["sub"]), str(claims["did"]), expires_at)

    def ticket(self, what: str, *, until: datetime) -> str:
        """Lets its bearer read one thing until then; for links that carry no header."""
        moment = int(until.timestamp())
        return f"{moment}.{self._sign(self._keyring.key_ids[0], what, moment)}"

    def check_ticket(self, what: str, ticket: str, *, now: datetime) -> None:
        """Raises: Unauthenticated `bad_ticket`."""
        moment, _, signature = ticket.partition(".")
        if not (moment.isascii() and moment.isdigit() and len(moment) < 12):
            raise Unauthenticated("bad_ticket")
        fits = any(
            hmac.compare_digest(self._sign(key_id, what, int(moment)), signature)
            for key_id in self._keyring.key_ids
            if signature.isascii()
        )
        if not fits or int(moment) < now.timestamp():
            raise Unauthenticated("bad_ticket")

    def _sign(self, key_id: str, what: str, moment: int) -> str:
        key = self._keyring.key_for("ticket", key_id) or b""
        digest = hmac.new(key, f"{what}\x00{moment}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _key(self, key_id: str) -> bytes:
        key = self._keyring.key_for("access-token", key_id)
        if key is None:
            raise Unauthenticated
        return key
