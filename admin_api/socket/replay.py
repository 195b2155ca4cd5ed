"""Catching up from the event log: what a socket missed while it was away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from sqlalchemy import func, select

from admin_api.socket.hub import event_text
from core.db import Tx
from core.event_log import EventRow
from core.events import EVENT, Audience, visible_to

MAX_REPLAY: Final = 2000


@dataclass(frozen=True, slots=True)
class Missed:
    """texts: what to send, in order. until: id of the last event looked at."""

    texts: tuple[str, ...]
    until: int


async def head(tx: Tx) -> int:
    """Id of the newest event; 0 when nothing happened yet."""
    return await tx.db.scalar(select(func.max(EventRow.id))) or 0


async def missed_since(tx: Tx, last_id: int, audiences: frozenset[Audience]) -> Missed | None:
    """What these audiences missed after `last_id`.

    None when that cannot be told for certain: too long ago, purged, or from another database.
    """
    newest = await head(tx)
    oldest = await tx.db.scalar(select(func.min(EventRow.id))) or 0
    if last_id > newest or (last_id < newest and oldest > last_id + 1):
        return None
    query = (
        select(EventRow.id, EventRow.payload)
        .where(EventRow.id > last_id)
        .order_by(EventRow.id)
        .limit(MAX_REPLAY + 1)
    )
    rows = (await tx.db.execute(query)).all()
    if len(rows) > MAX_REPLAY:
        return None
    try:
        texts = [
            event_text(event_id, json.dumps(payload, ensure_ascii=False))
            for event_id, payload in rows
            if visible_to(EVENT.validate_python(payload)) in audiences
        ]
    except ValidationError:
        return None  # written by another version: a fresh look is safer
    return Missed(tuple(texts), rows[-1][0] if rows else last_id)
