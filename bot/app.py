"""Composition root: builds every object, lists listeners and jobs by name, runs and shuts down."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final, Literal, cast

from aiohttp import web

from admin_api.app import make_app
from admin_api.config import ApiConfig
from admin_api.services import Diagnose, Links
from admin_api.services import Services as ApiServices
from admin_api.socket.hub import SocketHub
from bot import handlers
from bot.channels import Channels
from bot.config import Settings
from bot.context import Tools
from bot.desk.listener import announcer
from bot.desk.menu import MENU
from bot.dispatcher import Dispatcher
from bot.doctor import diagnose
from bot.doctor.subject import Subject
from bot.embedding import post_json
from bot.feeds import live_feeds
from bot.jobs import directory, learning, recurring
from bot.jobs.kinds import jobs_by_timer
from bot.jobs.media import ChannelDownloads
from bot.jobs.oa import ensure as ensure_oa
from bot.jobs.recurring import Recurring
from bot.jobs.rounds import rounds as standing_rounds
from bot.loading import load
from bot.middlewares.throttle import throttle
from bot.middlewares.timing import timing
from bot.pictures.reader import PictureReader, is_installed
from bot.readiness import Readiness
from bot.secrets import key_ring
from bot.sms import make_sms
from bot.storage import open_blobs
from bot.ticket_news import ticket_news
from channels.base import Channel
from channels.base import Services as ChannelServices
from channels.http import HttpClient
from channels.oa.source import HttpOa
from channels.registry import build_channels
from channels.wecom_app.adapter import WeComApp
from channels.wecom_app.menu import MenuButton
from channels.wecom_kf.adapter import WeComKf
from core import lanes
from core.attachments.service import AttachmentStore
from core.bus import EventBus, Listener
from core.clock import SystemClock
from core.db import SettingsReader, UnitOfWork, make_engine
from core.diagnosis import Diagnosis
from core.inbox import DatabaseIntake
from core.local import SmallPorts, in_process
from core.registration.sms import SmsSender
from core.sealing import KeyRing
from core.sender import OutboxSender
from core.settings.live import LiveSettings
from core.settings.sections import Bot
from core.shared import over_redis
from core.tickets.deadlines import timer_batches
from core.timers.runner import TimerRunner
from core.timers.service import free_all as free_timers
from core.views import AccountView
from knowledge.answerer import Answerer
from knowledge.config import make_embedder
from knowledge.drafting import ChatModel
from knowledge.embedder import Embedder

log = logging.getLogger(__name__)

Role = Literal["all", "web", "worker"]
#: Longer than this nobody is kept waiting for the index of a first start.
_INDEX_PATIENCE_S: Final = 30
MENU_JOB: Final = "desk.menu"
#: How long requests under way may take when the process stops.
_LAST_REQUESTS_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class App:
    """Everything that one process has built and may run."""

    settings: Settings
    role: Role
    uow: UnitOfWork
    live: LiveSettings
    ports: SmallPorts
    files: AttachmentStore
    answerer: Answerer
    channels: Channels
    api: web.Application
    bus: EventBus
    dispatcher: Dispatcher
    sender: OutboxSender
    timers: TimerRunner
    recurring: Mapping[str, Recurring]
    readiness: Readiness

    @property
    def is_worker(self) -> bool:
        return self.role in {"all", "worker"}

    async def prepare(self) -> None:
        """Load what must be there before the first request."""
        await self.live.load()
        if self.role == "all" and not self.settings.redis_url:
            async with self.uow.write() as tx:  # alone: what a killed predecessor held is free
                await lanes.free_all(tx)
                await free_timers(tx)
        await self.bus.start()

    async def work(self) -> None:
        """Everything that runs for ever; until cancelled."""
        async with asyncio.TaskGroup() as group:
            ready = self.readiness
            ready.runs(group.create_task(self.bus.run(), name="bus"))
            group.create_task(self.uow.tend(), name="database")
            answers = group.create_task(load(self.answerer), name="answers")
            ready.loads(answers)
            follow = _keep_running("answers", self.answerer.follow)
            ready.runs(group.create_task(follow, name="news"))
            if not self.is_worker:
                return
            await recurring.ensure(self.uow, self.recurring)
            if self.settings.oa.url:
                await ensure_oa(self.uow)
            if MENU_JOB in self.recurring:
                await recurring.run_soon(self.uow, MENU_JOB)
            await directory.sync_directory(self.uow, self.channels)
            # An empty index knows nothing: questions wait in the inbox until it is there.
            await asyncio.wait({answers}, timeout=_INDEX_PATIENCE_S)
            group.create_task(self.answerer.warm_up(), name="model")
            loops = {
                "dispatcher": self.dispatcher.run(),
                "sender": self.sender.run(),
                "timers": self.timers.run(),
            } | {f"channel:{one.name}": _keep_running(one.name, one.run) for one in self.channels}
            for name, loop in loops.items():
                ready.runs(group.create_task(loop, name=name))


async def _keep_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """A loop whose store failed is started again; what a platform says never ends it."""
    while True:
        try:
            await run()
        except Exception:  # the loop must live on
            log.exception("A loop stopped.", extra={"action": "loop.failed", "loop": name})
        await asyncio.sleep(1)


@asynccontextmanager
async def build(
    settings: Settings, role: Role = "all", *, is_demo: bool = False
) -> AsyncIterator[App]:
    """Build the process's objects, and take them down in the reverse order."""
    async with AsyncExitStack() as stack:
        uow = UnitOfWork(make_engine(settings.database), SystemClock())
        stack.push_async_callback(uow.close)
        ports = await _ports(settings, stack)
        uow.wake_up = ports.wake_up
        live = LiveSettings(uow)
        uow.settings = cast("SettingsReader", live)
        blobs = await stack.enter_async_context(open_blobs(settings, uow.clock))
        files = AttachmentStore(uow, blobs, live)
        channels = Channels(make_channels(settings, uow, ports, files))
        for channel in channels:
            stack.push_async_callback(channel.close)
        embedder = make_embedder(settings.embedder, uow, post_json, settings.data_dir / "models")
        answerer = Answerer(uow, embedder, overrides=_overrides(live))
        stack.push_async_callback(answerer.close)
        hub = SocketHub()
        http = HttpClient()
        stack.push_async_callback(http.close)
        keyring, sms = key_ring(settings), make_sms(settings.sms, http)
        readiness = Readiness(settings.redis_url)
        parts = _Parts(uow, live, ports, files, answerer, channels, keyring, sms)
        services = _api_services(settings, parts, hub, readiness, is_demo=is_demo)
        diagnose = _diagnosis(settings, uow, embedder, stack)
        api = make_app(replace(services, diagnose=diagnose))
        for channel in channels:
            api.router.add_routes(channel.routes())
        downloads = ChannelDownloads(channels, files)
        tools = Tools(
            uow,
            live,
            answerer,
            ports.rate_limiter,
            downloads,
            keyring,
            sms,
            {channel.name: directory.limits_of(channel) for channel in channels},
            settings.public_url,
            PictureReader() if is_installed() else None,
        )
        rounds = (
            standing_rounds(uow, channels, files)
            | learning.rounds(uow, embedder, answerer)
            | _desk_rounds(channels)
        )
        jobs = jobs_by_timer(tools, channels, files, rounds, HttpOa(http, settings.oa))
        worker = f"{socket.gethostname()[:20]}:{os.getpid()}"
        yield App(
            settings=settings,
            role=role,
            uow=uow,
            live=live,
            ports=ports,
            files=files,
            answerer=answerer,
            channels=channels,
            api=api,
            bus=EventBus(
                uow,
                ports.wake_up,
                feeds=live_feeds(uow, live, answerer, hub, is_worker=role != "web"),
                listeners=_listeners(settings, keyring) if role != "web" else (),
            ),
            dispatcher=Dispatcher(
                tools,
                handlers.root(),
                ports.wake_up,
                worker=worker,
                middlewares=(timing, throttle),
            ),
            sender=OutboxSender(uow, channels, ports.wake_up, worker=worker),
            timers=TimerRunner(uow, jobs, ports.wake_up, timer_batches(uow)),
            recurring=rounds,
            readiness=readiness,
        )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What most of the process is built from."""

    uow: UnitOfWork
    live: LiveSettings
    ports: SmallPorts
    files: AttachmentStore
    answerer: Answerer
    channels: Channels
    keyring: KeyRing
    sms: SmsSender


def _api_services(
    settings: Settings, parts: _Parts, hub: SocketHub, readiness: Readiness, *, is_demo: bool
) -> ApiServices:
    return ApiServices(
        uow=parts.uow,
        settings=parts.live,
        files=parts.files,
        limiter=parts.ports.rate_limiter,
        cache=parts.ports.key_value,
        keyring=parts.keyring,
        sms=parts.sms,
        hub=hub,
        config=ApiConfig(
            is_demo=is_demo,
            public_url=settings.public_url,
            trusted_proxies=settings.http.trusted_proxies,
        ),
        channels=tuple(channel.name for channel in parts.channels),
        knowledge=parts.answerer,
        readiness=readiness,
        writer=ChatModel(post_json, settings.llm) if settings.llm.is_on else None,
        links=_links(parts.channels),
        has_oa=bool(settings.oa.url),
    )


def _links(channels: Channels) -> Links:
    async def link(account: AccountView, scene: str, scene_param: str) -> str | None:
        for channel in channels:
            if isinstance(channel, WeComKf) and channel.name == account.channel:
                return await channel.manage.link(account.account, scene, scene_param)
        return None

    return link


def _diagnosis(
    settings: Settings, uow: UnitOfWork, embedder: Embedder, stack: AsyncExitStack
) -> Diagnose:
    """One examination at a time, with connections of its own."""
    http = HttpClient(timeout_s=8)
    stack.push_async_callback(http.close)
    subject = Subject(settings, uow, in_process(), http, embedder.query)
    turn = asyncio.Lock()

    async def examine() -> Diagnosis:
        async with turn:
            return await diagnose(subject)

    return examine


async def _ports(settings: Settings, stack: AsyncExitStack) -> SmallPorts:
    if settings.redis_url:
        return await stack.enter_async_context(over_redis(settings.redis_url))
    return in_process()


def make_channels(
    settings: Settings, uow: UnitOfWork, ports: SmallPorts, files: AttachmentStore
) -> Sequence[Channel]:
    """The channels that are configured."""
    services = ChannelServices(
        intake=DatabaseIntake(uow),
        files=files,
        cache=ports.key_value,
        lock=ports.locks,
        wake=ports.wake_up,
    )
    return list(build_channels(settings.channels, services).values())


def _overrides(live: LiveSettings) -> Callable[[], tuple[float | None, float | None]]:
    def read() -> tuple[float | None, float | None]:
        words = live.get(Bot)
        return words.answer_threshold, words.menu_threshold

    return read


def _desk_rounds(channels: Channels) -> dict[str, Recurring]:
    """Servicers find the commands of their desk in the app's own menu."""
    buttons = [
        MenuButton(name, children=tuple(MenuButton(one.label, one.key) for one in lines))
        for name, lines in MENU.items()
    ]
    found = [channel for channel in channels if isinstance(channel, WeComApp)]
    work = partial(found[0].create_menu, buttons) if found else None
    return {MENU_JOB: Recurring(timedelta(days=1), work)} if work else {}


def _listeners(settings: Settings, keys: KeyRing) -> Sequence[Listener]:
    """Who hears of every event once, whatever crashes."""
    news = ticket_news(keys, settings.public_url)
    if not settings.wecom.has_app:
        return (news,)
    return (announcer(str(settings.wecom.app.agent_id)), news)


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[str]:
    """The HTTP server; yields its base URL."""
    runner = web.AppRunner(
        app.api, access_log=None, handle_signals=False, shutdown_timeout=_LAST_REQUESTS_S
    )
    await runner.setup()
    site = web.TCPSite(runner, app.settings.http.host, app.settings.http.port)
    await site.start()
    try:
        yield site.name
    finally:
        await runner.cleanup()


async def run(settings: Settings, role: Role) -> None:
    """Run a process until it is told to stop."""
    async with build(settings, role) as app:
        await app.prepare()
        async with AsyncExitStack() as stack:
            if role != "worker":
                url = await stack.enter_async_context(listening(app))
                log.info("The server listens.", extra={"action": "http.listening", "url": url})
            await app.work()
