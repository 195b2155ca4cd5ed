"""Fields that rest encrypted (phone, id, VPN secrets): sealing, blind index, masks, rotation.

A sealed text is `v1.<key id>.<base64url of nonce + ciphertext>`, bound to its context (AES-256-GCM
with the context as associated data), so that one field's value cannot be moved into another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION: Final = "v1"
_NONCE_BYTES: Final = 12
MIN_SECRET_CHARS: Final = 16


class SealBroken(Exception):
    """A sealed text was altered, moved to another field, or its key is gone."""


@dataclass(frozen=True, slots=True)
class _Key:
    id: str
    secret: bytes = field(repr=False)

    def derive(self, purpose: str) -> bytes:
        kdf = HKDF(algorithm=SHA256(), length=32, salt=b"wenqu", info=purpose.encode())
        return kdf.derive(self.secret)


class KeyRing:
    """The current secret and its predecessors. Seals with the first, opens with any."""

    def __init__(self, keys: Sequence[_Key]) -> None:
        if not keys:
            raise ValueError("a key ring needs a key")
        self._keys = tuple(keys)
        self._derived: dict[tuple[str, str], bytes] = {}

    @classmethod
    def from_secrets(cls, secrets: Sequence[str]) -> Self:
        """Current secret first, then those that were current before (for reading only)."""
        if not all(secrets):
            raise ValueError("an empty secret seals nothing")
        digests = [hashlib.sha256(b"wenqu-key:" + secret.encode()) for secret in secrets]
        return cls(
            [
                _Key(digest.hexdigest()[:8], secret.encode())
                for digest, secret in zip(digests, secrets, strict=True)
            ]
        )

    @property
    def key_ids(self) -> tuple[str, ...]:
        return tuple(key.id for key in self._keys)

    def key_for(self, purpose: str, key_id: str | None = None) -> bytes | None:
        """32 bytes for one purpose (tokens, tickets); None when that key is not on the ring."""
        for key in self._keys:
            if key_id in (None, key.id):
                return self._derive(key, purpose)
        return None

    def _derive(self, key: _Key, purpose: str) -> bytes:
        slot = (key.id, purpose)
        if slot not in self._derived:
            self._derived[slot] = key.derive(purpose)
        return self._derived[slot]

    def seal(self, text: str, *, context: str) -> str:
        """Encrypt for one field (`customer.phone`). Empty stays empty."""
        if not text:
            return ""
        key = self._keys[0]
        nonce = os.urandom(_NONCE_BYTES)
        box = AESGCM(self._derive(key, "seal")).encrypt(nonce, text.encode(), context.encode())
        return f"{_VERSION}.{key.id}.{base64.urlsafe_b64encode(nonce + box).decode()}"

    def open(self, sealed: str, *, context: str) -> str:
        """Raises: SealBroken."""
        if not sealed:
            return ""
        try:
            version, key_id, body = sealed.split(".")
            raw = base64.b64decode(body, altchars=b"-_", validate=True)
        except ValueError as error:
            raise SealBroken("not a sealed text") from error
        key = self.key_for("seal", key_id)
        if version != _VERSION or key is None:
            raise SealBroken("sealed with a key that is not on the ring")
        try:
            nonce, box = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            return AESGCM(key).decrypt(nonce, box, context.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise SealBroken("altered, or of another field") from error

    def needs_resealing(self, sealed: str) -> bool:
        """True when it was sealed with a predecessor of the current key."""
        return bool(sealed) and sealed.split(".")[1:2] != [self._keys[0].id]

    def blind_index(self, text: str, *, context: str) -> str:
        """A keyed hash for exact search without opening; write this one."""
        return self.blind_indexes(text, context=context)[0] if text else ""

    def blind_indexes(self, text: str, *, context: str) -> tuple[str, ...]:
        """The index under every key of the ring, current first; search for any of them."""
        message = f"{context}\x00{text}".encode()
        return tuple(
            hmac.new(self._derive(key, "blind-index"), message, hashlib.sha256).hexdigest()
            for key in self._keys
        )


def normal_phone(text: str) -> str:
    """Digits only, without the country code of China; the form that is sealed and indexed."""
    digits = re.sub(r"\D", "", text)
    if len(digits) == 13 and digits.startswith("86"):
        return digits[2:]
    return digits


def mask_phone(text: str) -> str:
    """138****5678; short numbers keep the last two digits."""
    if len(text) >= 8:
        return f"{text[:3]}****{text[-4:]}"
    return f"****{text[-2:]}" if len(text) > 4 else "****" if text else ""


def mask_id_number(text: str) -> str:
    """First three and last two characters of an identity number."""
    return f"{text[:3]}{'*' * (len(text) - 5)}{text[-2:]}" if len(text) > 7 else "*" * len(text)
