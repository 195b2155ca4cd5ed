"""Callback URLs of apps and of 微信客服: verify, decrypt, hand on, answer. Nothing slow here.

Source: developer.work.weixin.qq.com/document/path/90930. A URL accepts both kinds of event,
because one self-built app may carry 微信客服 too.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from channels.update import Update, to_inbox
from channels.wecom.app_events import accounts_changed, app_update
from channels.wecom.config import CallbackSettings
from channels.wecom.crypto import BadSignature, CallbackCrypto, CallbackError, parse_xml
from channels.wecom.fields import Fields
from core.ports import Intake, KeyValue

log = logging.getLogger(__name__)

KF_PULL = "wecom_kf.pull"
_MAX_BODY_BYTES = 256 * 1024
_SEEN_S = 600


#: Both take events of 微信客服 as well as those of the app.
KF_PATH: Final = "/callback/wecom/kf"
APP_PATH: Final = "/callback/wecom/app"


class KfSignal(BaseModel):
    """There is something to pull. account "": the list of accounts has changed."""

    model_config = ConfigDict(frozen=True)

    account: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class CallbackEndpoint:
    """One callback URL. `on_kf` must return at once and make the next pull certain."""

    path: str
    crypto: CallbackCrypto
    intake: Intake
    cache: KeyValue
    on_kf: Callable[[KfSignal], Awaitable[None]]

    @property
    def routes(self) -> Sequence[web.RouteDef]:
        return (web.get(self.path, self.verify), web.post(self.path, self.receive))

    async def verify(self, request: web.Request) -> web.Response:
        """The URL check of the admin console: answer with the decrypted echo, nothing else."""
        query = request.query
        try:
            echo = self.crypto.decrypt_echo(*_signature(request), query.get("echostr", ""))
        except CallbackError as error:
            return self._refuse(request, error)
        return web.Response(body=echo, content_type="text/plain")

    async def receive(self, request: web.Request) -> web.Response:
        """One event or message. Answered when it is stored or its pull is certain."""
        body = await _read(request)
        if body is None:
            log.warning(
                "A callback was refused: too large", extra={"action": "wecom.callback_refused"}
            )
            return web.Response(status=413)
        try:
            text = self.crypto.decrypt_post(*_signature(request), body)
            document = Fields(parse_xml(text))
        except CallbackError as error:
            return self._refuse(request, error)
        seen_key = f"wecom.callback:{_signature(request)[0]}"
        if await self.cache.get(seen_key):
            log.warning("A callback was repeated", extra={"action": "wecom.callback_repeated"})
            return web.Response()
        await self._handle(document)
        await self.cache.set(seen_key, "1", ttl_s=_SEEN_S)
        return web.Response()

    async def _handle(self, document: Fields) -> None:
        match document.text("Event"):
            case "kf_msg_or_event":
                signal = KfSignal(account=document.text("OpenKfId"), token=document.text("Token"))
                await self.on_kf(signal)
            case "kf_account_auth_change":
                await self._store(accounts_changed(document))
                await self.on_kf(KfSignal())
            case _:
                await self._store(app_update(document))

    async def _store(self, update: Update) -> None:
        await self.intake.accept([to_inbox(update)])

    def _refuse(self, request: web.Request, error: CallbackError) -> web.Response:
        log.warning(
            "A callback was refused: %s", error,
            extra={"action": "wecom.callback_refused", "path": request.path},
        )  # fmt: skip
        return web.Response(status=403 if isinstance(error, BadSignature) else 400)


def callback_crypto(settings: CallbackSettings, corp_id: str) -> CallbackCrypto:
    """Raises CallbackError when the key cannot be one."""
    return CallbackCrypto(
        settings.token.get_secret_value(), settings.aes_key.get_secret_value(), corp_id
    )


def _signature(request: web.Request) -> tuple[str, str, str]:
    query = request.query
    return query.get("msg_signature", ""), query.get("timestamp", ""), query.get("nonce", "")


async def _read(request: web.Request) -> bytes | None:
    """The body, or None when it is larger than any callback."""
    if (request.content_length or 0) > _MAX_BODY_BYTES:
        return None
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            return None
    return bytes(body)
