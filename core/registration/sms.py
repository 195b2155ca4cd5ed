"""Codes by SMS: the port to whoever sends, limits against abuse, checking what comes back."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from sqlalchemy import func, select

from core.db import Tx
from core.errors import Conflict, TooMany
from core.ids import new_id
from core.ports import SendFailure
from core.registration.models import SmsCodeRow
from core.sealing import KeyRing, mask_phone

log = logging.getLogger(__name__)

VALID_FOR: Final = timedelta(minutes=5)
MAX_ATTEMPTS: Final = 5
#: (window, most codes within it) per phone number, and per asker.
PHONE_LIMITS: Final = (
    (timedelta(minutes=1), 1),
    (timedelta(hours=1), 5),
    (timedelta(days=1), 10),
)
ASKER_LIMITS: Final = ((timedelta(hours=1), 6), (timedelta(days=1), 20))
_CONTEXT: Final = "customer.phone"


class SmsSender(Protocol):
    """A provider of short messages. Never called inside a write transaction."""

    async def send_code(self, phone: str, code: str, minutes: int) -> None:
        """minutes: how long the code is good. Raises: core.ports.SendFailure."""


class NoSms:
    """No provider is configured."""

    async def send_code(self, phone: str, code: str, minutes: int) -> None:
        del phone, code, minutes
        raise SendFailure("no SMS provider is configured", vendor_code="off")


class ConsoleSms:
    """The maker for demo and development: the code appears in the log instead of on a phone."""

    async def send_code(self, phone: str, code: str, minutes: int) -> None:
        del minutes
        log.info(
            "Verification code %s for %s (demo: nothing is sent)",
            code,
            mask_phone(phone),
            extra={"action": "sms.logged"},
        )


@dataclass(frozen=True, slots=True)
class SmsOrder:
    """To be sent after the transaction that made it."""

    phone: str
    code: str = field(repr=False)


async def order_code(tx: Tx, keys: KeyRing, phone: str, *, asker: str) -> SmsOrder:
    """A fresh code for a checked number; those sent before stop being valid.

    Raises: TooMany with `retry_after_s`.
    """
    index = keys.blind_index(phone, context=_CONTEXT)
    for column, value, limits in (
        (SmsCodeRow.phone_index, index, PHONE_LIMITS),
        (SmsCodeRow.asker, asker, ASKER_LIMITS),
    ):
        for window, most in limits:
            query = select(func.count(), func.min(SmsCodeRow.sent_at)).where(
                column == value, SmsCodeRow.sent_at > tx.now - window
            )
            count, oldest = (await tx.db.execute(query)).one()
            if count >= most:
                wait = (oldest + window - tx.now).total_seconds()
                raise TooMany("sms_limit", retry_after_s=max(1, int(wait)))
    code = f"{secrets.randbelow(10**6):06d}"
    row = SmsCodeRow(
        id=new_id(),
        phone_index=index,
        asker=asker,
        code_hash=_hash(keys, index, code),
        sent_at=tx.now,
        attempts=0,
    )
    tx.db.add(row)
    await tx.db.flush()
    return SmsOrder(phone, code)


async def deliver(sender: SmsSender, order: SmsOrder) -> str:
    """Send what was ordered. Returns the problem `sms_not_sent`, or nothing when it left."""
    try:
        await sender.send_code(order.phone, order.code, int(VALID_FOR.total_seconds() // 60))
    except SendFailure as error:
        log.warning(
            "A verification code was not sent: %s",
            error.reason,
            extra={"action": "sms.failed", "vendor_code": error.vendor_code},
        )
        return "sms_not_sent"
    return ""


async def check_code(tx: Tx, keys: KeyRing, phone: str, code: str) -> bool:
    """Whether `code` is the last one sent to this number. A wrong try is counted.

    Raises: Conflict `code_expired`, `too_many_attempts`. The caller commits also on False.
    """
    query = (
        select(SmsCodeRow)
        .where(SmsCodeRow.phone_index == keys.blind_index(phone, context=_CONTEXT))
        .order_by(SmsCodeRow.sent_at.desc(), SmsCodeRow.id.desc())
        .limit(1)
        .with_for_update()
    )
    row = (await tx.db.scalars(query)).first()
    if row is None or row.used_at is not None or tx.now - row.sent_at > VALID_FOR:
        raise Conflict("code_expired")
    if row.attempts >= MAX_ATTEMPTS:
        raise Conflict("too_many_attempts")
    row.attempts += 1
    digits = "".join(char for char in code if char.isdigit())
    is_right = hmac.compare_digest(row.code_hash, _hash(keys, row.phone_index, digits))
    if is_right:
        row.used_at = tx.now
    await tx.db.flush()
    return is_right


def _hash(keys: KeyRing, phone_index: str, code: str) -> str:
    key = keys.key_for("sms-code") or b""
    return hmac.new(key, f"{phone_index}:{code}".encode(), hashlib.sha256).hexdigest()
