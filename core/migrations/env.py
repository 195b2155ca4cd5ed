"""Run by Alembic, always through `core.migrate`, which hands over connection and metadata."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from core.column_types import BigId, Json, UtcDateTime


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our own column types by name; leave the rest to Alembic."""
    if kind != "type":
        return False
    for name, ours in (("Json", Json), ("BigId", BigId)):
        if item is ours:
            autogen.imports.add(f"from core.column_types import {name}")
            return name
    if isinstance(item, UtcDateTime):
        autogen.imports.add("from core.column_types import UtcDateTime")
        return "UtcDateTime()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("metadata"),
    render_item=render_item,
    render_as_batch=True,  # SQLite changes a column by copying the table
    compare_type=True,
)
context.run_migrations()
