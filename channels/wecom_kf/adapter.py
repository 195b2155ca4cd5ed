"""微信客服: the channel through which customers of WeChat reach us."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from aiohttp import web
from pydantic import ValidationError
from typing_extensions import override

from channels.base import (
    AccountInfo,
    Channel,
    CustomerProfile,
    Download,
    ServicerInfo,
    Services,
)
from channels.errors import ChannelError, Rejected
from channels.http import HttpClient
from channels.wecom.callback import (
    APP_PATH,
    KF_PATH,
    KF_PULL,
    CallbackEndpoint,
    KfSignal,
    callback_crypto,
)
from channels.wecom.client import WeComClient
from channels.wecom.config import WeComSettings
from channels.wecom.fields import Fields
from channels.wecom.media import MediaIds
from channels.wecom.tokens import Application
from channels.wecom_kf.accounts import Accounts
from channels.wecom_kf.compose import CAPABILITIES
from channels.wecom_kf.handover import Handover
from channels.wecom_kf.sender import Sender
from channels.wecom_kf.sync import Puller
from core.content import Media
from core.ports import HandoverCommand, OutboundItem, OutboundMessage, RecallCommand, Receipt

log = logging.getLogger(__name__)

_RETRY_LIST_S = 5.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class WeComKf(Channel):
    """All accounts of 微信客服 that one application manages."""

    name: ClassVar[str] = "wecom_kf"
    capabilities = CAPABILITIES

    def __init__(
        self,
        settings: WeComSettings,
        services: Services,
        *,
        http: HttpClient | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.capabilities = replace(CAPABILITIES, can_recall=settings.can_recall)
        self._settings = settings
        self._services = services
        self._http = http or HttpClient()
        secret = settings.kf_effective.secret.get_secret_value()
        application = Application(settings.api_root, settings.corp_id, secret)
        self.client = WeComClient.connect(
            self._http,
            application,
            cache=services.cache,
            lock=services.lock,
            rate_limit_wait_s=settings.rate_limit_wait_s,
        )
        self._media_ids = MediaIds(
            self.client, files=services.files, cache=services.cache, scope=settings.corp_id
        )
        self._sender = Sender(self.client, self._media_ids, now)
        self.manage = Accounts(self.client)
        self.handover = Handover(self.client, self._sender, services.cache)
        self._puller = Puller(
            self.client,
            intake=services.intake,
            lock=services.lock,
            cache=services.cache,
            fresh_s=settings.poll_interval_s,
        )
        self._known: tuple[str, ...] = ()
        #: By account: what was signalled before we ran, perhaps before anyone listened.
        self._early: dict[str, KfSignal] = {}
        self._list_again = asyncio.Event()

    # --- receiving -----------------------------------------------------------------------------

    @override
    async def run(self) -> None:
        """Pull at start, on every signal, and now and then; until cancelled.

        What the platform answers never ends it; a failing store does: start it again.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._puller.start(group)
                while self._early:
                    self._follow(self._early.popitem()[1])
                group.create_task(self._follow_signals())
                group.create_task(self._follow_accounts())
                group.create_task(self._poll())
        finally:
            self._puller.stop()

    @override
    def routes(self) -> Sequence[web.RouteDef]:
        """`GET|POST /callback/wecom/kf`, when Token and EncodingAESKey are set.

        Also `/callback/wecom/app` where no app of its own answers there.
        """
        credentials = self._settings.kf_effective
        if not credentials.has_callback:
            return ()
        crypto = callback_crypto(credentials, self._settings.corp_id)
        intake, cache = self._services.intake, self._services.cache
        paths = (KF_PATH,) if self._settings.has_app_callback else (KF_PATH, APP_PATH)
        ends = (CallbackEndpoint(one, crypto, intake, cache, self._on_signal) for one in paths)
        return [route for end in ends for route in end.routes]

    async def _on_signal(self, signal: KfSignal) -> None:
        """Here if this process receives, else where it is done; the poll is the net under both."""
        if self._puller.is_running:
            self._follow(signal)
        else:
            self._early[signal.account] = signal
            await self._services.wake.notify(KF_PULL, signal.model_dump_json())

    def _follow(self, signal: KfSignal) -> None:
        if signal.account:
            self._puller.request(signal.account, signal.token)
        else:
            self._list_again.set()

    async def _follow_signals(self) -> None:
        async with self._services.wake.listen(KF_PULL) as payloads:
            await self._follow_each(payloads)

    async def _follow_each(self, payloads: AsyncIterator[str]) -> None:
        async for payload in payloads:
            try:
                self._follow(KfSignal.model_validate_json(payload))
            except ValidationError:
                log.warning("An unreadable signal", extra={"action": "wecom_kf.signal_refused"})

    async def _follow_accounts(self) -> None:
        """Know the accounts; pull those that are new to us."""
        while True:
            pause_s = self._settings.accounts_interval_s
            try:
                found = tuple(a.account for a in await self.accounts() if a.is_manageable)
            except ChannelError as error:
                log.error(  # noqa: TRY400 - the platform's words say all
                    "Accounts cannot be read: %s", error.reason,
                    extra={"action": "wecom_kf.accounts_refused"},
                )  # fmt: skip
                pause_s = min(pause_s, max(error.retry_after_s or 0, _RETRY_LIST_S))
            else:
                for account in set(found) - set(self._known):
                    self._puller.request(account)
                self._known = found
            await self._wait_for_change(pause_s)

    async def _wait_for_change(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._list_again.wait()
        except TimeoutError:
            return
        self._list_again.clear()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._settings.poll_interval_s)
            await self._puller.request_stale(self._known)

    async def pull(self, account: str) -> int:
        """Pull one account now; how many updates were new. For tests and repair."""
        return await self._puller.pull(account)

    # --- sending -------------------------------------------------------------------------------

    @override
    async def send(self, item: OutboundItem) -> Receipt:
        match item:
            case OutboundMessage():
                return await self._sender.send(item)
            case HandoverCommand():
                return await self.handover.execute(item)
            case RecallCommand():
                return await self._recall(item)
            case _:
                raise Rejected("cards are for servicers, not for customers")

    async def _recall(self, command: RecallCommand) -> Receipt:
        """Documented for the stand-alone edition only, hence behind a setting."""
        if not self.capabilities.can_recall:
            raise Rejected("recalling is switched off (wecom.can_recall)")
        msgid = command.vendor_message_id or command.message_id
        body = {"msgid": msgid, "open_kfid": command.address.account}
        await self.client.post("kf/recall_msg", body)
        return Receipt(msgid)

    # --- knowing -------------------------------------------------------------------------------

    @override
    async def accounts(self) -> Sequence[AccountInfo]:
        return await self.manage.read()

    @override
    async def servicers(self, account: str) -> Sequence[ServicerInfo]:
        return await self.manage.servicers(account)

    @override
    async def profile(self, account: str, user: str) -> CustomerProfile | None:
        """Known for 48 hours after the customer entered or wrote."""
        body = {"external_userid_list": [user], "need_enter_session_context": 0}
        answer = Fields(await self.client.post("kf/customer/batchget", body))
        for row in answer.objects("customer_list"):
            if row.text("external_userid") == user:
                return CustomerProfile(
                    user=user,
                    nickname=row.text("nickname"),
                    avatar_url=row.text("avatar"),
                    gender=row.integer("gender"),
                    union_id=row.text("unionid"),
                )
        return None

    @override
    async def fetch(self, media: Media) -> bytes:
        return (await self.download(media)).data

    @override
    async def download(self, media: Media) -> Download:
        return await self._media_ids.download(media)

    @override
    async def close(self) -> None:
        await self._http.close()
