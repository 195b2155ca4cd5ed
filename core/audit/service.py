"""Appending to the audit log: each row carries the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import func, select

from core.actor import Actor
from core.audit.models import AuditRow
from core.db import Tx
from core.events import AuditRecorded

GENESIS: Final = "0" * 64
_LOCK: Final = 0x61756469  # one appender at a time on PostgreSQL; SQLite has it by nature
_MAX_FACT: Final = 500
#: The action of the record that vouches for records removed by age; its fact `head` is their end.
PURGED: Final = "audit.purged"


async def append(
    tx: Tx, *, by: Actor, action: str, target: str = "", facts: Mapping[str, object] | None = None
) -> None:
    """Record an administrative act, or a look at personal data, with the caller's transaction.

    facts: short values only, never secrets or message text.
    """
    plain = {key: str(value)[:_MAX_FACT] for key, value in (facts or {}).items()}
    await tx.db.flush()
    if tx.dialect == "postgresql":
        await tx.db.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    newest = select(AuditRow.hash).order_by(AuditRow.id.desc()).limit(1)
    previous = (await tx.db.scalars(newest)).first() or GENESIS
    row = AuditRow(
        at=tx.now,
        actor=by.key,
        action=action,
        target=target,
        ip=by.ip,
        facts=plain,
        previous_hash=previous,
    )
    row.hash = row_hash(row)
    tx.db.add(row)
    await tx.db.flush()
    tx.emit(AuditRecorded(actor=by.key, action=action, target=target, facts=plain))


def row_hash(row: AuditRow) -> str:
    """SHA-256 over the row's canonical JSON and the hash before it."""
    body = [
        row.previous_hash,
        _moment(row.at),
        row.actor,
        row.action,
        row.target,
        row.ip,
        row.facts,
    ]
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
