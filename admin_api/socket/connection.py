"""One console socket from upgrade to close."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from aiohttp import WSMessageTypeError, WSMsgType, web
from pydantic import ValidationError

from admin_api.auth import authenticate, client_ip, limit_requests
from admin_api.endpoint import SERVICES
from admin_api.services import Services
from admin_api.socket import protocol
from admin_api.socket.hub import Subscriber
from admin_api.socket.protocol import CLIENT, Hello, Ping, Ready, Refused, SetPresence
from admin_api.socket.replay import head, missed_since
from core.errors import DomainError, Unauthenticated
from core.servicers import absence
from core.servicers import service as servicers

log = logging.getLogger(__name__)
_CLOSE_CODES: Final = {
    "slow": protocol.CLOSE_SLOW,
    "gone": protocol.CLOSE_UNAUTHENTICATED,
    "shutdown": protocol.CLOSE_GOING_AWAY,
}


async def socket(request: web.Request) -> web.WebSocketResponse:
    """`GET /api/v1/ws`; the access token comes as a subprotocol, `bearer.<token>`."""
    ws = web.WebSocketResponse(
        protocols=(protocol.SUBPROTOCOL,),
        max_msg_size=protocol.MAX_MESSAGE_BYTES,
        compress=False,  # events are small and go to hundreds of sockets at once
        timeout=5,
    )
    await ws.prepare(request)
    services = request.app[SERVICES]
    token = _offered_token(request)
    ip = client_ip(request, services.config)
    try:
        actor, _ = await authenticate(services, token, ip=ip)
    except Unauthenticated:
        await ws.close(code=protocol.CLOSE_UNAUTHENTICATED, message=b"unauthenticated")
        return ws
    subscriber = services.hub.subscribe(actor)
    try:
        await Connection(ws, services, subscriber, token, ip).run()
    finally:
        services.hub.leave(subscriber)
    return ws


def _offered_token(request: web.Request) -> str:
    offered = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
    for item in offered:
        if item.strip().startswith(protocol.TOKEN_PREFIX):
            return item.strip().removeprefix(protocol.TOKEN_PREFIX)
    return ""


class Connection:
    """Reads and writes one socket until either side ends it."""

    def __init__(
        self,
        ws: web.WebSocketResponse,
        services: Services,
        subscriber: Subscriber,
        token: str,
        ip: str,
    ) -> None:
        self._ws = ws
        self._services = services
        self._subscriber = subscriber
        self._token = token
        self._ip = ip

    async def run(self) -> None:
        if not await self._greet():
            await self._ws.close(code=protocol.CLOSE_PROTOCOL, message=b"hello expected")
            return
        parts: tuple[Callable[[], Awaitable[None]], ...] = (self._write, self._read, self._watch)
        tasks = [asyncio.ensure_future(part()) for part in parts]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
        for result in done:
            if isinstance(result, Exception) and not isinstance(result, ConnectionError):
                raise result
        reason = self._subscriber.closing
        await self._ws.close(code=_CLOSE_CODES[reason] if reason else 1000)

    async def _greet(self) -> bool:
        """Wait for hello, then bring the client to where the live events begin."""
        try:
            text = await self._ws.receive_str(timeout=protocol.HELLO_WITHIN_S)
            hello = CLIENT.validate_json(text)
        except (TimeoutError, WSMessageTypeError, ValidationError):
            return False
        if not isinstance(hello, Hello):
            return False
        audiences = self._subscriber.audiences
        async with self._services.uow.read() as tx:
            missed = (
                await missed_since(tx, hello.last_event_id, audiences)
                if hello.last_event_id is not None
                else None
            )
            start = hello.last_event_id if missed else await head(tx)
        ready = Ready(event_id=start or 0, resumed=missed is not None)
        await self._ws.send_str(ready.model_dump_json())
        for text in missed.texts if missed else ():
            await self._ws.send_str(text)
        self._subscriber.sent_id = missed.until if missed else ready.event_id
        return True

    async def _write(self) -> None:
        while batch := await self._subscriber.next_batch():
            for text in batch:
                await self._ws.send_str(text)

    async def _read(self) -> None:
        while True:
            try:
                message = await self._ws.receive(timeout=protocol.SILENT_FOR_S)
            except TimeoutError:
                return
            if message.type is not WSMsgType.TEXT:
                return
            await self._handle(message.data)

    async def _handle(self, text: str) -> None:
        try:
            wanted = CLIENT.validate_json(text)
        except ValidationError:
            await self._ws.send_str(Refused(code="invalid").model_dump_json())
            return
        if not isinstance(wanted, SetPresence):
            return
        actor = self._subscriber.actor
        if actor.servicer_id is None:
            await self._ws.send_str(Refused(code="forbidden").model_dump_json())
            return
        try:
            await limit_requests(self._services, actor.key)
            async with self._services.uow.write() as tx:
                await servicers.set_presence(tx, actor.servicer_id, wanted.presence, by=actor)
        except DomainError as error:
            await self._ws.send_str(Refused(code=error.code).model_dump_json())

    async def _say_that_somebody_looks(self) -> None:
        servicer_id = self._subscriber.actor.servicer_id
        if servicer_id is None:
            return
        async with self._services.uow.read() as tx:
            is_due = await absence.needs_renewal(tx, servicer_id)
        if is_due:
            async with self._services.uow.write() as tx:
                await absence.renew(tx, servicer_id)

    async def _watch(self) -> None:
        """Ping, and end the socket when its token, user or device is no longer good."""
        while True:
            try:
                _, access = await authenticate(self._services, self._token, ip=self._ip)
            except Unauthenticated:
                self._subscriber.close("gone")
                return
            await self._say_that_somebody_looks()
            left = (access.expires_at - self._services.uow.clock.now()).total_seconds()
            await asyncio.sleep(min(protocol.PING_EVERY_S, max(left, 0) + 0.05))
            with suppress(ConnectionError):
                await self._ws.send_str(Ping().model_dump_json())
