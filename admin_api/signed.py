"""Requests of other systems: signed with an API key, each good for one use."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from admin_api.body import DIGEST
from admin_api.services import Services
from core.actor import Actor
from core.api_keys import queries, service, signature
from core.api_keys.signature import MAX_SKEW_S
from core.errors import TooMany, Unauthenticated

_MINUTE: Final = 60


async def authenticate_key(services: Services, request: web.Request, *, ip: str) -> Actor:
    """Who signed this request. Its body is compared with the signature when it is read.

    Raises: Unauthenticated, saying what does not fit; TooMany.
    """
    signed = signature.read(request.headers, request.method, request.raw_path)
    now = services.uow.clock.now()
    signature.check_moment(signed, now)
    async with services.uow.read() as tx:
        key = await queries.usable(tx, signed.key_id, ip=ip)
    if key is None:
        raise Unauthenticated("api_key_refused")
    if not signed.fits(services.keyring.open(key.secret_sealed, context=service.CONTEXT)):
        raise Unauthenticated("signature_wrong", signed=signed.text)
    most = services.config.requests_per_minute
    if not await services.limiter.allow(f"api:{key.actor.key}", limit=most, window_s=_MINUTE):
        raise TooMany(retry_after_s=_MINUTE)
    nonce = f"nonce:{signed.key_id}:{signed.nonce}"
    if not await services.cache.add(nonce, ttl_s=2 * MAX_SKEW_S + 1):
        raise Unauthenticated("nonce_used")
    if service.is_worth_noting(key.last_used_at, now):
        async with services.uow.write() as tx:
            await service.note_use(tx, signed.key_id, ip)
    request[DIGEST] = signed.digest
    return key.actor
