"""Accounts of people who log in."""

from __future__ import annotations

from pydantic import Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from core.db import Tx
from core.permissions import Permission
from core.settings.sections import Security
from core.users import passwords, queries, service
from core.users.queries import UserView
from core.users.service import NewUser, UserChange
from core.views import Role


class UserQuery(PageQuery):
    q: str = Field("", max_length=64)


class UserCreateBody(Body):
    username: str = Field(min_length=2, max_length=64)
    name: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=1024)
    role: Role


class UserChangeBody(Body):
    name: str | None = Field(None, min_length=1, max_length=64)
    role: Role | None = None
    is_disabled: bool | None = None
    password: str | None = Field(None, min_length=1, max_length=1024)
    version: Version


@endpoint("GET", "/users", access=Permission.USER_MANAGE, tag="users")
async def list_users(call: Call, tx: Tx, query: UserQuery) -> Listing[UserView]:
    """All users, by user name."""
    del call
    page = await queries.list_users(tx, q=query.q, cursor=query.cursor, limit=query.limit)
    return listing(page)


@endpoint("POST", "/users", access=Permission.USER_MANAGE, tag="users", status=201)
async def create_user(call: Call, body: UserCreateBody) -> UserView:
    """Create a user. The user name is unique, so repeating cannot make two."""
    rules = call.services.settings.get(Security)
    passwords.check_rules(body.password, username=body.username, rules=rules)
    hashed = await passwords.hash_password(body.password)
    async with call.services.uow.write() as tx:
        new = NewUser(body.username, body.name, hashed, body.role)
        return await service.create(tx, new, by=call.actor)


@endpoint("PATCH", "/users/{user_id}", access=Permission.USER_MANAGE, tag="users")
async def change_user(call: Call, user_id: str, body: UserChangeBody) -> UserView:
    """Change a user; disabling or a new password ends that user's logins."""
    hashed = None
    if body.password is not None:
        async with call.services.uow.read() as tx:
            user = await queries.get_user(tx, user_id)
        rules = call.services.settings.get(Security)
        passwords.check_rules(body.password, username=user.username, rules=rules)
        hashed = await passwords.hash_password(body.password)
    wanted = UserChange(body.name, body.role, body.is_disabled, hashed)
    async with call.services.uow.write() as tx:
        return await service.change(tx, user_id, wanted, version=body.version, by=call.actor)
