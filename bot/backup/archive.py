"""The file of a backup: a zip of rows, attachments and a manifest with their checksums.

`manifest.json`, `tables/<name>.jsonl`, `attachments/<sha-256>`, perhaps `secret.key`.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

MANIFEST: Final = "manifest.json"
SECRET: Final = "secret.key"  # noqa: S105 - a file name
FORMAT: Final = 1
_CHUNK: Final = 1024 * 1024
_UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, OSError)


class BackupError(Exception):
    """Why a backup was not made or not put back, as a sentence for the administrator."""


class File(BaseModel):
    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str


class Manifest(BaseModel):
    """revision: of the tables. keys: ids of the secrets that sealed fields need."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    version: str
    revision: str
    dialect: str
    created_at: datetime
    tables: dict[str, int]
    attachments: int
    missing_attachments: int = 0
    keys: tuple[str, ...] = ()
    has_secret: bool = False
    files: dict[str, File] = {}


def table_file(name: str) -> str:
    return f"tables/{name}.jsonl"


def blob_file(key: str) -> str:
    return f"attachments/{key}"


class ArchiveWriter:
    """Writes beside the target and moves into place at the end, so never half there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._files: dict[str, File] = {}

    def __enter__(self) -> Self:
        handle = os.open(self._beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self._stream = os.fdopen(handle, "w+b")
        self._zip = zipfile.ZipFile(self._stream, "w", zipfile.ZIP_DEFLATED)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()
        self._stream.close()
        self._beside.unlink(missing_ok=True)

    @contextmanager
    def entry(self, name: str) -> Iterator[Entry]:
        with self._zip.open(name, "w", force_zip64=True) as stream:
            entry = Entry(stream)
            yield entry
        self._files[name] = File(size=entry.size, sha256=entry.digest.hexdigest())

    def add(self, name: str, data: bytes) -> None:
        with self.entry(name) as entry:
            entry.write(data)

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and put the file in its place."""
        whole = manifest.model_copy(update={"files": self._files})
        self._zip.writestr(MANIFEST, whole.model_dump_json(indent=1))
        self._zip.close()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._beside.replace(self._path)


class Entry:
    """One file of an archive while it is written."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._stream.write(data)
        self.size += len(data)
        self.digest.update(data)


class ArchiveReader:
    """Opened and checked from end to end before anything is taken from it."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
            self.manifest = Manifest.model_validate_json(self._zip.read(MANIFEST))
        except FileNotFoundError as error:
            raise BackupError(f"没有这个文件：{path}") from error
        except (ValidationError, *_UNREADABLE) as error:
            raise BackupError("不是问渠的备份文件，或文件已损坏。") from error
        if self.manifest.format != FORMAT:
            raise BackupError("备份文件的格式来自更新的版本，请先升级程序。")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def check(self) -> None:
        """Compare every file with its checksum. Raises: BackupError."""
        promised = {table_file(name) for name in self.manifest.tables}
        if self.manifest.has_secret:
            promised.add(SECRET)
        files = self.manifest.files
        if not promised <= set(files) or set(files) | {MANIFEST} != set(self._zip.namelist()):
            raise BackupError("备份文件不完整：缺少文件，或多出文件。")
        for name, file in files.items():
            if self._measure(name) != file:
                raise BackupError(f"备份文件已损坏：{name} 与校验值不符。")

    def blobs(self) -> Iterator[tuple[str, bytes]]:
        """(key, bytes) of every attachment."""
        prefix = blob_file("")
        for name in self.manifest.files:
            if name.startswith(prefix):
                yield name.removeprefix(prefix), self._zip.read(name)

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        with self._zip.open(table_file(table)) as stream:
            for line in stream:
                yield json.loads(line)

    def secret(self) -> str:
        return self._zip.read(SECRET).decode("ascii") if self.manifest.has_secret else ""

    def _measure(self, name: str) -> File:
        digest, size = hashlib.sha256(), 0
        try:
            with self._zip.open(name) as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
        except _UNREADABLE as error:
            raise BackupError(f"备份文件已损坏：{name} 读不出来。") from error
        return File(size=size, sha256=digest.hexdigest())
