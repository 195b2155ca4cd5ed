"""自建应用: the channel through which servicers are told and answer inside WeCom."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import ClassVar

from aiohttp import web
from typing_extensions import override

from channels.base import Channel, Download, Services
from channels.degrade import fit
from channels.errors import ChannelError, Rejected
from channels.http import HttpClient, JsonObject
from channels.wecom.callback import (
    APP_PATH,
    KF_PULL,
    CallbackEndpoint,
    KfSignal,
    callback_crypto,
)
from channels.wecom.client import WeComClient
from channels.wecom.config import WeComSettings
from channels.wecom.media import MediaIds, attachment_of
from channels.wecom.tokens import Application
from channels.wecom_app.compose import CAPABILITIES, Body, compose, compose_card, compose_update
from channels.wecom_app.menu import MenuButton, compose_menu
from core.content import Content, Link, Media
from core.ports import (
    CardMessage,
    CardUpdate,
    HandoverCommand,
    OutboundItem,
    OutboundMessage,
    RecallCommand,
    Receipt,
)

log = logging.getLogger(__name__)

_REMEMBER_S = 24 * 3600
_DUPLICATE_CHECK_S = 1800
_MEDIA_EXPIRED = "40007"
_TASK_ID_USED = "42014"


class WeComApp(Channel):
    """One self-built app. An address's account is the agent id, its user a member (or "a|b")."""

    name: ClassVar[str] = "wecom_app"
    capabilities = CAPABILITIES

    def __init__(
        self, settings: WeComSettings, services: Services, *, http: HttpClient | None = None
    ) -> None:
        self._settings = settings
        self._services = services
        self._agent_id = settings.app.agent_id
        self._http = http or HttpClient()
        secret = settings.app.secret.get_secret_value()
        self.client = WeComClient.connect(
            self._http,
            Application(settings.api_root, settings.corp_id, secret),
            cache=services.cache,
            lock=services.lock,
            rate_limit_wait_s=settings.rate_limit_wait_s,
        )
        self._media_ids = MediaIds(
            self.client, files=services.files, cache=services.cache, scope=settings.corp_id
        )

    @override
    async def run(self) -> None:
        """All that an app receives comes by callback."""
        await asyncio.Event().wait()

    @override
    def routes(self) -> Sequence[web.RouteDef]:
        """`GET|POST /callback/wecom/app`, when Token and EncodingAESKey are set."""
        if not self._settings.app.has_callback:
            return ()
        crypto = callback_crypto(self._settings.app, self._settings.corp_id)
        intake, cache = self._services.intake, self._services.cache
        return CallbackEndpoint(APP_PATH, crypto, intake, cache, self._on_kf).routes

    async def _on_kf(self, signal: KfSignal) -> None:
        await self._services.wake.notify(KF_PULL, signal.model_dump_json())

    @override
    async def send(self, item: OutboundItem) -> Receipt:
        match item:
            case OutboundMessage():
                return await self._send_message(item)
            case CardMessage():
                return await self._send_card(item)
            case CardUpdate():
                body = compose_update(item, self._agent_id)
                return _receipt(await self.client.post("message/update_template_card", body))
            case RecallCommand():
                return await self._recall(item)
            case HandoverCommand():
                raise Rejected("an app has no sessions")

    async def _send_message(self, message: OutboundMessage) -> Receipt:
        receipt = Receipt()
        for number, piece in enumerate(fit(message.content, CAPABILITIES)):
            message_id = f"{message.message_id}-p{number + 1}" if number else message.message_id
            sent = await self._send_piece(message, message_id, piece)
            receipt = receipt if number else sent
        return receipt

    async def _send_piece(
        self, message: OutboundMessage, message_id: str, piece: Content
    ) -> Receipt:
        """Send; with a file that WeCom calls expired, upload it and send once more."""
        attachment = None if isinstance(piece, Link) else attachment_of(piece)
        media_id = await self._media_ids.find(*attachment) if attachment else ""
        user, is_markdown = message.address.user, message.is_markdown
        try:
            body = compose(piece, media_id, is_markdown=is_markdown)
            return await self._post_once(user, message_id, body)
        except ChannelError as error:
            if error.vendor_code != _MEDIA_EXPIRED or attachment is None:
                raise
            if not await self._media_ids.forget(*attachment):
                raise
        media_id = await self._media_ids.find(*attachment)
        return await self._post_once(user, message_id, compose(piece, media_id))

    async def _post_once(self, user: str, message_id: str, body: Body) -> Receipt:
        """WeCom knows no ids of ours: remember what was sent, have retries checked by content."""
        sent_key, tried_key = f"wecom_app.sent:{message_id}", f"wecom_app.tried:{message_id}"
        cache = self._services.cache
        if (vendor_id := await cache.get(sent_key)) is not None:
            return Receipt(vendor_id or None)
        body = {"touser": user, "agentid": self._agent_id, **body}
        if await cache.get(tried_key):
            body["enable_duplicate_check"] = 1
            body["duplicate_check_interval"] = _DUPLICATE_CHECK_S
        await cache.set(tried_key, "1", ttl_s=_REMEMBER_S)
        receipt = _receipt(await self.client.post("message/send", body))
        await cache.set(sent_key, receipt.vendor_id or "", ttl_s=_REMEMBER_S)
        return receipt

    async def _send_card(self, card: CardMessage) -> Receipt:
        """A retry that finds the task id used: the card arrived, only its answer got lost."""
        was_tried = await self._services.cache.get(f"wecom_app.tried:{card.message_id}")
        try:
            return await self._post_once(card.address.user, card.message_id, compose_card(card))
        except ChannelError as error:
            if error.vendor_code != _TASK_ID_USED or not was_tried:
                raise
            return Receipt()

    async def _recall(self, command: RecallCommand) -> Receipt:
        """Possible for 24 hours, with the id that WeCom gave."""
        if command.vendor_message_id is None:
            raise Rejected("the platform's id of the message is unknown")
        await self.client.post("message/recall", {"msgid": command.vendor_message_id})
        return Receipt(command.vendor_message_id)

    async def create_menu(self, buttons: Sequence[MenuButton]) -> None:
        """Replace the menu that members see. Raises ChannelError."""
        body = compose_menu(tuple(buttons))
        await self.client.post("menu/create", body, {"agentid": str(self._agent_id)})

    @override
    async def fetch(self, media: Media) -> bytes:
        return (await self.download(media)).data

    @override
    async def download(self, media: Media) -> Download:
        return await self._media_ids.download(media)

    @override
    async def close(self) -> None:
        await self._http.close()


def _receipt(answer: JsonObject) -> Receipt:
    """facts: response_code of an interactive card; invalid_users joined by "|"."""
    facts: dict[str, str] = {}
    if code := answer.get("response_code"):
        facts["response_code"] = str(code)
    invalid = answer.get("invaliduser")
    if invalid:  # a text here, a list in the answer to an update
        facts["invalid_users"] = "|".join(invalid) if isinstance(invalid, list) else str(invalid)
        log.warning(
            "A message did not reach everybody", extra={"action": "wecom_app.invalid_users"}
        )
    msgid = answer.get("msgid")
    return Receipt(str(msgid) if msgid else None, facts)
