"""An installation with the demo's people and a sandbox, made in a tenth of a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import text

from bot import demo
from bot.app import App, build, listening
from bot.config import HttpSettings, Settings
from channels.wecom.sandbox import demo_seed as seed
from channels.wecom.sandbox.client import Sandbox, running_sandbox
from channels.wecom.sandbox.seed import SandboxSeed
from core.actor import Actor
from core.clock import SystemClock
from core.db import UnitOfWork, make_engine
from core.migrate import head
from core.servicers.service import create as create_servicer
from core.users.service import NewUser
from core.users.service import create as create_user

SECRETS = (seed.APP_SECRET, seed.CALLBACK_TOKEN, seed.CALLBACK_AES_KEY)
PASSWORD = "Correct-horse-7"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
KEY = "q8Zt-5vNf2LrXw7yKd0MbGc3HjPs9TeU"


def settings_for(database_url: str, folder: Path, **more: Any) -> Settings:
    given = Settings(data_dir=folder, database_url=database_url, secret_key=KEY, **more)
    return demo.demo_settings(given)


def wecom(settings: Settings, **changes: Any) -> Settings:
    return settings.model_copy(update={"wecom": settings.wecom.model_copy(update=changes)})


def app(settings: Settings, **changes: Any) -> Settings:
    """Other credentials of the self-built app."""
    known = {
        name: getattr(settings.wecom.app, name).get_secret_value()
        for name in ("secret", "token", "aes_key")
    }
    made = type(settings.wecom.app).model_validate(
        {"agent_id": settings.wecom.app.agent_id, **known, **changes}
    )
    return wecom(settings, app=made)


async def stamp(database_url: str) -> None:
    """The tables were made from the models: say so, as a migration would."""
    engine = make_engine(database_url).execution_options(wenqu_write=True)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        values = {"head": head()}
        await connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), values)
    await engine.dispose()


@asynccontextmanager
async def installation(
    database_url: str, folder: Path, company_seed: SandboxSeed | None = None
) -> AsyncIterator[tuple[Settings, Sandbox]]:
    """A database with the demo's people, and a sandbox; the product does not run."""
    await stamp(database_url)
    uow = UnitOfWork(make_engine(database_url), SystemClock())
    async with uow.write() as tx:
        for number, (username, name, role, userid) in enumerate(demo._PEOPLE):
            new = NewUser(username, name, HASH, role)
            user = await create_user(tx, new, by=Actor.system("test"))
            await create_servicer(
                tx, user_id=user.id, name=name, capacity=number + 1, wecom_userid=userid,
                by=Actor.system("test"),
            )  # fmt: skip
    await uow.close()
    async with running_sandbox(company_seed or seed.demo_seed(None)) as sandbox:
        settings = settings_for(database_url, folder)
        yield wecom(settings, api_base=sandbox.base_url), sandbox


@asynccontextmanager
async def product(settings: Settings) -> AsyncIterator[tuple[App, str]]:
    """The product at work, and its base URL."""
    settings = settings.model_copy(update={"http": HttpSettings(port=0)})
    async with build(settings) as running:
        await running.prepare()
        async with listening(running) as base:
            work = asyncio.create_task(running.work())
            try:
                yield running, base
            finally:
                work.cancel()
                with suppress(asyncio.CancelledError):
                    await work
