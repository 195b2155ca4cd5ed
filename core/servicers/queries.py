"""Reads of servicers."""

from __future__ import annotations

from sqlalchemy import func, select

from core.db import Tx
from core.errors import NotFound
from core.servicers.models import ServicerRow
from core.views import Presence, ServicerView


def servicer_view(row: ServicerRow) -> ServicerView:
    return ServicerView(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        wecom_userid=row.wecom_userid,
        presence=Presence(row.presence),
        capacity=row.capacity,
        open_sessions=row.open_sessions,
        keeps_until=row.keeps_until,
        version=row.version,
    )


async def get_servicer(tx: Tx, servicer_id: str) -> ServicerView:
    """Raises: NotFound."""
    row = await tx.db.get(ServicerRow, servicer_id, populate_existing=True)
    if row is None:
        raise NotFound("servicer_not_found")
    return servicer_view(row)


async def servicer_of_user(tx: Tx, user_id: str) -> ServicerView | None:
    row = await tx.db.scalar(select(ServicerRow).where(ServicerRow.user_id == user_id))
    return servicer_view(row) if row else None


async def servicer_of_wecom(tx: Tx, wecom_userid: str) -> ServicerView | None:
    """WeCom compares user ids without regard to case."""
    row = await tx.db.scalar(
        select(ServicerRow).where(func.lower(ServicerRow.wecom_userid) == wecom_userid.lower())
    )
    return servicer_view(row) if row else None


async def list_servicers(tx: Tx) -> list[ServicerView]:
    rows = await tx.db.scalars(select(ServicerRow).order_by(ServicerRow.name, ServicerRow.id))
    return [servicer_view(row) for row in rows]
