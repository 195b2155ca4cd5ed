"""What still waits in the inbox and the outbox: for metrics and the doctor. Indexed counts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, literal_column, select

from core.db import Tx
from core.inbox import InboxRow
from core.outbox import OutboxRow

_UNSENT = ("pending", "waiting", "held", "failed")


@dataclass(frozen=True, slots=True)
class Backlog:
    """held: until the customer writes again. failed: given up, people must look."""

    received: int
    oldest_s: float
    pending: int
    held: int
    failed: int


async def read_backlog(tx: Tx) -> Backlog:
    is_new = InboxRow.state == literal_column("'new'")  # as in the partial index
    waiting = select(func.count(), func.min(InboxRow.id)).where(is_new)
    received, first = (await tx.db.execute(waiting)).one()
    oldest = await tx.db.scalar(select(InboxRow.received_at).where(InboxRow.id == first))
    unsent = select(OutboxRow.state, func.count().label("waiting")).where(
        OutboxRow.state.in_(_UNSENT)
    )
    rows = await tx.db.execute(unsent.group_by(OutboxRow.state))
    counts = {row.state: int(row.waiting) for row in rows}
    return Backlog(
        received=received,
        oldest_s=max((tx.now - oldest).total_seconds(), 0.0) if oldest else 0.0,
        pending=counts.get("pending", 0) + counts.get("waiting", 0),
        held=counts.get("held", 0),
        failed=counts.get("failed", 0),
    )
