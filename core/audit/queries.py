"""Reading and verifying the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, select

from core.audit.models import AuditRow
from core.audit.service import GENESIS, PURGED, row_hash
from core.db import Tx
from core.paging import Page, decode_cursor, page_of
from core.users.models import UserRow
from core.views import View

_BATCH: Final = 1000


class AuditView(View):
    id: int
    at: datetime
    actor: str
    actor_name: str
    action: str
    target: str
    ip: str
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """broken_at: id of the first row that does not fit; head: hash of the last row that does.

    Note the head elsewhere: only with it can cutting off the newest rows be found.
    """

    checked: int
    broken_at: int | None
    head: str

    @property
    def is_intact(self) -> bool:
        return self.broken_at is None


async def verify(tx: Tx, *, expected_head: str | None = None) -> Verdict:
    """Walk the whole chain. expected_head: a head noted before; it must still be in the chain."""
    first_id, begin = await _beginning(tx)
    previous = begin
    last_id, checked, seen = 0, 0, expected_head in (None, GENESIS)
    is_vouched = begin == GENESIS
    while rows := (await tx.db.scalars(_after(last_id))).all():
        for row in rows:
            if row.previous_hash != previous or row.hash != row_hash(row):
                return Verdict(checked, row.id, previous)
            previous, last_id, checked = row.hash, row.id, checked + 1
            seen = seen or row.hash == expected_head
            is_vouched = is_vouched or _vouches(row, begin)
        tx.db.expunge_all()
    if not is_vouched:
        return Verdict(0, first_id, GENESIS)
    return Verdict(checked, None if seen else last_id, previous)


async def _beginning(tx: Tx) -> tuple[int, str]:
    """First record and the hash before it: not the genesis once old ones were removed by age."""
    first = select(AuditRow.id, AuditRow.previous_hash).order_by(AuditRow.id).limit(1)
    found = (await tx.db.execute(first)).first()
    return (found.id, found.previous_hash) if found else (0, GENESIS)


def _vouches(row: AuditRow, head: str) -> bool:
    return row.action == PURGED and row.facts.get("head") == head


def _after(row_id: int) -> Select[AuditRow]:
    return select(AuditRow).where(AuditRow.id > row_id).order_by(AuditRow.id).limit(_BATCH)


async def list_audit(
    tx: Tx,
    *,
    actor: str | None = None,
    action: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[AuditView]:
    """Newest first. action: exact, or a prefix that ends in a dot (`user.`)."""
    query = (
        select(AuditRow, UserRow.name)
        .outerjoin(UserRow, UserRow.id == AuditRow.actor)
        .order_by(AuditRow.id.desc())
        .limit(limit + 1)
    )
    if actor:
        query = query.where((AuditRow.actor == actor) | (UserRow.username == actor))
    if action:
        matches = (
            AuditRow.action.startswith(action, autoescape=True)
            if action.endswith(".")
            else AuditRow.action == action
        )
        query = query.where(matches)
    if cursor is not None:
        query = query.where(AuditRow.id < decode_cursor(cursor, int)[0])
    views = [_view(row, name) for row, name in (await tx.db.execute(query)).all()]
    return page_of(views, limit, lambda view: (view.id,))


def _view(row: AuditRow, name: str | None) -> AuditView:
    return AuditView(
        id=row.id,
        at=row.at,
        actor=row.actor,
        actor_name=name or row.actor,
        action=row.action,
        target=row.target,
        ip=row.ip,
        facts=row.facts,
    )
