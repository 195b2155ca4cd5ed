"""`wenqu backup` and `wenqu restore`: into the other database, and never half."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, insert, select, text

from bot import demo
from bot.backup import BackupError, backup, restore, rows
from bot.backup.installation import put_back, save
from bot.config import Settings
from bot.migrate import metadata, migrate
from core.actor import Actor
from core.attachments.blobs import LocalBlobs
from core.attachments.service import AttachmentStore
from core.audit.queries import verify
from core.clock import SystemClock
from core.db import UnitOfWork, make_engine
from core.migrate import current, head
from core.settings.live import LiveSettings
from core.users.service import NewUser
from core.users.service import create as create_user
from core.views import Role
from tests.bot.processes import wenqu

KEY = "q8Zt-5vNf2LrXw7yKd0MbGc3HjPs9TeU"


@pytest.fixture
def urls(bare_postgres_url: str, tmp_path: Path) -> dict[str, str]:
    return {"sqlite": f"sqlite:///{tmp_path}/a.db", "postgresql": bare_postgres_url}


async def fill(url: str, folder: Path, *, name: str = "wufang") -> str:
    """Rows of several kinds, and a file. Returns the attachment's id."""
    await migrate(url)
    uow = UnitOfWork(make_engine(url), SystemClock())
    async with uow.write() as tx:
        new = NewUser(name, "吴芳😀", "$argon2id$none", Role.ADMIN)
        await create_user(tx, new, by=Actor.system("test"))
        made = {"model": "m", "key": "k" * 40, "vector": bytes(range(256))}
        await tx.db.execute(insert(metadata().tables["article_vectors"]), [made])
    store = AttachmentStore(uow, LocalBlobs(folder), LiveSettings(uow))
    kept = await store.store("第一行\n第二行".encode(), name="说明.txt")
    await uow.close()
    return kept


async def found_company(url: str) -> None:
    """The demo company: some of everything."""
    await migrate(url)
    uow = UnitOfWork(make_engine(url), SystemClock())
    await demo.load(uow)
    await uow.close()


def leftovers(folder: Path) -> list[Path]:
    return list(folder.glob("*.partial")) + list(folder.glob(".*.partial"))


async def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, comparable between databases."""
    engine = make_engine(url)
    found: dict[str, list[dict[str, Any]]] = {}
    async with engine.connect() as connection:
        for table in (await rows.shape(connection)).tables:
            lines = [json.loads(line) async for line in rows.read(connection, table)]
            found[table.name] = sorted(lines, key=lambda line: json.dumps(line, sort_keys=True))
    await engine.dispose()
    return found


@pytest.mark.parametrize(
    ("source", "target"), [("sqlite", "postgresql"), ("postgresql", "sqlite")]
)
async def test_a_backup_of_one_database_restores_into_the_other(
    urls: dict[str, str], source: str, target: str, tmp_path: Path
) -> None:
    there, here = LocalBlobs(tmp_path / "there"), LocalBlobs(tmp_path / "here")
    await found_company(urls[source])
    key = await fill(urls[source], tmp_path / "there", name="tester")
    made = await backup(urls[source], there, tmp_path / "b.zip")
    assert (made.revision, made.dialect, made.attachments) == (head(), source, 1)

    await restore(urls[target], here, tmp_path / "b.zip")
    before, after = await contents(urls[source]), await contents(urls[target])
    busy = {"users", "articles", "customers", "identities", "event_log", "article_vectors"}
    assert {name for name in busy if not before[name]} == set()
    assert after == before
    assert await here.get(key) == await there.get(key)
    assert await current(urls[target]) == head()
    assert leftovers(tmp_path) == []

    # Life goes on: numbers follow the largest that was restored.
    uow = UnitOfWork(make_engine(urls[target]), SystemClock())
    async with uow.write() as tx:
        new = NewUser("newcomer", "李军", "$argon2id$none", Role.SERVICER)
        await create_user(tx, new, by=Actor.system("test"))
    async with uow.read() as tx:
        assert (await verify(tx)).is_intact
        numbers = list(await tx.db.scalars(text("SELECT id FROM event_log ORDER BY id")))
    await uow.close()
    assert len(numbers) == len(before["event_log"]) + 1
    assert numbers[-1] > max(row["id"] for row in before["event_log"])


async def test_rows_may_point_at_rows_that_come_later(
    urls: dict[str, str], tmp_path: Path
) -> None:
    """Neither the order of the file nor a cycle stands in the way, and references hold again."""
    for url in urls.values():
        engine = make_engine(url).execution_options(wenqu_write=True)
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "CREATE TABLE tree (id INTEGER PRIMARY KEY, above INTEGER,"
                    " CONSTRAINT fk_tree FOREIGN KEY (above) REFERENCES tree (id))"
                )
            )
        async with engine.begin() as connection:
            shape = await rows.shape(connection)
            lines: list[dict[str, Any]] = [
                {"id": 1, "above": 2},
                {"id": 2, "above": None},
                {"id": 3, "above": 1},
            ]
            if connection.dialect.name == "sqlite":
                await connection.execute(text("PRAGMA defer_foreign_keys=ON"))
            await rows.defer(connection, shape, is_deferred=True)
            assert await rows.write(connection, shape.tables[0], lines) == 3
            await rows.defer(connection, shape, is_deferred=False)
        async with engine.connect() as connection:
            tree = MetaData()
            await connection.run_sync(tree.reflect)
            assert len((await connection.execute(select(tree.tables["tree"]))).all()) == 3
        await engine.dispose()


def flip(archive: Path) -> None:
    """A changed byte inside an entry, with the zip's own checksum made to fit."""
    rewrite(archive, lambda name, data: data.replace(b"wufang", b"wufanh"))


def truncate(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-200])


def lose(archive: Path) -> None:
    rewrite(archive, lambda name, data: None if name == "tables/users.jsonl" else data)


def garbage(archive: Path) -> None:
    archive.write_bytes(b"not a zip at all")


def damage(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    middle = data.index(b"tables/users.jsonl") + 60
    data[middle : middle + 20] = bytes(20)
    archive.write_bytes(bytes(data))


def newer(archive: Path) -> None:
    rewrite(
        archive,
        lambda name, data: (
            data.replace(f'"revision": "{head()}"'.encode(), b'"revision": "9999"').replace(
                f'"revision":"{head()}"'.encode(), b'"revision":"9999"'
            )
            if name == "manifest.json"
            else data
        ),
    )


def rewrite(archive: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    with zipfile.ZipFile(archive) as old:
        kept = {name: change(name, old.read(name)) for name in old.namelist()}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in kept.items():
            if data is not None:
                new.writestr(name, data)


@pytest.mark.parametrize(
    ("target", "harm"),
    [
        *(("sqlite", harm) for harm in (flip, truncate, lose, garbage, damage, newer)),
        ("postgresql", flip),
    ],
)
async def test_a_harmed_archive_changes_nothing(
    urls: dict[str, str], target: str, harm: Callable[[Path], None], tmp_path: Path
) -> None:
    source = f"sqlite:///{tmp_path}/source.db"
    await fill(source, tmp_path / "blobs")
    archive = tmp_path / "b.zip"
    await backup(source, LocalBlobs(tmp_path / "blobs"), archive)
    await fill(urls[target], tmp_path / "other", name="chenjing")
    before = await contents(urls[target])

    whole = archive.read_bytes()
    harm(archive)
    assert archive.read_bytes() != whole
    with pytest.raises(BackupError):
        await restore(urls[target], LocalBlobs(tmp_path / "other"), archive, is_forced=True)
    assert await contents(urls[target]) == before

    archive.write_bytes(whole)
    await restore(urls[target], LocalBlobs(tmp_path / "other"), archive, is_forced=True)
    assert [row["username"] for row in (await contents(urls[target]))["users"]] == ["wufang"]


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
async def test_what_is_there_is_not_overwritten_without_force(
    urls: dict[str, str], target: str, tmp_path: Path
) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    await fill(urls[target], tmp_path / "blobs")
    await backup(urls[target], blobs, tmp_path / "b.zip")
    before = await contents(urls[target])
    with pytest.raises(BackupError, match="--force"):
        await restore(urls[target], blobs, tmp_path / "b.zip")
    assert await contents(urls[target]) == before
    await restore(urls[target], blobs, tmp_path / "b.zip", is_forced=True)
    assert await contents(urls[target]) == before


async def test_the_secret_travels_only_when_asked_and_never_replaces_another(
    tmp_path: Path,
) -> None:
    old = Settings(data_dir=tmp_path / "old", secret_key=KEY)
    (tmp_path / "old").mkdir()
    await fill(old.database, tmp_path / "old" / "attachments")
    await save(old, tmp_path / "without.zip", with_secrets=False)
    await save(old, tmp_path / "with.zip", with_secrets=True)
    assert KEY.encode() not in (tmp_path / "without.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "without.zip") as archive:
        assert "secret.key" not in archive.namelist()
    assert (tmp_path / "with.zip").stat().st_mode & 0o077 == 0

    new = Settings(data_dir=tmp_path / "new")
    _, remarks = await put_back(new, tmp_path / "without.zip", is_forced=False)
    assert "加密字段还原不了" in "".join(remarks)
    assert not (tmp_path / "new" / "secret.key").exists()
    _, remarks = await put_back(new, tmp_path / "with.zip", is_forced=True)
    assert (tmp_path / "new" / "secret.key").read_text() == KEY
    assert "还原不了" not in "".join(remarks)
    (tmp_path / "new" / "secret.key").write_text("another-secret-of-this-machine")
    _, remarks = await put_back(new, tmp_path / "with.zip", is_forced=True)
    assert (tmp_path / "new" / "secret.key").read_text() == "another-secret-of-this-machine"
    assert "还原不了" in "".join(remarks)


async def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    extra = {"WENQU_SECRET_KEY": KEY, "COLUMNS": "200"}
    await fill(f"sqlite:///{tmp_path}/data/wenqu.db", tmp_path / "data" / "attachments")
    file = str(tmp_path / "b.zip")
    for arguments, code, part in (
        (("backup", file), 0, "1 个附件"),
        (("restore", file), 1, "--force"),
        (("restore", file, "--force"), 0, f"{datetime.now(UTC):%Y-%m-%d}"),
    ):
        async with wenqu(*arguments, folder=tmp_path, extra=extra) as command:
            assert await command.process.wait() == code, command.said
            assert part in command.said
