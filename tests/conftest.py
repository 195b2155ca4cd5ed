"""Fixtures for everyone: a clock moved by hand, both databases, a Redis, a browser."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import hypothesis
import pytest
import redis
from sqlalchemy.engine import make_url

from bot.migrate import metadata
from core.clock import ManualClock
from core.db import UnitOfWork, make_engine
from tests import services
from tests.waiting import PATIENCE_S

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

hypothesis.settings.register_profile(
    "wenqu", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("wenqu")


def pytest_configure(config: pytest.Config) -> None:
    for name in [name for name in os.environ if name.startswith("WENQU_")]:
        if not name.startswith("WENQU_TEST_"):
            del os.environ[name]  # a developer's settings are none of the tests' business
    is_worker = hasattr(config, "workerinput")
    if is_worker or config.getoption("dist", "no") == "no" or config.option.collectonly:
        return
    # xdist: the controller owns the servers, its workers inherit where they are.
    for variable, start in (
        (services.DATABASE_VARIABLE, services.postgres),
        (services.REDIS_VARIABLE, services.valkey),
    ):
        service = start()
        os.environ[variable] = service.url
        config.add_cleanup(service.stop)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run outside the loop of a test, without touching that loop."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


async def _create_tables(url: str) -> None:
    engine = make_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata().create_all)
    await engine.dispose()


async def _administer(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _database(server_url: str, name: str) -> str:
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def clock() -> ManualClock:
    """Monday 2 March 2026, 10:00 in Shanghai, until the test moves it."""
    return ManualClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The maintenance database of a PostgreSQL server."""
    service = services.postgres()
    yield service.url
    service.stop()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    service = services.valkey()
    yield service.url
    service.stop()


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: str) -> Iterator[str]:
    """A database with all tables; copying it takes 20 ms, making it 400."""
    name = f"wenqu_template_{uuid4().hex}"
    _run(_administer(postgres_server, f"CREATE DATABASE {name}"))
    _run(_create_tables(_database(postgres_server, name)))
    yield name
    _run(_administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _run(_create_tables(f"sqlite:///{path}"))
    return path


@contextmanager
def _own_database(server_url: str, template: str) -> Iterator[str]:
    name = f"wenqu_test_{uuid4().hex}"
    copy = f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"
    _run(_administer(server_url, copy))
    yield _database(server_url, name)
    _run(_administer(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def postgres_url(postgres_server: str, _postgres_template: str) -> Iterator[str]:
    """A PostgreSQL database of this test alone, all tables made and empty."""
    with _own_database(postgres_server, _postgres_template) as url:
        yield url


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite database of this test alone, all tables made and empty."""
    path = tmp_path / "wenqu.db"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs once on each database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table, for migrations."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/bare.db"
        return
    with _own_database(request.getfixturevalue("postgres_server"), "template0") as url:
        yield url


@pytest.fixture
def bare_postgres_url(postgres_server: str) -> Iterator[str]:
    """A PostgreSQL database without any table."""
    with _own_database(postgres_server, "template0") as url:
        yield url


@pytest.fixture
async def uow(database_url: str, clock: ManualClock) -> AsyncIterator[UnitOfWork]:
    """Transactions on an empty database; its clock is the fixture `clock`."""
    unit_of_work = UnitOfWork(make_engine(database_url), clock)
    yield unit_of_work
    await unit_of_work.close()


@pytest.fixture
def redis_url(redis_server: str, worker_id: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An emptied Redis database that no other xdist worker uses; it may be slow to answer."""
    monkeypatch.setattr("core.shared._TIMEOUT_S", PATIENCE_S)
    number = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
    url = f"{redis_server}/{number}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser for tests marked `browser`; its absence is an error in CI only."""
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        message = "no Chromium: `make test` installs it on Debian, as root or through sudo"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found
