"""How a partner signs a request, and what is checked of it before its key is known. Pure.

The signed text has six lines: the scheme, the moment, the nonce, the method, the path with its
query as it was sent, and the SHA-256 of the body; the signature is its HMAC-SHA256 in hex.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.errors import Unauthenticated

SCHEME: Final = "WENQU-HMAC-SHA256"
KEY, MOMENT, NONCE, DIGEST, SIGNATURE = (
    "X-Wenqu-Key",
    "X-Wenqu-Timestamp",
    "X-Wenqu-Nonce",
    "X-Wenqu-Content-SHA256",
    "X-Wenqu-Signature",
)
#: Seconds by which the two clocks may differ, either way.
MAX_SKEW_S: Final = 300
_SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    KEY: re.compile(r"[0-9a-z]{8,32}"),
    MOMENT: re.compile(r"[0-9]{1,12}"),
    NONCE: re.compile(r"[0-9A-Za-z_-]{16,64}"),
    DIGEST: re.compile(r"[0-9a-f]{64}"),
    SIGNATURE: re.compile(r"[0-9a-f]{64}"),
}


@dataclass(frozen=True, slots=True)
class Signed:
    """A request's own claims. digest: SHA-256 of the body, hex."""

    key_id: str
    moment: int
    nonce: str
    digest: str
    signature: str
    text: str

    def fits(self, secret: str) -> bool:
        return hmac.compare_digest(self.signature, sign(secret, self.text))


def read(headers: Mapping[str, str], method: str, path: str) -> Signed:
    """Raises: Unauthenticated `signature_incomplete`, naming the header that is missing or odd."""
    found = {name: headers.get(name, "") for name in _SHAPES}
    for name, shape in _SHAPES.items():
        if not shape.fullmatch(found[name]):
            raise Unauthenticated("signature_incomplete", header=name)
    moment, nonce, digest = int(found[MOMENT]), found[NONCE], found[DIGEST]
    text = text_to_sign(moment, nonce, method, path, digest)
    return Signed(found[KEY], moment, nonce, digest, found[SIGNATURE], text)


def check_moment(signed: Signed, now: datetime) -> None:
    """Raises: Unauthenticated `clock_skew`."""
    seconds = int(now.timestamp())
    if abs(seconds - signed.moment) > MAX_SKEW_S:
        raise Unauthenticated("clock_skew", ours=seconds, yours=signed.moment, most_s=MAX_SKEW_S)


def text_to_sign(moment: int, nonce: str, method: str, path: str, digest: str) -> str:
    return "\n".join((SCHEME, str(moment), nonce, method.upper(), path, digest))


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
