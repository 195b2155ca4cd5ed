"""Logins: each device holds one refresh token that changes with every use.

A token looks like `<device id>.<secret>`; only its hash is kept. A token that was already
exchanged is a stolen one (or its thief was faster): the whole device is revoked.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from sqlalchemy import delete, or_, update

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import NotFound
from core.ids import new_id
from core.users.models import DeviceRow, UserRow
from core.users.queries import UserView, user_view
from core.views import Role

KEPT_AFTER_END: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Login:
    """refresh_token: known to the client only."""

    user: UserView
    device_id: str
    refresh_token: str


async def open_device(
    tx: Tx, user: UserView, *, label: str, ip: str, lifetime: timedelta
) -> Login:
    device_id = new_id()
    token = _new_token(device_id)
    await _forget_ended(tx, user.id)
    tx.db.add(
        DeviceRow(
            id=device_id,
            user_id=user.id,
            label=label[:200],
            ip=ip[:64],
            refresh_hash=_hash(token),
            rotated_at=tx.now,
            created_at=tx.now,
            expires_at=tx.now + lifetime,
        )
    )
    await tx.db.flush()
    return Login(user, device_id, token)


Refusal = Literal["token_reused", "unauthenticated"]


async def rotate(tx: Tx, refresh_token: str, *, lifetime: timedelta, ip: str) -> Login | Refusal:
    """Exchange a refresh token for the next one.

    A refusal is returned rather than raised, so that the revocation of a reused token is kept.
    """
    device = await tx.db.get(DeviceRow, refresh_token.partition(".")[0], with_for_update=True)
    if device is None or device.revoked_at is not None or device.expires_at <= tx.now:
        return "unauthenticated"
    user = await tx.db.get(UserRow, device.user_id)
    if user is None or user.is_disabled:
        return "unauthenticated"
    if not secrets.compare_digest(device.refresh_hash, _hash(refresh_token)):
        device.revoked_at = tx.now
        actor = Actor(user.id, None, user.name, Role(user.role), frozenset(), ip)
        age = "previous" if device.previous_hash == _hash(refresh_token) else "older"
        await audit.append(
            tx, by=actor, action="device.token_reused", target=device.id, facts={"token": age}
        )
        return "token_reused"
    token = _new_token(device.id)
    device.previous_hash, device.refresh_hash = device.refresh_hash, _hash(token)
    device.rotated_at, device.expires_at, device.ip = tx.now, tx.now + lifetime, ip[:64]
    await tx.db.flush()
    return Login(user_view(user), device.id, token)


async def revoke(tx: Tx, user_id: str, device_id: str, *, by: Actor) -> None:
    """End one login of this user. Raises: NotFound, also for another user's device."""
    ended = await tx.db.execute(
        update(DeviceRow)
        .where(
            DeviceRow.id == device_id,
            DeviceRow.user_id == user_id,
            DeviceRow.revoked_at.is_(None),
        )
        .values(revoked_at=tx.now)
        .returning(DeviceRow.id)
    )
    if ended.first() is None:
        raise NotFound(noun="device", id=device_id)
    await audit.append(tx, by=by, action="device.revoked", target=device_id)


async def revoke_all(tx: Tx, user_id: str, *, but: str | None = None) -> None:
    """End every login of this user, except one."""
    await tx.db.execute(
        update(DeviceRow)
        .where(DeviceRow.user_id == user_id, DeviceRow.revoked_at.is_(None), DeviceRow.id != but)
        .values(revoked_at=tx.now)
    )


async def _forget_ended(tx: Tx, user_id: str) -> None:
    """Logins that ended a month ago are of no use any more; the audit log has them."""
    month_ago = tx.now - KEPT_AFTER_END
    ended = or_(DeviceRow.expires_at < month_ago, DeviceRow.revoked_at < month_ago)
    await tx.db.execute(delete(DeviceRow).where(DeviceRow.user_id == user_id, ended))


def _new_token(device_id: str) -> str:
    return f"{device_id}.{secrets.token_urlsafe(32)}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
