"""Making users from the command line, the configuration and the demo."""

from __future__ import annotations

from dataclasses import dataclass

from core.actor import Actor
from core.db import UnitOfWork
from core.servicers import service as servicers
from core.settings.reception import Reception
from core.settings.sections import Security
from core.users import service as users
from core.users.passwords import check_rules, hash_password
from core.users.queries import count_users
from core.views import Role


@dataclass(frozen=True, slots=True)
class Person:
    """wecom_userid: who they are in WeCom; whoever serves needs one for native reception."""

    username: str
    name: str
    role: Role
    password: str
    wecom_userid: str | None = None


async def create_person(uow: UnitOfWork, person: Person, *, by: Actor) -> str:
    """A user who may also serve customers. Returns the user id.

    Raises: Invalid for a weak password or a bad name, Conflict for a taken one.
    """
    check_rules(person.password, username=person.username, rules=uow.settings.get(Security))
    password_hash = await hash_password(person.password)
    async with uow.write() as tx:
        new = users.NewUser(person.username, person.name, password_hash, person.role)
        user = await users.create(tx, new, by=by)
        await servicers.create(
            tx,
            user_id=user.id,
            name=person.name,
            capacity=tx.settings.get(Reception).default_capacity,
            wecom_userid=person.wecom_userid,
            by=by,
        )
    return user.id


async def ensure_admin(uow: UnitOfWork, password: str) -> bool:
    """Create user `admin` with the configured password when there is no user at all."""
    if not password:
        return False
    async with uow.read() as tx:
        if await count_users(tx):
            return False
    admin = Person("admin", "管理员", Role.ADMIN, password)
    await create_person(uow, admin, by=Actor.system("config"))
    return True
