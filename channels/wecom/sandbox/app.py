"""The sandbox as an aiohttp application, alone or inside another one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from aiohttp import web

from channels.wecom.sandbox import media, phone_customers, phone_servicers
from channels.wecom.sandbox.phone_control import Control
from channels.wecom.sandbox.phone_requests import refuse_in_words
from channels.wecom.sandbox.phone_socket import Sockets
from channels.wecom.sandbox.routes import make_platform_app
from channels.wecom.sandbox.seed import SandboxSeed
from channels.wecom.sandbox.store import Store
from channels.wecom.sandbox.tokens import Tokens
from channels.wecom.sandbox.world import World

_SAVE_EVERY_S: Final = 1.0
_SWEEP_EVERY_S: Final = 60.0


def make_sandbox_app(
    seed: SandboxSeed,
    clock: Callable[[], float] = time.time,
    store_path: Path | str | None = None,
) -> web.Application:
    """A local WeCom: `/cgi-bin/…` for programs, `/phone/api/…` for people."""
    app = web.Application()
    mount_sandbox(app, seed, clock=clock, store_path=store_path)
    return app


def mount_sandbox(
    app: web.Application,
    seed: SandboxSeed,
    *,
    clock: Callable[[], float] = time.time,
    store_path: Path | str | None = None,
    prefix: str = "",
) -> World:
    """Add the two trees to an application; they live and stop with it."""
    store = Store(Path(store_path)) if store_path is not None else None
    loaded = store.load() if store is not None else None
    world = World(seed, clock, loaded[0] if loaded else None)
    if loaded:
        world.media_bytes = loaded[1]
        _point_callbacks(world)
    tokens, sockets = Tokens(world), Sockets(world)
    phone = web.Application(middlewares=[refuse_in_words])
    phone.add_routes(phone_customers.routes(world))
    phone.add_routes(phone_servicers.routes(world))
    phone.add_routes(Control(world, tokens).routes())
    phone.router.add_get("/ws", sockets.serve)
    phone.on_shutdown.append(lambda _app: sockets.close())
    phone.cleanup_ctx.append(lambda _app: _life(world, store))
    app.add_subapp(f"{prefix}/cgi-bin", make_platform_app(world, tokens))
    app.add_subapp(f"{prefix}/phone/api", phone)
    return world


def _point_callbacks(world: World) -> None:
    """A restarted demo may listen elsewhere: the seed's URLs win over the stored ones."""
    for seed in world.seed.apps:
        if seed.callback.url is not None and seed.agent_id in world.state.apps:
            world.state.apps[seed.agent_id].url = seed.callback.url


async def _life(world: World, store: Store | None) -> AsyncIterator[None]:
    jobs = asyncio.ensure_future(_work(world, store))
    try:
        yield
    finally:
        jobs.cancel()
        with suppress(asyncio.CancelledError):
            await jobs
        if store is not None:
            await asyncio.to_thread(store.write, store.snapshot(world))


async def _work(world: World, store: Store | None) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(world.callbacks.run())
        group.create_task(_sweep(world))
        if store is not None:
            group.create_task(_keep_saved(world, store))


async def _keep_saved(world: World, store: Store) -> None:
    saved = world.changes
    while True:
        await asyncio.sleep(_SAVE_EVERY_S)
        if world.changes == saved:
            continue
        saved = world.changes
        await asyncio.to_thread(store.write, store.snapshot(world))


async def _sweep(world: World) -> None:
    """Forget what has run out, so that a long run does not grow for ever."""
    while True:
        await asyncio.sleep(_SWEEP_EVERY_S)
        now = world.now()
        media.forget_old(world)
        events, cards = world.state.event_codes, world.state.card_codes
        for code in [code for code, known in events.items() if known.expires_at < now]:
            del events[code]
        for code in [code for code, known in cards.items() if known.expires_at < now]:
            del cards[code]
