"""Who is calling: the bearer token, the address, and how often they may."""

from __future__ import annotations

import ipaddress
from typing import Final

from aiohttp import web

from admin_api.config import ApiConfig
from admin_api.services import Services
from admin_api.signed import authenticate_key
from admin_api.tokens import Access
from core.actor import Actor
from core.api_keys.signature import KEY
from core.errors import TooMany, Unauthenticated
from core.users import queries

_MINUTE: Final = 60
_FIVE_MINUTES: Final = 300


def client_ip(request: web.Request, config: ApiConfig) -> str:
    """The caller's address; X-Forwarded-For counts only behind a trusted proxy."""
    peer = request.remote or ""
    if peer not in config.trusted_proxies:
        return peer
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    for hop in reversed([hop.strip() for hop in hops]):
        if hop not in config.trusted_proxies:
            return _address(hop) or peer
    return peer


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def bearer(request: web.Request) -> str:
    """Raises: Unauthenticated when there is no bearer token."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return token.strip()


async def authenticate(services: Services, token: str, *, ip: str) -> tuple[Actor, Access]:
    """The actor behind a token, as users and devices stand at this moment.

    Raises: Unauthenticated, also once the user is disabled or the device is revoked.
    """
    access = services.tokens.read(token, now=services.uow.clock.now())
    async with services.uow.read() as tx:
        actor = await queries.actor_of(tx, access.user_id, access.device_id, ip=ip)
    if actor is None:
        raise Unauthenticated
    return actor, access


async def identify(services: Services, request: web.Request, *, ip: str) -> tuple[Actor, str]:
    """Who is calling, and on which device: a person's token, or another system's signature.

    Raises: Unauthenticated; TooMany.
    """
    if KEY in request.headers:
        return await authenticate_key(services, request, ip=ip), ""
    actor, access = await authenticate(services, bearer(request), ip=ip)
    await limit_requests(services, actor.key)
    return actor, access.device_id


async def limit_requests(services: Services, who: str) -> None:
    """Raises: TooMany. who: a user id, or an address for those not logged in."""
    most = services.config.requests_per_minute
    if not await services.limiter.allow(f"api:{who}", limit=most, window_s=_MINUTE):
        raise TooMany(retry_after_s=_MINUTE)


async def limit_logins(services: Services, username: str, ip: str) -> None:
    """Raises: TooMany, for known and unknown names alike."""
    config = services.config
    allow = services.limiter.allow
    if not await allow(f"login:ip:{ip}", limit=config.logins_per_minute, window_s=_MINUTE):
        raise TooMany(retry_after_s=_MINUTE)
    name = username.strip().lower()[:64]
    if not await allow(f"login:user:{name}", limit=config.logins_per_name, window_s=_FIVE_MINUTES):
        raise TooMany(retry_after_s=_FIVE_MINUTES)
