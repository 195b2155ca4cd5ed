"""Who may be given a session of an account right now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, func, select

from core.assignment.strategy import Candidate
from core.db import Tx
from core.servicers.models import AccountServicerRow, ServicerRow
from core.views import Presence, ServiceMode


@dataclass(frozen=True, slots=True)
class Slots:
    """free: sessions that could be taken now; total: what all who are there carry together."""

    free: int
    total: int
    servicers_online: int


async def candidates(
    tx: Tx, account_id: str, mode: ServiceMode, *, without: Collection[str] = ()
) -> list[Candidate]:
    """On duty, below their own limit; in NATIVE mode also accepting in the platform's client."""
    statement = select(
        ServicerRow.id,
        ServicerRow.name,
        ServicerRow.open_sessions,
        ServicerRow.capacity,
        ServicerRow.idle_since,
    ).where(
        ServicerRow.presence == Presence.ONLINE,
        ServicerRow.open_sessions < ServicerRow.capacity,
    )
    if mode is ServiceMode.NATIVE:
        statement = statement.join(
            AccountServicerRow,
            and_(
                AccountServicerRow.servicer_id == ServicerRow.id,
                AccountServicerRow.account_id == account_id,
                AccountServicerRow.is_accepting.is_(True),
            ),
        ).where(ServicerRow.wecom_userid.is_not(None))
    if without:
        statement = statement.where(ServicerRow.id.not_in(without))
    return [Candidate(*row) for row in await tx.db.execute(statement)]


async def slots(tx: Tx) -> Slots:
    """The capacity of everyone who is online."""
    found = (
        await tx.db.execute(
            select(
                func.coalesce(func.sum(ServicerRow.capacity - ServicerRow.open_sessions), 0),
                func.coalesce(func.sum(ServicerRow.capacity), 0),
                func.count(),
            ).where(ServicerRow.presence == Presence.ONLINE)
        )
    ).one()
    return Slots(max(0, int(found[0])), int(found[1]), int(found[2]))
