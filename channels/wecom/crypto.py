"""Callback verification and encryption of 企业微信.

Source: developer.work.weixin.qq.com/document/path/90968. Ciphers and signing are wechatpy's;
the checks around them are ours, because its own compare is not constant-time, its padding is
not checked, and its XML parser is not hardened.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
import string
from dataclasses import dataclass
from typing import ClassVar, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from wechatpy.crypto.base import WeChatCipher
from wechatpy.crypto.pkcs7 import PKCS7Encoder
from wechatpy.utils import WeChatSigner

MAX_BODY_BYTES = 1024 * 1024
_MAX_DEPTH = 16
_BLOCK = 32
_AES_BLOCK = 16
#: The platform makes letters and digits; keys made by other tools also have "+" and "/".
AES_KEY_SHAPE: Final = re.compile(r"[0-9A-Za-z+/]{43}")
_LETTERS = string.ascii_letters + string.digits

XmlValue = str | dict[str, "XmlValue"] | list["XmlValue"]


class CallbackError(Exception):
    """A callback that must be refused.

    code: number of the platform's own library. Source: document/path/90307.
    """

    code: ClassVar[int] = -40008

    def __init__(self, reason: str) -> None:
        super().__init__(f"{self.code}: {reason}")
        self.reason = reason


class BadSignature(CallbackError):
    code = -40001


class Unreadable(CallbackError):
    """Not XML or JSON as expected, or too large to look at."""

    code = -40002


class BadKey(CallbackError):
    code = -40004


class WrongReceiver(CallbackError):
    code = -40005


class BadCipherText(CallbackError):
    code = -40007


class BadPlainText(CallbackError):
    code = -40008


class BadBase64(CallbackError):
    code = -40010


@dataclass(frozen=True, slots=True)
class Envelope:
    """An encrypted packet, to be sent as XML (apps) or as JSON (智能机器人)."""

    encrypt: str
    signature: str
    timestamp: str
    nonce: str

    @property
    def xml(self) -> str:
        return (
            f"<xml><Encrypt><![CDATA[{self.encrypt}]]></Encrypt>"
            f"<MsgSignature><![CDATA[{self.signature}]]></MsgSignature>"
            f"<TimeStamp>{self.timestamp}</TimeStamp>"
            f"<Nonce><![CDATA[{self.nonce}]]></Nonce></xml>"
        )

    @property
    def json(self) -> str:
        return json.dumps(
            {
                "encrypt": self.encrypt,
                "msgsignature": self.signature,
                "timestamp": int(self.timestamp),
                "nonce": self.nonce,
            }
        )


class CallbackCrypto:
    """One callback URL: its token, its key and whom its packets are for.

    receive_id: the corp id; the empty string for 智能机器人.
    """

    def __init__(self, token: str, aes_key: str, receive_id: str) -> None:
        if not AES_KEY_SHAPE.fullmatch(aes_key):
            raise BadKey("EncodingAESKey must be 43 characters of base64")
        self._token = token
        self._key = base64.b64decode(aes_key + "=")
        self._receive_id = receive_id.encode()

    def decrypt_echo(self, signature: str, timestamp: str, nonce: str, echostr: str) -> bytes:
        """The exact body with which a URL check must be answered."""
        echostr = echostr.replace(" ", "+")  # a proxy may have decoded the query twice
        return self._open(signature, timestamp, nonce, echostr)

    def decrypt_post(self, signature: str, timestamp: str, nonce: str, body: bytes) -> str:
        """The XML or JSON text inside an encrypted POST body. Raises CallbackError."""
        if len(body) > MAX_BODY_BYTES:
            raise Unreadable(f"body of {len(body)} bytes")
        plain = self._open(signature, timestamp, nonce, _encrypted_part(body))
        return _utf8(plain)

    def encrypt(
        self, plain: str, *, timestamp: str | int, nonce: str, random16: str | None = None
    ) -> Envelope:
        """Encrypt and sign a document for the platform."""
        salt = random16 or "".join(secrets.choice(_LETTERS) for _ in range(16))
        message = plain.encode()
        packed = salt.encode() + len(message).to_bytes(4, "big") + message + self._receive_id
        cipher_text = WeChatCipher(self._key).encrypt(PKCS7Encoder.encode(packed))
        encrypted = base64.b64encode(cipher_text).decode()
        stamp = str(timestamp)
        return Envelope(encrypted, self._signature(stamp, nonce, encrypted), stamp, nonce)

    def decrypt_media(self, data: bytes) -> bytes:
        """A file that a 智能机器人 callback pointed at."""
        return _decrypt(self._key, data)

    def _signature(self, timestamp: str, nonce: str, encrypted: str) -> str:
        signer = WeChatSigner()
        signer.add_data(self._token, timestamp, nonce, encrypted)
        return str(signer.signature)

    def _open(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> bytes:
        try:
            expected = self._signature(timestamp, nonce, encrypted).encode()
            is_genuine = hmac.compare_digest(expected, signature.encode())
        except UnicodeEncodeError:
            is_genuine = False
        if not is_genuine:
            raise BadSignature("msg_signature does not match")
        packed = _decrypt(self._key, _base64(encrypted))
        length = int.from_bytes(packed[16:20], "big")
        if len(packed) < 20 + length:
            raise BadPlainText("shorter than its length field says")
        if not hmac.compare_digest(packed[20 + length :], self._receive_id):
            raise WrongReceiver("packet is for somebody else")
        return packed[20 : 20 + length]


def decrypt_media(data: bytes, aes_key: str) -> bytes:
    """A file of a long connection, with the base64 `aeskey` that came with its URL."""
    key = _base64(aes_key + "=" * (-len(aes_key) % 4))
    if len(key) != 32:
        raise BadKey("media key must be 32 bytes")
    return _decrypt(key, data)


def parse_xml(text: str) -> dict[str, XmlValue]:
    """The children of the root: leaves as text, trees as dicts, repeated nodes as lists.

    Entities, DTDs and deep nesting are refused with `Unreadable`.
    """
    value = _value(_root(text), depth=0)
    if not isinstance(value, dict):
        raise Unreadable("an empty document")
    return value


def _root(text: str | bytes) -> Element:
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Unreadable(f"not acceptable XML ({type(error).__name__})") from error
    return root


def _value(node: Element, depth: int) -> XmlValue:
    if depth > _MAX_DEPTH:
        raise Unreadable("nested too deeply")
    if len(node) == 0:
        return node.text or ""
    found: dict[str, XmlValue] = {}
    for child in node:
        value = _value(child, depth + 1)
        before = found.get(child.tag)
        if before is None:
            found[child.tag] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            found[child.tag] = [before, value]
    return found


def _encrypted_part(body: bytes) -> str:
    if body.lstrip()[:1] == b"{":
        try:
            document = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Unreadable("not JSON") from error
        encrypted = document.get("encrypt")
    else:
        encrypted = _root(body).findtext("Encrypt")
    if not isinstance(encrypted, str) or not encrypted:
        raise Unreadable("no encrypted part")
    return encrypted


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadBase64("not base64") from error


def _decrypt(key: bytes, data: bytes) -> bytes:
    """AES-256-CBC with PKCS#7 over 32-byte blocks."""
    if not data or len(data) % _AES_BLOCK:
        raise BadCipherText("not a whole number of blocks")
    padded: bytes = WeChatCipher(key).decrypt(data)
    pad = padded[-1]
    if not 1 <= pad <= _BLOCK or padded[-pad:] != bytes([pad]) * pad:
        raise BadPlainText("padding is damaged")
    return padded[:-pad]


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadPlainText("not UTF-8") from error
