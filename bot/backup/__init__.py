"""`wenqu backup` and `wenqu restore`: one file, from either database into either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.backup import rows
from bot.backup.archive import (
    SECRET,
    ArchiveReader,
    ArchiveWriter,
    BackupError,
    Manifest,
    blob_file,
    table_file,
)
from bot.migrate import metadata
from core.attachments.blobs import BlobStore
from core.db import make_engine
from core.errors import NotFound
from core.migrate import current_within, is_known, rebuilding, upgrade_within

__all__ = ["BackupError", "Manifest", "Restored", "backup", "restore"]

_ATTACHMENTS: Final = "attachments"


async def backup(
    url: str, blobs: BlobStore, path: Path, *, keys: Sequence[str] = (), secret: str = ""
) -> Manifest:
    """Write one consistent moment of the database, and its attachments, to `path`.

    May run beside a working system. secret: kept inside when given. Raises: BackupError.
    """
    engine = make_engine(url, pool_size=1)
    try:
        with ArchiveWriter(path) as archive:
            async with engine.connect() as connection:
                manifest, found = await _write_tables(connection, archive)
            kept = [key for key in found if await _write_blob(blobs, key, archive)]
            if secret:
                archive.add(SECRET, secret.encode("ascii"))
            manifest = manifest.model_copy(
                update={
                    "attachments": len(kept),
                    "missing_attachments": len(found) - len(kept),
                    "keys": tuple(keys),
                    "has_secret": bool(secret),
                }
            )
            archive.finish(manifest)
    finally:
        await engine.dispose()
    return manifest


async def _write_tables(
    connection: AsyncConnection, archive: ArchiveWriter
) -> tuple[Manifest, list[str]]:
    """All rows of one moment, and the keys of the attachments they name."""
    if connection.dialect.name == "postgresql":
        connection = await connection.execution_options(isolation_level="REPEATABLE READ")
    async with connection.begin():
        revision = await current_within(connection)
        if revision is None:
            raise BackupError("数据库还没有建表，没有可备份的内容。")
        counts: dict[str, int] = {}
        keys: list[str] = []
        for table in (await rows.shape(connection)).tables:
            counts[table.name] = 0
            with archive.entry(table_file(table.name)) as entry:
                async for line in rows.read(connection, table):
                    entry.write(line)
                    counts[table.name] += 1
            if table.name == _ATTACHMENTS:
                keys = list(await connection.scalars(select(table.c.id).order_by(table.c.id)))
    made = Manifest(
        version=_version(),
        revision=revision,
        dialect=connection.dialect.name,
        created_at=datetime.now(UTC),
        tables=counts,
        attachments=0,
    )
    return made, keys


async def _write_blob(blobs: BlobStore, key: str, archive: ArchiveWriter) -> bool:
    try:
        data = await blobs.get(key)
    except NotFound:
        return False
    archive.add(blob_file(key), data)
    return True


@dataclass(frozen=True, slots=True)
class Restored:
    manifest: Manifest
    secret: str


async def restore(url: str, blobs: BlobStore, path: Path, *, is_forced: bool = False) -> Restored:
    """Put a backup back and migrate it to the present tables.

    Everything is checked first, and the database changes in one transaction: after a
    BackupError it is as it was. is_forced: what the database holds is given up.
    """
    with ArchiveReader(path) as archive:
        if not is_known(archive.manifest.revision):
            raise BackupError("备份来自更新的版本，请先升级程序。")
        archive.check()
        async with rebuilding(url) as connection:
            before = await rows.shape(connection)
            if before.has_rows and not is_forced:
                raise BackupError("数据库里已有数据。确定要覆盖，请加 --force。")
            ours = set(metadata().tables) | set(archive.manifest.tables)
            await rows.drop(connection, [name for name in before.names() if name in ours])
            await _write_back(connection, archive)
            for key, data in archive.blobs():
                await blobs.put(key, data)
        return Restored(archive.manifest, archive.secret())


async def _write_back(connection: AsyncConnection, archive: ArchiveReader) -> None:
    await upgrade_within(connection, metadata(), to=archive.manifest.revision)
    target = await rows.shape(connection)
    by_name = {table.name: table for table in target.tables}
    if lost := set(archive.manifest.tables) - set(by_name):
        raise BackupError(f"备份里有不认识的表：{'、'.join(sorted(lost))}。")
    await rows.defer(connection, target, is_deferred=True)
    for table in target.tables:
        if (count := archive.manifest.tables.get(table.name)) is None:
            continue
        if await rows.write(connection, table, archive.rows(table.name)) != count:
            raise BackupError(f"备份文件已损坏：{table.name} 的行数不对。")
    await rows.defer(connection, target, is_deferred=False)
    await rows.move_sequences(connection, target)
    await upgrade_within(connection, metadata())


def _version() -> str:
    try:
        return version("wenqu")
    except PackageNotFoundError:
        return "0"
