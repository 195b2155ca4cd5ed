"""Making users from the command line, the configuration and the demo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.actor import Actor
from core.db import UnitOfWork
from core.servicers import service as servicers
from core.settings.reception import Reception
from core.settings.sections import Security
from core.users import service as users
from core.users.passwords import MAX_LENGTH, check_rules, hash_password
from core.users.queries import credentials
from core.views import Role

ADMIN: Final = "admin"


@dataclass(frozen=True, slots=True)
class Person:
    """wecom_userid: who they are in WeCom; whoever serves needs one for native reception."""

    username: str
    name: str
    role: Role
    password: str
    wecom_userid: str | None = None


def check_password(uow: UnitOfWork, person: Person) -> None:
    """Raises: Invalid when the password breaks the rules of this installation."""
    check_rules(person.password, username=person.username, rules=uow.settings.get(Security))


async def create_person(uow: UnitOfWork, person: Person, *, by: Actor) -> str:
    """A user who may also serve customers, with any password that can be typed.

    Returns the user id. Raises: Invalid for a bad name or a password of no or too many
    characters, Conflict for a taken name.
    """
    if not 0 < len(person.password) <= MAX_LENGTH:
        check_password(uow, person)
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
    """Create user `admin` with the configured password when there is none."""
    if not password:
        return False
    async with uow.read() as tx:
        if await credentials(tx, ADMIN):
            return False
    await create_person(uow, first_admin(password), by=Actor.system("config"))
    return True


def first_admin(password: str) -> Person:
    return Person(ADMIN, "管理员", Role.ADMIN, password)
