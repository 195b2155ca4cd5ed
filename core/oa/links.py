"""The links between the OA's records and ours; only this package writes them."""

from __future__ import annotations

from sqlalchemy import select

from core.db import Tx
from core.errors import Conflict, NotFound
from core.oa.records import Record
from core.ownership.models import OaLinkRow
from core.ownership.queries import OWN_ID, OaKind


async def link_of(tx: Tx, kind: OaKind, oa_id: str) -> OaLinkRow | None:
    return await tx.db.get(OaLinkRow, (kind.value, oa_id))


async def own_id_of(tx: Tx, kind: OaKind, oa_id: str) -> str | None:
    """Ours behind the OA's id."""
    column = OWN_ID[kind]
    query = select(column).where(OaLinkRow.kind == kind, OaLinkRow.oa_id == oa_id)
    found: str | None = await tx.db.scalar(query)
    return found


async def is_linked(tx: Tx, kind: OaKind, own_id: str) -> bool:
    column = OWN_ID[kind]
    query = select(OaLinkRow.oa_id).where(OaLinkRow.kind == kind, column == own_id).limit(1)
    return await tx.db.scalar(query) is not None


async def leads(tx: Tx, link: OaLinkRow, own_id: str) -> bool:
    """Whether this link speaks for ours: of several, after a merge, the oldest does."""
    kind = OaKind(link.kind)
    query = select(OaLinkRow.oa_id).where(OaLinkRow.kind == kind, OWN_ID[kind] == own_id)
    first = await tx.db.scalar(query.order_by(OaLinkRow.linked_at, OaLinkRow.oa_id).limit(1))
    return first == link.oa_id


def own_id(link: OaLinkRow | None) -> str | None:
    return (link.institution_id or link.customer_id or link.user_id) if link else None


async def join(tx: Tx, kind: OaKind, oa_id: str, ours: str) -> OaLinkRow:
    """Say that the two are one; the OA's next word about it counts, whatever its version.

    Raises: Conflict `linked_already`; NotFound is the caller's to raise.
    """
    link = await link_of(tx, kind, oa_id)
    if own_id(link) is not None or await is_linked(tx, kind, ours):
        raise Conflict("linked_already")
    if link is None:
        link = OaLinkRow(kind=kind.value, oa_id=oa_id, linked_at=tx.now, synced_at=tx.now)
        tx.db.add(link)
    link.version, link.digest, link.is_active = 0, "", True
    setattr(link, OWN_ID[kind].key, ours)
    await tx.db.flush()
    return link


async def part(tx: Tx, kind: OaKind, oa_id: str) -> None:
    """Ours is kept by people again. Raises: NotFound."""
    link = await link_of(tx, kind, oa_id)
    if link is None:
        raise NotFound(noun="oa_link", id=oa_id)
    await tx.db.delete(link)
    await tx.db.flush()


async def keep(tx: Tx, record: Record, link: OaLinkRow | None, ours: str | None) -> None:
    """Note what was taken, in the transaction that took it."""
    if link is None:
        link = OaLinkRow(kind=record.kind.value, oa_id=record.oa_id, linked_at=tx.now)
        tx.db.add(link)
    link.version, link.digest = record.version, record.digest
    link.is_active, link.synced_at = record.is_active, tx.now
    if ours is not None:
        setattr(link, OWN_ID[record.kind].key, ours)
    await tx.db.flush()
