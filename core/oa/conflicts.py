"""Records that wait for people, or for the institution that they name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, select

from core.db import Tx
from core.errors import DomainError, NotFound
from core.ids import new_id
from core.oa.models import OaConflictRow
from core.oa.records import Record
from core.oa.unfit import Unfit
from core.ownership.queries import OaKind
from core.paging import Page, decode_cursor, page_of
from core.sealing import KeyRing
from core.views import View

_CONTEXT: Final = "oa.record"
_MAX_FACT: Final = 200
_NOTHING: Final[Mapping[str, object]] = {"name": "", "waits_for": "", "candidate_id": None}
Raw = Mapping[str, Any]


class OaConflictView(View):
    """candidate_id: ours that it may well be. first_at: since when it waits."""

    id: str
    kind: OaKind
    oa_id: str
    name: str
    code: str
    facts: dict[str, str]
    candidate_id: str | None
    first_at: datetime
    last_at: datetime


async def keep(tx: Tx, keys: KeyRing, record: Record, error: DomainError) -> None:
    """The newest record of an id stands for it."""
    values: dict[str, object] = {
        "name": record.name,
        "version": record.version,
        "waits_for": error.waits_for if isinstance(error, Unfit) else "",
        "candidate_id": error.candidate_id if isinstance(error, Unfit) else None,
        **_why(error),
    }
    await _store(tx, keys, record.kind, record.oa_id, record.raw, values)


async def keep_unreadable(
    tx: Tx, keys: KeyRing, kind: OaKind, oa_id: str, raw: Raw, error: DomainError
) -> None:
    """Without an id the record is known by its content."""
    digest = hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()
    values: dict[str, object] = {"version": 0, **_why(error)}
    await _store(tx, keys, kind, oa_id or f"?{digest[:20]}", raw, values)


def _why(error: DomainError) -> dict[str, object]:
    facts = {key: str(value)[:_MAX_FACT] for key, value in error.facts.items()}
    return {"code": error.code, "facts": facts}


async def _store(
    tx: Tx, keys: KeyRing, kind: OaKind, oa_id: str, raw: Raw, values: dict[str, object]
) -> None:
    sealed = keys.seal(json.dumps(raw, ensure_ascii=False), context=_CONTEXT)
    now = {**_NOTHING, **values, "record_sealed": sealed, "last_at": tx.now}
    key = {"kind": kind.value, "oa_id": oa_id}
    await tx.db.execute(
        tx.upsert(OaConflictRow)
        .values(id=new_id(), first_at=tx.now, **key, **now)
        .on_conflict_do_update(index_elements=["kind", "oa_id"], set_=now)
    )


async def version_of(tx: Tx, kind: OaKind, oa_id: str) -> int:
    """Of the record that waits; -1 when none does."""
    query = select(OaConflictRow.version).where(
        OaConflictRow.kind == kind, OaConflictRow.oa_id == oa_id
    )
    found = await tx.db.scalar(query)
    return -1 if found is None else found


async def settle(tx: Tx, kind: OaKind, oa_id: str) -> None:
    """It was taken."""
    await tx.db.execute(
        delete(OaConflictRow)
        .where(OaConflictRow.kind == kind, OaConflictRow.oa_id == oa_id)
        .execution_options(synchronize_session=False)
    )


async def waiting_for(tx: Tx, keys: KeyRing, oa_ids: Sequence[str]) -> list[tuple[OaKind, Raw]]:
    query = select(OaConflictRow).where(OaConflictRow.waits_for.in_(oa_ids))
    rows = (await tx.db.scalars(query.order_by(OaConflictRow.id))).all()
    return [(OaKind(row.kind), raw_of(keys, row)) for row in rows]


def raw_of(keys: KeyRing, row: OaConflictRow) -> Raw:
    """The record as it came."""
    found: Raw = json.loads(keys.open(row.record_sealed, context=_CONTEXT))
    return found


async def get(tx: Tx, conflict_id: str) -> OaConflictRow:
    """Raises: NotFound."""
    row = await tx.db.get(OaConflictRow, conflict_id, populate_existing=True)
    if row is None:
        raise NotFound(noun="oa_conflict", id=conflict_id)
    return row


async def listed(tx: Tx, *, cursor: str | None = None, limit: int = 50) -> Page[OaConflictView]:
    """Newest first."""
    query = select(OaConflictRow).order_by(OaConflictRow.id.desc()).limit(limit + 1)
    if cursor:
        query = query.where(OaConflictRow.id < decode_cursor(cursor, str)[0])
    views = [
        OaConflictView.model_validate(
            {name: getattr(row, name) for name in OaConflictView.model_fields}
        )
        for row in await tx.db.scalars(query)
    ]
    return page_of(views, limit, lambda view: (view.id,))


async def reseal(tx: Tx, keys: KeyRing, *, after: str = "", limit: int = 200) -> str | None:
    """Seal records anew after a change of the key. Returns the last id seen; None at the end."""
    query = select(OaConflictRow).where(OaConflictRow.id > after)
    rows = (await tx.db.scalars(query.order_by(OaConflictRow.id).limit(limit))).all()
    for row in rows:
        if keys.needs_resealing(row.record_sealed):
            record = keys.open(row.record_sealed, context=_CONTEXT)
            row.record_sealed = keys.seal(record, context=_CONTEXT)
    return rows[-1].id if len(rows) == limit else None


async def count(tx: Tx) -> int:
    return await tx.db.scalar(select(func.count()).select_from(OaConflictRow)) or 0


async def drop(tx: Tx, conflict_id: str) -> None:
    """Leave a record be; the OA's next word about it is heard again. Raises: NotFound."""
    await tx.db.delete(await get(tx, conflict_id))
