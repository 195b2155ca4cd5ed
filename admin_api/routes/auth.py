"""Logging in and out, and one's own password and devices."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from admin_api.auth import limit_logins
from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing
from core.db import Tx
from core.errors import DomainError, Invalid, Unauthenticated
from core.servicers.queries import servicer_of_user
from core.settings.sections import Security
from core.users import devices, passwords, queries, service
from core.users.devices import Login
from core.users.queries import DeviceView, UserView
from core.views import ServicerView


class Locked(DomainError):
    code = "locked"


class LoginBody(Body):
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=1024)


class RefreshBody(Body):
    refresh_token: str = Field(min_length=1, max_length=256)


class PasswordBody(Body):
    old: str = Field(min_length=1, max_length=1024)
    new: str = Field(min_length=1, max_length=1024)


class TokenView(BaseModel):
    """expires_in_s: life of the access token; the refresh token is good for one use."""

    model_config = ConfigDict(frozen=True)

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a scheme, no secret
    expires_in_s: int
    user: UserView


class MeView(BaseModel):
    model_config = ConfigDict(frozen=True)

    user: UserView
    servicer: ServicerView | None
    permissions: list[str]


@endpoint("POST", "/auth/login", access="public", tag="auth")
async def login(call: Call, body: LoginBody) -> TokenView:
    """Exchange user name and password for tokens."""
    await limit_logins(call.services, body.username, call.ip)
    rules = call.services.settings.get(Security)
    async with call.services.uow.read() as tx:
        known = await queries.credentials(tx, body.username)
    fits = await passwords.matches(known.password_hash if known else None, body.password)
    opened: Login | None = None
    async with call.services.uow.write() as tx:
        result, user = await service.record_login(
            tx, body.username, fits=fits, rules=rules, ip=call.ip
        )
        if result == "ok" and user is not None:
            opened = await devices.open_device(
                tx,
                user,
                label=call.request.headers.get("User-Agent", ""),
                ip=call.ip,
                lifetime=timedelta(seconds=rules.refresh_token_s),
            )
    if result == "locked":
        raise Locked(retry_after_s=rules.lock_s)
    if opened is None:
        raise Unauthenticated("bad_credentials")
    if known and passwords.needs_rehash(known.password_hash):
        fresh = await passwords.hash_password(body.password)
        async with call.services.uow.write() as tx:
            await service.rehash(tx, known.user_id, fresh)
    return _tokens(call, opened, rules)


@endpoint("POST", "/auth/refresh", access="public", tag="auth")
async def refresh(call: Call, body: RefreshBody) -> TokenView:
    """Exchange a refresh token for new tokens; a token used twice ends that login."""
    rules = call.services.settings.get(Security)
    lifetime = timedelta(seconds=rules.refresh_token_s)
    async with call.services.uow.write() as tx:
        outcome = await devices.rotate(tx, body.refresh_token, lifetime=lifetime, ip=call.ip)
    if not isinstance(outcome, Login):
        raise Unauthenticated(outcome)
    return _tokens(call, outcome, rules)


@endpoint("POST", "/auth/logout", access="login", tag="auth")
async def logout(call: Call, tx: Tx) -> None:
    """End this login."""
    await devices.revoke(tx, call.actor.person, call.device_id, by=call.actor)


@endpoint("GET", "/auth/me", access="login", tag="auth")
async def me(call: Call, tx: Tx) -> MeView:
    """Who I am and what I may do."""
    user_id = call.actor.person
    return MeView(
        user=await queries.get_user(tx, user_id),
        servicer=await servicer_of_user(tx, user_id),
        permissions=sorted(call.actor.permissions),
    )


@endpoint("POST", "/auth/password", access="login", tag="auth")
async def change_password(call: Call, body: PasswordBody) -> None:
    """Change one's own password; all other logins end."""
    user_id = call.actor.person
    async with call.services.uow.read() as tx:
        user = await queries.get_user(tx, user_id)
        known = await queries.credentials(tx, user.username)
    await limit_logins(call.services, user.username, call.ip)
    if known is None or not await passwords.matches(known.password_hash, body.old):
        raise Invalid("wrong_password", field="old")
    rules = call.services.settings.get(Security)
    passwords.check_rules(body.new, username=user.username, rules=rules)
    fresh = await passwords.hash_password(body.new)
    async with call.services.uow.write() as tx:
        await service.set_own_password(
            tx, user_id, fresh, keep_device=call.device_id, by=call.actor
        )


@endpoint("GET", "/auth/devices", access="login", tag="auth")
async def list_devices(call: Call, tx: Tx) -> Listing[DeviceView]:
    """Where I am logged in."""
    return Listing(items=await queries.list_devices(tx, call.actor.person))


@endpoint("DELETE", "/auth/devices/{device_id}", access="login", tag="auth")
async def revoke_device(call: Call, tx: Tx, device_id: str) -> None:
    """End one of my logins."""
    await devices.revoke(tx, call.actor.person, device_id, by=call.actor)


def _tokens(call: Call, opened: Login, rules: Security) -> TokenView:
    access = call.services.tokens.issue(
        opened.user.id,
        opened.device_id,
        now=call.services.uow.clock.now(),
        lifetime=timedelta(seconds=rules.access_token_s),
    )
    return TokenView(
        access_token=access,
        refresh_token=opened.refresh_token,
        expires_in_s=rules.access_token_s,
        user=opened.user,
    )
