"""Reading users: views, log-in credentials, and the actor behind a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, func, or_, select

from core.actor import Actor
from core.db import Tx
from core.errors import NotFound
from core.ownership.queries import OaKind, fields_of, oa_ids
from core.paging import Page, decode_cursor, page_of
from core.permissions import permissions_of
from core.servicers.models import ServicerRow
from core.users.models import DeviceRow, UserRow
from core.views import Role, View

#: No password has this hash: such a login opens once somebody has set one.
NO_PASSWORD: Final = "!"  # noqa: S105 - not a password


class UserView(View):
    """oa_id, owned: of one that the OA is the master of; lists tell them, nothing else does."""

    id: str
    username: str
    name: str
    role: Role
    is_disabled: bool
    created_at: datetime
    version: int
    has_password: bool
    oa_id: str = ""
    owned: tuple[str, ...] = ()


class DeviceView(View):
    """One login. last_used_at: when its refresh token was last exchanged."""

    id: str
    label: str
    ip: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    user_id: str
    password_hash: str


def user_view(row: UserRow) -> UserView:
    return UserView(
        id=row.id,
        username=row.username,
        name=row.name,
        role=Role(row.role),
        is_disabled=row.is_disabled,
        created_at=row.created_at,
        version=row.version,
        has_password=row.password_hash != NO_PASSWORD,
    )


async def get_user(tx: Tx, user_id: str) -> UserView:
    """Raises: NotFound."""
    row = await tx.db.get(UserRow, user_id)
    if row is None:
        raise NotFound(noun="user", id=user_id)
    return user_view(row)


async def credentials(tx: Tx, username: str) -> Credentials | None:
    row = (await tx.db.scalars(by_username(username))).first()
    return None if row is None else Credentials(row.id, row.password_hash)


def by_username(username: str) -> Select[UserRow]:
    return select(UserRow).where(UserRow.username == username.strip().lower())


async def count_users(tx: Tx) -> int:
    return await tx.db.scalar(select(func.count()).select_from(UserRow)) or 0


async def list_users(
    tx: Tx, *, q: str = "", cursor: str | None = None, limit: int = 50
) -> Page[UserView]:
    """By username. q: part of the username or the name."""
    query = select(UserRow).order_by(UserRow.username).limit(limit + 1)
    if q:
        query = query.where(
            or_(
                UserRow.username.contains(q.lower(), autoescape=True),
                UserRow.name.contains(q, autoescape=True),
            )
        )
    if cursor is not None:
        query = query.where(UserRow.username > decode_cursor(cursor, str)[0])
    rows = (await tx.db.scalars(query)).all()
    linked = await oa_ids(tx, OaKind.STAFF, [row.id for row in rows])
    owned = await fields_of(tx, OaKind.STAFF)
    views = [
        user_view(row).model_copy(update={"oa_id": linked[row.id], "owned": owned})
        if row.id in linked
        else user_view(row)
        for row in rows
    ]
    return page_of(views, limit, lambda view: (view.username,))


async def list_devices(tx: Tx, user_id: str) -> list[DeviceView]:
    """Where this user is logged in now, last used first."""
    query = (
        select(DeviceRow)
        .where(
            DeviceRow.user_id == user_id,
            DeviceRow.revoked_at.is_(None),
            DeviceRow.expires_at > tx.now,
        )
        .order_by(DeviceRow.rotated_at.desc(), DeviceRow.id)
    )
    return [device_view(row) for row in await tx.db.scalars(query)]


def device_view(row: DeviceRow) -> DeviceView:
    return DeviceView(
        id=row.id,
        label=row.label,
        ip=row.ip,
        created_at=row.created_at,
        last_used_at=row.rotated_at,
        expires_at=row.expires_at,
    )


async def actor_of(tx: Tx, user_id: str, device_id: str, *, ip: str = "") -> Actor | None:
    """Who is behind an access token; None once the user is disabled or the device revoked."""
    query = (
        select(UserRow, ServicerRow.id)
        .join(DeviceRow, DeviceRow.user_id == UserRow.id)
        .outerjoin(ServicerRow, ServicerRow.user_id == UserRow.id)
        .where(
            UserRow.id == user_id,
            UserRow.is_disabled.is_(False),
            DeviceRow.id == device_id,
            DeviceRow.revoked_at.is_(None),
        )
    )
    found = (await tx.db.execute(query)).first()
    if found is None:
        return None
    user, servicer_id = found
    role = Role(user.role)
    return Actor(user.id, servicer_id, user.name, role, permissions_of(role), ip)
