"""Fetching the OA's changes by schedule: page after page, each stored with its cursor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import func, select

from core.actor import Actor
from core.db import Tx, UnitOfWork
from core.errors import Conflict
from core.oa import conflicts, sync
from core.oa.models import OaCursorRow, OaRunRow
from core.ownership.models import OaLinkRow
from core.ownership.queries import OaKind
from core.ports import OaPage, OaSource, SendFailure
from core.sealing import KeyRing
from core.views import View

#: The timer that fetches.
PULL_TIMER: Final = "oa.pull"
PULL_KEY: Final = "recurring"
_NAME: Final = "changes"
_PAGES_AT_ONCE: Final = 50
_BY: Final = Actor.system("oa.pull")


class OaRunView(View):
    """counts: created, updated, unchanged, stale, conflict."""

    id: str
    source: str
    kind: str
    at: datetime
    by: str
    counts: dict[str, int]


class OaStateView(View):
    """linked: how many of each kind the OA is the master of. error: of the last fetch, if any."""

    linked: dict[OaKind, int]
    conflicts: int
    read_at: datetime | None
    failed_at: datetime | None
    error: str
    runs: tuple[OaRunView, ...]


async def pull(uow: UnitOfWork, keys: KeyRing, source: OaSource) -> None:
    """Fetch what is new. A crash between pages loses nothing and repeats nothing.

    Raises: SendFailure, noted for people to see.
    """
    try:
        for _ in range(_PAGES_AT_ONCE):
            async with uow.read() as tx:
                before = await _cursor(tx)
            page = await source.changes(before)
            async with uow.write() as tx:
                await _take(tx, keys, page, before)
            if not page.has_more:
                return
    except SendFailure as error:
        async with uow.write() as tx:
            await _keep(tx, failed_at=tx.now, error=error.reason[:300])
        raise


async def _take(tx: Tx, keys: KeyRing, page: OaPage, before: str) -> None:
    """Raises: Conflict when another process has fetched this page meanwhile."""
    await sync.lock(tx)
    if await _cursor(tx) != before:
        raise Conflict("oa_read_meanwhile")
    for kind, group in groupby(page.items, key=_kind):
        items: list[Mapping[str, Any]] = list(group)
        for start in range(0, len(items), sync.MAX_RECORDS):
            chunk = items[start : start + sync.MAX_RECORDS]
            await sync.take(tx, keys, kind, chunk, source="pull", by=_BY)
    await _keep(tx, value=page.cursor[:512], read_at=tx.now, error="")


def _kind(item: Mapping[str, object]) -> OaKind:
    kind = item.get("type")
    if kind not in set(OaKind):
        raise SendFailure(f"OA 返回的记录缺少 type，或不是 institution、contact、staff：{kind}")
    return OaKind(str(kind))


async def _cursor(tx: Tx) -> str:
    query = select(OaCursorRow.value).where(OaCursorRow.name == _NAME)
    return await tx.db.scalar(query) or ""


async def _keep(tx: Tx, **values: object) -> None:
    await tx.db.execute(
        tx.upsert(OaCursorRow)
        .values(name=_NAME, **({"value": "", "error": ""} | values))
        .on_conflict_do_update(index_elements=["name"], set_=values)
    )


async def state(tx: Tx) -> OaStateView:
    """How the synchronisation stands."""
    row = await tx.db.get(OaCursorRow, _NAME)
    counted = select(OaLinkRow.kind, func.count()).where(OaLinkRow.is_active)
    linked = {OaKind(kind): n for kind, n in await tx.db.execute(counted.group_by(OaLinkRow.kind))}
    runs = await tx.db.scalars(select(OaRunRow).order_by(OaRunRow.id.desc()).limit(20))
    return OaStateView(
        linked=linked,
        conflicts=await conflicts.count(tx),
        read_at=row.read_at if row else None,
        failed_at=row.failed_at if row else None,
        error=row.error if row else "",
        runs=tuple(
            OaRunView.model_validate({name: getattr(run, name) for name in OaRunView.model_fields})
            for run in runs
        ),
    )
