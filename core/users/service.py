"""The only writer of users: creating, changing, passwords, and the count of failed logins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from sqlalchemy import func, select, update

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.ids import new_id
from core.ownership.queries import OaKind, refuse_owned
from core.permissions import Permission
from core.servicers.service import leave_for_good
from core.settings.sections import Security
from core.users import devices
from core.users.models import UserRow
from core.users.queries import UserView, by_username, user_view
from core.views import Role

_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")


@dataclass(frozen=True, slots=True)
class NewUser:
    """password_hash: from `passwords.hash_password`, made before the transaction."""

    username: str
    name: str
    password_hash: str
    role: Role


@dataclass(frozen=True, slots=True)
class UserChange:
    """None leaves a field as it is."""

    name: str | None = None
    role: Role | None = None
    is_disabled: bool | None = None
    password_hash: str | None = None


async def create(tx: Tx, new: NewUser, *, by: Actor) -> UserView:
    """Raises: Forbidden; Invalid `bad_username`; Conflict `username_taken`."""
    by.require(Permission.USER_MANAGE)
    username = new.username.strip().lower()
    if not _USERNAME.fullmatch(username):
        raise Invalid("bad_username", field="username")
    values = {
        "id": new_id(),
        "username": username,
        "name": new.name,
        "password_hash": new.password_hash,
        "role": new.role.value,
        "is_disabled": False,
        "failed_logins": 0,
        "password_changed_at": tx.now,
        "created_at": tx.now,
        "version": 1,
    }
    made = await tx.db.execute(
        tx.upsert(UserRow).values(values).on_conflict_do_nothing().returning(UserRow.id)
    )
    if made.first() is None:
        raise Conflict("username_taken", field="username")
    await audit.append(
        tx,
        by=by,
        action="user.created",
        target=str(values["id"]),
        facts={"username": username, "role": new.role.value},
    )
    return user_view(await _get(tx, str(values["id"])))


async def change(tx: Tx, user_id: str, wanted: UserChange, *, version: int, by: Actor) -> UserView:
    """Disabling and a new password end all logins of that user.

    Raises: Forbidden; NotFound; Conflict; Invalid `last_admin` when nobody could manage users.
    """
    by.require(Permission.USER_MANAGE)
    row = await _get(tx, user_id)
    if row.version != version:
        raise Conflict(version=row.version)
    told = {"name": wanted.name, "is_disabled": wanted.is_disabled}
    changed = [key for key, value in told.items() if value not in (None, getattr(row, key))]
    ours = ["is_active" if key == "is_disabled" else key for key in changed]
    await refuse_owned(tx, OaKind.STAFF, user_id, ours)
    return await overwrite(tx, user_id, wanted, by=by)


async def overwrite(tx: Tx, user_id: str, wanted: UserChange, *, by: Actor) -> UserView:
    """As the OA has it. Raises: Forbidden; NotFound; Invalid `last_admin`."""
    by.require(Permission.USER_MANAGE)
    row = await _get(tx, user_id)
    values = _values(tx, wanted)
    if not values:
        return user_view(row)
    if wanted.is_disabled or (wanted.role not in (None, Role.ADMIN)):
        await _keep_an_admin(tx, row)
    await _compare_and_set(tx, row, values)
    if wanted.is_disabled or wanted.password_hash:
        await devices.revoke_all(tx, user_id)
    if wanted.is_disabled:
        await leave_for_good(tx, user_id, by=by)
    shown = ("name", "role", "is_disabled", "password_changed_at")
    facts = {key: value for key, value in values.items() if key in shown}
    await audit.append(tx, by=by, action="user.changed", target=user_id, facts=facts)
    return user_view(row)


async def set_own_password(
    tx: Tx, user_id: str, password_hash: str, *, keep_device: str, by: Actor
) -> None:
    """The old one was checked before. Ends all other logins of this user."""
    row = await _get(tx, user_id)
    await _compare_and_set(tx, row, _values(tx, UserChange(password_hash=password_hash)))
    await devices.revoke_all(tx, user_id, but=keep_device)
    await audit.append(tx, by=by, action="user.password_changed", target=user_id)


LoginResult = Literal["ok", "bad_credentials", "locked"]


async def record_login(
    tx: Tx, username: str, *, fits: bool, rules: Security, ip: str
) -> tuple[LoginResult, UserView | None]:
    """Decide a login whose password was compared before, and count failures.

    Returned rather than raised, so that the count is kept.
    """
    row = (await tx.db.scalars(by_username(username).with_for_update())).first()
    if row is None:
        return "bad_credentials", None
    actor = Actor(row.id, None, row.name, Role(row.role), frozenset(), ip)
    if row.locked_until is not None and row.locked_until > tx.now:
        return "locked", user_view(row)
    if not fits or row.is_disabled:
        row.failed_logins += 1
        if row.failed_logins >= rules.lock_after_failures:
            row.locked_until = tx.now + timedelta(seconds=rules.lock_s)
            row.failed_logins = 0
            await audit.append(tx, by=actor, action="user.locked", target=row.id)
        return "bad_credentials", None
    row.failed_logins, row.locked_until = 0, None
    await audit.append(tx, by=actor, action="user.logged_in", target=row.id)
    return "ok", user_view(row)


async def rehash(tx: Tx, user_id: str, password_hash: str) -> None:
    """The same password under stronger parameters."""
    await tx.db.execute(
        update(UserRow).where(UserRow.id == user_id).values(password_hash=password_hash)
    )


def _values(tx: Tx, wanted: UserChange) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if wanted.name is not None:
        values["name"] = wanted.name
    if wanted.role is not None:
        values["role"] = wanted.role.value
    if wanted.is_disabled is not None:
        values |= {"is_disabled": wanted.is_disabled, "failed_logins": 0, "locked_until": None}
    if wanted.password_hash is not None:
        values |= {
            "password_hash": wanted.password_hash,
            "password_changed_at": tx.now,
            "failed_logins": 0,
            "locked_until": None,
        }
    return values


async def _keep_an_admin(tx: Tx, row: UserRow) -> None:
    if row.role != Role.ADMIN:
        return
    others = select(func.count()).where(
        UserRow.role == Role.ADMIN.value, UserRow.is_disabled.is_(False), UserRow.id != row.id
    )
    if not await tx.db.scalar(others):
        raise Invalid("last_admin")


async def _compare_and_set(tx: Tx, row: UserRow, values: dict[str, Any]) -> None:
    changed = await tx.db.execute(
        update(UserRow)
        .where(UserRow.id == row.id, UserRow.version == row.version)
        .values(**values, version=row.version + 1)
        .returning(UserRow.id)
        .execution_options(synchronize_session=False)
    )
    if changed.first() is None:
        raise Conflict(version=row.version)
    await tx.db.refresh(row)


async def _get(tx: Tx, user_id: str) -> UserRow:
    row = await tx.db.get(UserRow, user_id)
    if row is None:
        raise NotFound(noun="user", id=user_id)
    return row
