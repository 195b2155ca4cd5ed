"""Sends encrypted callbacks as the platform does: 5 s each, and up to three times again."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp

from channels.wecom.crypto import CallbackCrypto, CallbackError, Envelope, XmlValue, parse_xml
from channels.wecom.sandbox.faults import Faults
from channels.wecom.sandbox.state import AppState

log = logging.getLogger(__name__)

RETRIES = 3
_WORKERS = 32
_MAX_REPLY_BYTES = 1 << 20

OnReply = Callable[[dict[str, XmlValue]], None]


@dataclass(slots=True)
class CallbackCounts:
    made: int = 0
    delivered: int = 0
    retried: int = 0
    failed: int = 0
    lost: int = 0
    duplicated: int = 0


@dataclass(slots=True)
class CallbackTiming:
    timeout_s: float = 5.0
    retry_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One document for one app. on_reply: what to do with a passive reply."""

    app: AppState
    plain: str
    on_reply: OnReply | None = None


@dataclass(slots=True)
class Callbacks:
    """The platform's sending side. Nothing is kept across a restart, as nothing is guaranteed."""

    corp_id: str
    faults: Faults
    clock: Callable[[], float]
    timing: CallbackTiming = field(default_factory=CallbackTiming)
    counts: CallbackCounts = field(default_factory=CallbackCounts)
    _queue: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue)
    _open: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, app: AppState, plain: str, on_reply: OnReply | None = None) -> None:
        if app.url is None:
            return
        self.counts.made += 1
        if self.faults.hit("callback_lost"):
            self.counts.lost += 1
            return
        copies = 1
        if self.faults.hit("callback_duplicate"):
            self.counts.duplicated += 1
            copies = 2
        for _ in range(copies):
            self._open += 1
            self._idle.clear()
            self._queue.put_nowait(Delivery(app, plain, on_reply))

    async def idle(self) -> None:
        """Wait until nothing is queued or under way."""
        while self._open:
            await self._idle.wait()

    async def run(self) -> None:
        """Deliver until cancelled."""
        timeout = aiohttp.ClientTimeout(total=None)
        async with (
            aiohttp.ClientSession(
                timeout=timeout, connector=aiohttp.TCPConnector(limit=_WORKERS)
            ) as http,
            asyncio.TaskGroup() as workers,
        ):
            for _ in range(_WORKERS):
                workers.create_task(self._work(http))

    async def check_url(self, app: AppState) -> tuple[bool, int, str]:
        """What the admin console does when a callback URL is saved: is it ok, status, reason."""
        if app.url is None:
            return False, 0, "没有设置回调地址"
        secret = str(secrets.randbelow(10**19))
        packet = self._seal(app, secret)
        query = _query(packet) | {"echostr": packet.encrypt}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
                http.get(_address(app.url, query)) as answer,
            ):
                body = await answer.content.read(_MAX_REPLY_BYTES)
        except (aiohttp.ClientError, TimeoutError) as error:
            return False, 0, f"连接失败：{type(error).__name__}"
        if answer.status != 200:
            return False, answer.status, "返回码不是 200"
        if body != secret.encode():
            return False, answer.status, "返回内容与明文不一致"
        return True, answer.status, ""

    async def _work(self, http: aiohttp.ClientSession) -> None:
        while True:
            delivery = await self._queue.get()
            delay = self.faults.hit("callback_delay")
            if delay is not None:
                await asyncio.sleep(delay.seconds)
            await self._deliver(http, delivery)
            self._open -= 1
            if self._open == 0:
                self._idle.set()

    async def _deliver(self, http: aiohttp.ClientSession, delivery: Delivery) -> None:
        packet = self._seal(delivery.app, delivery.plain)
        for attempt in range(RETRIES + 1):
            if attempt:
                self.counts.retried += 1
                await asyncio.sleep(self.timing.retry_s)
            reply = await self._post(http, delivery.app, packet)
            if reply is not None:
                self.counts.delivered += 1
                self._take_reply(delivery, reply)
                return
        self.counts.failed += 1
        log.warning("A callback was given up.", extra={"action": "sandbox.callback_failed"})

    async def _post(
        self, http: aiohttp.ClientSession, app: AppState, packet: Envelope
    ) -> bytes | None:
        """The body of a 200, or None where the platform would try again."""
        if app.url is None:
            return b""
        body = (
            f"<xml><ToUserName><![CDATA[{self.corp_id}]]></ToUserName>"
            f"<AgentID><![CDATA[{app.agent_id}]]></AgentID>"
            f"<Encrypt><![CDATA[{packet.encrypt}]]></Encrypt></xml>"
        )
        try:
            async with http.post(
                _address(app.url, _query(packet)),
                data=body.encode(),
                headers={"Content-Type": "text/xml"},
                timeout=aiohttp.ClientTimeout(total=self.timing.timeout_s),
            ) as answer:
                if answer.status != 200:
                    return None
                return await answer.content.read(_MAX_REPLY_BYTES)
        except (aiohttp.ClientError, TimeoutError):
            return None

    def _seal(self, app: AppState, plain: str) -> Envelope:
        crypto = CallbackCrypto(app.token, app.aes_key, self.corp_id)
        return crypto.encrypt(plain, timestamp=int(self.clock()), nonce=secrets.token_hex(5))

    def _take_reply(self, delivery: Delivery, reply: bytes) -> None:
        if delivery.on_reply is None or reply.strip() in (b"", b"success"):
            return
        crypto = CallbackCrypto(delivery.app.token, delivery.app.aes_key, self.corp_id)
        try:
            envelope = parse_xml(reply.decode("utf-8", "replace"))
            plain = crypto.decrypt_post(
                str(envelope.get("MsgSignature", "")),
                str(envelope.get("TimeStamp", "")),
                str(envelope.get("Nonce", "")),
                reply,
            )
            delivery.on_reply(parse_xml(plain))
        except CallbackError as error:
            log.warning("A passive reply was refused: %s", error)


def _query(packet: Envelope) -> dict[str, str]:
    return {
        "msg_signature": packet.signature,
        "timestamp": packet.timestamp,
        "nonce": packet.nonce,
    }


def _address(url: str, query: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def xml_document(fields: dict[str, object]) -> str:
    """An unencrypted callback document. Integers bare, text in CDATA, dicts and lists nested."""
    return f"<xml>{_nodes(fields)}</xml>"


def _nodes(fields: dict[str, object]) -> str:
    parts: list[str] = []
    for name, value in fields.items():
        values = value if isinstance(value, list) else [value]
        parts.extend(f"<{name}>{_node(item)}</{name}>" for item in values)
    return "".join(parts)


def _node(value: object) -> str:
    if isinstance(value, dict):
        return _nodes(value)
    if isinstance(value, int | float):
        return str(value)
    text = str(value).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{text}]]>"
