"""Sending to customers of 微信客服: plain messages, and one message per event code."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from channels.capabilities import Capabilities
from channels.degrade import fit
from channels.errors import ChannelError, RetryLater
from channels.wecom.client import WeComClient
from channels.wecom.media import MediaIds, attachment_of
from channels.wecom_kf.compose import CAPABILITIES, WITH_CODE, Body, compose, is_ca_link
from channels.wecom_kf.convert import part_id
from core.content import Address, Content, Text, plain_text
from core.ports import OutboundMessage, Receipt

log = logging.getLogger(__name__)

_MSGID_USED = "95033"
_MEDIA_EXPIRED = "40007"
_TYPE_FORBIDDEN = "95030"


class Sender:
    """Hands messages to WeCom. Our message id is its msgid, so a repeated send does nothing."""

    def __init__(
        self, client: WeComClient, media_ids: MediaIds, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._media_ids = media_ids
        self._now = now

    async def send(self, message: OutboundMessage) -> Receipt:
        """Send by the code while it lives, else the ordinary way. Raises ChannelError."""
        expires_at = message.code_expires_at
        code = message.event_code
        if code and (expires_at is None or self._now() < expires_at):
            try:
                return await self.send_by_code(
                    message.address, message.message_id, message.content, code=code
                )
            except RetryLater:
                raise
            except ChannelError as error:  # a code works once and dies early
                log.info(
                    "An event code was refused: %s", error.reason,
                    extra={"action": "wecom_kf.code_refused"},
                )  # fmt: skip
        return await self.send_plainly(message.address, message.message_id, message.content)

    async def send_plainly(self, address: Address, message_id: str, content: Content) -> Receipt:
        """Send with `send_msg`, in as many messages as the content needs."""
        pieces = [content] if is_ca_link(content) else fit(content, CAPABILITIES)
        return await self._send_pieces(address, message_id, pieces, first_part=0)

    async def send_by_code(
        self,
        address: Address,
        message_id: str,
        content: Content,
        *,
        code: str,
        allowed: Capabilities = WITH_CODE,
    ) -> Receipt:
        """Send with `send_msg_on_event`; what does not fit into its one message goes plainly."""
        first, *rest = fit(content, allowed)
        body: Body = {"code": code, "msgid": message_id, **compose(first)}
        vendor_id = await self._post("kf/send_msg_on_event", body)
        if not rest:
            return Receipt(vendor_id, {"by": "code"})
        receipt = await self._send_pieces(address, message_id, rest, first_part=1)
        return Receipt(vendor_id, {**receipt.facts, "by": "code"})

    async def _send_pieces(
        self, address: Address, message_id: str, pieces: list[Content], *, first_part: int
    ) -> Receipt:
        vendor_ids = [
            await self._send_piece(address, part_id(message_id, number), piece)
            for number, piece in enumerate(pieces, first_part)
        ]
        total = first_part + len(pieces)
        facts = {"parts": str(total)} if total > 1 else {}
        return Receipt(vendor_ids[0] if vendor_ids else None, facts)

    async def _send_piece(self, address: Address, msgid: str, piece: Content) -> str:
        try:
            return await self._try_piece(address, msgid, piece)
        except ChannelError as error:
            if error.vendor_code == _MEDIA_EXPIRED and await self._forget_media(piece):
                return await self._try_piece(address, msgid, piece)
            if error.vendor_code == _TYPE_FORBIDDEN and not isinstance(piece, Text):
                words: Content = Text(text=plain_text(piece))
                return await self._try_piece(address, msgid, fit(words, CAPABILITIES)[0])
            raise

    async def _try_piece(self, address: Address, msgid: str, piece: Content) -> str:
        attachment = attachment_of(piece)
        media_id = await self._media_ids.find(*attachment) if attachment else ""
        receiver: Body = {"touser": address.user, "open_kfid": address.account, "msgid": msgid}
        return await self._post("kf/send_msg", {**receiver, **compose(piece, media_id)})

    async def _forget_media(self, piece: Content) -> bool:
        attachment = attachment_of(piece)
        return attachment is not None and await self._media_ids.forget(*attachment)

    async def _post(self, path: str, body: Body) -> str:
        try:
            answer = await self._client.post(path, body)
        except ChannelError as error:
            if error.vendor_code == _MSGID_USED:  # an earlier try arrived; its answer did not
                return str(body["msgid"])
            raise
        return str(answer.get("msgid") or body["msgid"])
