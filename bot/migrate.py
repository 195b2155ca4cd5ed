"""Bringing the database up to date: the tables of every package together."""

from __future__ import annotations

import importlib
from pathlib import Path

from sqlalchemy import MetaData

from core.db import Base
from core.migrate import upgrade

#: Modules whose import makes the metadata complete.
TABLES = ("core.schema", "knowledge.models", "knowledge.records")


def metadata() -> MetaData:
    for name in TABLES:
        importlib.import_module(name)
    return Base.metadata


async def migrate(database_url: str) -> None:
    """Make or upgrade the tables. Idempotent; runs beside an older version."""
    if database_url.startswith("sqlite:///"):
        Path(database_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    await upgrade(database_url, metadata())
