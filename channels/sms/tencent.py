"""Tencent Cloud SMS: one call, SendSms, signed with TC3-HMAC-SHA256.

Source: cloud.tencent.com/document/api/382/55981 (SendSms, version 2021-01-11) and
cloud.tencent.com/document/api/382/52072 (signature v3).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from yarl import URL

from channels.errors import BadCredentials, ChannelError, Rejected, RetryLater
from channels.http import HttpClient, JsonObject
from channels.sms.config import SmsSettings

_ACTION, _VERSION, _SERVICE = "SendSms", "2021-01-11", "sms"
_ALGORITHM: Final = "TC3-HMAC-SHA256"
_CONTENT_TYPE: Final = "application/json; charset=utf-8"
_SIGNED: Final = "content-type;host;x-tc-action"
#: What an error code begins with → what it means for us; anything else is a refusal.
_KINDS: Final[tuple[tuple[str, type[ChannelError]], ...]] = (
    ("AuthFailure", BadCredentials),
    ("UnauthorizedOperation", BadCredentials),
    ("FailedOperation.SignatureIncorrectOrUnapproved", BadCredentials),
    ("FailedOperation.TemplateIncorrectOrUnapproved", BadCredentials),
    ("FailedOperation.InsufficientBalanceInSmsPackage", BadCredentials),
    ("LimitExceeded", RetryLater),
    ("RequestLimitExceeded", RetryLater),
    ("InternalError", RetryLater),
)


class TencentSms:
    """now: seconds since the epoch; the platform refuses clocks that are five minutes off."""

    def __init__(
        self, http: HttpClient, settings: SmsSettings, *, now: Callable[[], float] = time.time
    ) -> None:
        self._http, self._settings, self._now = http, settings, now

    async def send_code(self, phone: str, code: str, minutes: int) -> None:
        """Raises: BadCredentials, RetryLater, Rejected; with the vendor's code."""
        parts = [code, str(minutes)] if self._settings.template_has_minutes else [code]
        _check(await self._call([f"+86{phone}"], parts))

    async def probe(self) -> None:
        """Whether the key pair is accepted: a call without recipients, which sends nothing.

        Raises: BadCredentials, RetryLater.
        """
        try:
            _check(await self._call([], ["000000"]))
        except Rejected:
            return

    async def _call(self, phones: Sequence[str], parts: Sequence[str]) -> JsonObject:
        settings = self._settings
        body = {
            "PhoneNumberSet": phones,
            "SmsSdkAppId": settings.app_id,
            "SignName": settings.sign_name,
            "TemplateId": settings.template_id,
            "TemplateParamSet": parts,
        }
        payload = json.dumps(body, ensure_ascii=False).encode()
        host, moment = URL(settings.api_base).authority, int(self._now())
        secret = settings.secret_key.get_secret_value()
        scope, signature = signed(secret, _SERVICE, host, _ACTION, moment, payload)
        headers = {
            "Authorization": f"{_ALGORITHM} Credential={settings.secret_id}/{scope}, "
            f"SignedHeaders={_SIGNED}, Signature={signature}",
            "Content-Type": _CONTENT_TYPE,
            "Host": host,
            "X-TC-Action": _ACTION,
            "X-TC-Version": _VERSION,
            "X-TC-Timestamp": str(moment),
            "X-TC-Region": settings.region,
        }
        answer = await self._http.post_signed(f"{settings.api_base}/", payload, headers)
        found = answer.get("Response")
        if not isinstance(found, dict):
            raise RetryLater("SMS: an answer without Response")
        return found


def signed(
    secret: str, service: str, host: str, action: str, moment: int, payload: bytes
) -> tuple[str, str]:
    """(credential scope, signature) of a POST."""
    day = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
    scope = f"{day}/{service}/tc3_request"
    lines = (f"content-type:{_CONTENT_TYPE}", f"host:{host}", f"x-tc-action:{action.lower()}")
    canonical = "\n".join(("POST", "/", "", *lines, "", _SIGNED, _hash(payload)))
    to_sign = "\n".join((_ALGORITHM, str(moment), scope, _hash(canonical.encode())))
    key = f"TC3{secret}".encode()
    for part in (day, service, "tc3_request"):
        key = _hmac(key, part).digest()
    return scope, _hmac(key, to_sign).hexdigest()


def _check(answer: JsonObject) -> None:
    """An error of the call, or the status of its one recipient."""
    failed = answer.get("Error")
    if isinstance(failed, dict):
        raise _error(failed)
    statuses = answer.get("SendStatusSet")
    status = statuses[0] if isinstance(statuses, list) and statuses else {}
    if not isinstance(status, dict) or status.get("Code") != "Ok":
        raise _error(status if isinstance(status, dict) else {})


def _error(found: JsonObject) -> ChannelError:
    code = str(found.get("Code") or "Unknown")
    kind = next((kind for start, kind in _KINDS if code.startswith(start)), Rejected)
    return kind(f"SMS: {found.get('Message') or code}", vendor_code=code)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hmac(key: bytes, text: str) -> hmac.HMAC:
    return hmac.new(key, text.encode(), hashlib.sha256)
