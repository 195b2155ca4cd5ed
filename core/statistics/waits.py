"""How honest the queue was: what customers were told, against how long it took.

Whoever gave up or still waits counts too: a mean over those who were served flatters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import mean, median, quantiles
from typing import Any, Final

from sqlalchemy import Row, select

from core.clock import midnight
from core.db import Tx
from core.queues.estimate import GRAIN_S
from core.sessions.models import SessionRow
from core.views import SessionState, View

#: The newest of a span, so that a busy week costs no more than a busy day.
_MOST_READ: Final = 5000
_WEEK: Final = timedelta(days=7)
_COLUMNS: Final = (
    SessionRow.state,
    SessionRow.promised_wait_s,
    SessionRow.queued_at,
    SessionRow.offered_at,
    SessionRow.assigned_at,
    SessionRow.served_since,
    SessionRow.closed_at,
)


class WaitFigures(View):
    """Sessions whose customer was told a time when they began to wait.

    kept: somebody came, or a message could be left, by then (what is promised at once, within a
    minute). late: after it, or not yet. left: gave up before. waiting: still within the promise.
    Seconds are of those kept and late; of whoever has not been served, what they waited so far.
    """

    told: int
    kept: int
    late: int
    left: int
    waiting: int
    promised_mean_s: int | None
    promised_median_s: int | None
    waited_mean_s: int | None
    waited_median_s: int | None
    waited_p90_s: int | None


class RecentWaits(View):
    """today: since midnight in Shanghai. week: the last seven days."""

    today: WaitFigures
    week: WaitFigures


class End(StrEnum):
    SERVED = "served"
    LEFT = "left"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Wait:
    promised_s: int
    waited_s: float
    end: End


async def recent_waits(tx: Tx) -> RecentWaits:
    return RecentWaits(
        today=await waits(tx, since=midnight(tx.now), until=tx.now),
        week=await waits(tx, since=tx.now - _WEEK, until=tx.now),
    )


async def waits(
    tx: Tx, *, since: datetime, until: datetime, team_id: str | None = None
) -> WaitFigures:
    """Of sessions that began within the span, the newest 5,000. team_id: of this team only."""
    statement = select(*_COLUMNS).where(
        SessionRow.opened_at >= since,
        SessionRow.opened_at <= until,
        SessionRow.promised_wait_s.is_not(None),
        SessionRow.queued_at.is_not(None),
    )
    if team_id is not None:
        statement = statement.where(SessionRow.team_id == team_id)
    rows = await tx.db.execute(statement.order_by(SessionRow.opened_at.desc()).limit(_MOST_READ))
    return figures_of([_wait(row, tx.now) for row in rows])


def figures_of(waits: Sequence[Wait]) -> WaitFigures:
    """Pure."""
    kept = [one for one in waits if one.end is End.SERVED and not _is_late(one)]
    late = [one for one in waits if _is_late(one)]
    undecided = [one.end for one in waits if one.end is not End.SERVED and not _is_late(one)]
    promised = [one.promised_s for one in (*kept, *late)]
    waited = sorted(one.waited_s for one in (*kept, *late))
    return WaitFigures(
        told=len(waits),
        kept=len(kept),
        late=len(late),
        left=undecided.count(End.LEFT),
        waiting=undecided.count(End.WAITING),
        promised_mean_s=round(mean(promised)) if promised else None,
        promised_median_s=round(median(promised)) if promised else None,
        waited_mean_s=round(mean(waited)) if waited else None,
        waited_median_s=round(median(waited)) if waited else None,
        waited_p90_s=round(p90(waited)) if waited else None,
    )


def p90(ordered: Sequence[float]) -> float:
    if len(ordered) == 1:
        return ordered[0]
    return quantiles(ordered, n=10, method="inclusive")[-1]


def _is_late(one: Wait) -> bool:
    return one.waited_s > max(one.promised_s, GRAIN_S)


def _wait(row: Row[*tuple[Any, ...]], now: datetime) -> Wait:
    """From the last place in the queue to whatever ended it."""
    waits = row.state == SessionState.QUEUED
    came = [row.offered_at] if waits else [row.offered_at, row.assigned_at, row.served_since]
    ended = min((at for at in came if at is not None and at >= row.queued_at), default=None)
    end = End.SERVED
    if ended is None:
        ended, end = (now, End.WAITING) if waits else (row.closed_at or now, End.LEFT)
    return Wait(row.promised_wait_s, (ended - row.queued_at).total_seconds(), end)
