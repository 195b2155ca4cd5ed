"""Signed links for people without a login: what they name cannot be altered or guessed.

`<payload>.<key id>.<signature>`; the payload is base64url JSON of the parts and the expiry.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from core.errors import Forbidden
from core.sealing import KeyRing

MAX_TOKEN_CHARS: Final = 512
_SIGNATURE_BYTES: Final = 18


class LinkRefused(Forbidden):
    """The link was altered, is meant for something else, or has expired."""

    code = "link_invalid"


def sign(keys: KeyRing, purpose: str, parts: Sequence[str], *, expires_at: datetime) -> str:
    """A token for one purpose (`ticket`, `registration`) that names `parts`."""
    body = json.dumps([int(expires_at.timestamp()), *parts], separators=(",", ":"))
    payload = _encoded(body.encode())
    key_id = keys.key_ids[0]
    return f"{payload}.{key_id}.{_signature(keys, purpose, key_id, payload)}"


def read(keys: KeyRing, purpose: str, token: str, *, now: datetime) -> tuple[str, ...]:
    """The parts. Raises: LinkRefused (`link_invalid`, `link_expired`)."""
    pieces = token.split(".")
    if len(token) > MAX_TOKEN_CHARS or len(pieces) != 3 or not token.isascii():
        raise LinkRefused
    payload, key_id, signature = pieces
    wanted = _signature(keys, purpose, key_id, payload)
    if not wanted or not hmac.compare_digest(wanted, signature):
        raise LinkRefused
    expires, *parts = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if datetime.fromtimestamp(expires, UTC) <= now:
        raise LinkRefused("link_expired")
    return tuple(parts)


def short_signature(keys: KeyRing, purpose: str, text: str, *, key_id: str | None = None) -> str:
    """Twelve characters for places with little room (a scene parameter); "" without the key."""
    key = keys.key_for(f"link:{purpose}", key_id)
    if key is None:
        return ""
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:10]).decode().lower()[:12]


def _signature(keys: KeyRing, purpose: str, key_id: str, payload: str) -> str:
    key = keys.key_for(f"link:{purpose}", key_id)
    if key is None:
        return ""
    return _encoded(hmac.new(key, payload.encode(), hashlib.sha256).digest()[:_SIGNATURE_BYTES])


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
