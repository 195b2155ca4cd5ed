"""How a team served: load, first responses, satisfaction, members compared. Bots never count.

A session belongs to the span in which it was first given to a person, and to whoever has it now
or had it last. Its first response belongs to whoever gave it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median, quantiles

from sqlalchemy import func, select

from core.clock import LOCAL_ZONE
from core.db import Tx
from core.queues.estimate import GRAIN_S
from core.ratings.models import RatingRow
from core.servicers.models import ServicerRow
from core.sessions.models import SessionRow
from core.teams import queries as teams
from core.teams.models import TeamMemberRow
from core.tickets.models import TicketCategoryRow
from core.views import SessionState, View


class ServiceFigures(View):
    """Seconds are wall clock. unanswered: sessions without a first human response yet.

    participation: rated ÷ sent. satisfied: (4 + 5) ÷ rated. Null where there is nothing to divide.
    """

    sessions: int
    closed: int
    unanswered: int
    first_response_mean_s: int | None
    first_response_median_s: int | None
    first_response_p90_s: int | None
    rated: int
    participation: float | None
    satisfied: float | None
    satisfaction_mean: float | None


class MemberService(View):
    """open, waiting: at this moment, over all teams."""

    servicer_id: str
    name: str
    open: int
    capacity: int
    waiting: int
    figures: ServiceFigures


class CategoryCount(View):
    """category_id null: none was chosen."""

    category_id: str | None
    name: str
    sessions: int


class WaitFigures(View):
    """What customers were told when they began to wait, against how long it took.

    told: sessions whose customer was told a time. kept ÷ told were given to somebody by then; what
    is promised at once, within a minute.
    """

    told: int
    kept: int
    promised_mean_s: int | None
    waited_mean_s: int | None
    waited_p90_s: int | None


class DayFigures(View):
    """A day in Shanghai. Means are null where nobody answered, or rated."""

    day: date
    sessions: int
    first_response_mean_s: int | None
    satisfaction_mean: float | None


class TeamService(View):
    """queued, waiting: at this moment. waiting: the customer spoke last.

    days: those on which a session was given, oldest first.
    """

    team_id: str
    name: str
    queued: int
    open: int
    waiting: int
    figures: ServiceFigures
    waits: WaitFigures
    days: tuple[DayFigures, ...]
    members: tuple[MemberService, ...]
    categories: tuple[CategoryCount, ...]


@dataclass(frozen=True, slots=True)
class Served:
    """One session as far as figures need it. score: None while not rated.

    waited_s: from its last place in the queue; None when it never had one.
    """

    servicer_id: str | None
    first_responder_id: str | None
    category_id: str | None
    is_closed: bool
    first_response_s: float | None
    is_asked: bool
    score: int | None
    given_at: datetime
    promised_s: int | None = None
    waited_s: float | None = None


async def team_service(tx: Tx, team_id: str, *, since: datetime, until: datetime) -> TeamService:
    """Sessions given to people within the span, and what is open now. Raises: NotFound."""
    team = await teams.get(tx, team_id)
    served = await _served(tx, team_id, since, until)
    now = await _open_now(tx, SessionRow.team_id == team_id)
    return TeamService(
        team_id=team.id,
        name=team.name,
        queued=now.get(SessionState.QUEUED, (0, 0))[0],
        open=now.get(SessionState.SERVING, (0, 0))[0],
        waiting=now.get(SessionState.SERVING, (0, 0))[1],
        figures=figures_of(served),
        waits=waits_of(served),
        days=days_of(served),
        members=await _members(tx, team_id, served),
        categories=await _categories(tx, served),
    )


def figures_of(
    served: Sequence[Served], *, answered: Sequence[Served] | None = None
) -> ServiceFigures:
    """Sums and shares of these sessions. Pure.

    answered: those whose first response counts; the same, unless others gave it.
    """
    first = served if answered is None else answered
    waits = sorted(one.first_response_s for one in first if one.first_response_s is not None)
    scores = [one.score for one in served if one.score is not None]
    asked = sum(one.is_asked for one in served)
    return ServiceFigures(
        sessions=len(served),
        closed=sum(one.is_closed for one in served),
        unanswered=sum(one.first_response_s is None for one in served),
        first_response_mean_s=round(sum(waits) / len(waits)) if waits else None,
        first_response_median_s=round(median(waits)) if waits else None,
        first_response_p90_s=round(_p90(waits)) if waits else None,
        rated=len(scores),
        participation=_share(len(scores), asked),
        satisfied=_share(sum(score >= 4 for score in scores), len(scores)),
        satisfaction_mean=round(sum(scores) / len(scores), 2) if scores else None,
    )


def waits_of(served: Sequence[Served]) -> WaitFigures:
    """Promise and truth. Pure."""
    told = [
        (one.promised_s, one.waited_s)
        for one in served
        if one.promised_s is not None and one.waited_s is not None
    ]
    waited = sorted(seconds for _, seconds in told)
    return WaitFigures(
        told=len(told),
        kept=sum(seconds <= max(promise, GRAIN_S) for promise, seconds in told),
        promised_mean_s=round(sum(one for one, _ in told) / len(told)) if told else None,
        waited_mean_s=round(sum(waited) / len(waited)) if waited else None,
        waited_p90_s=round(_p90(waited)) if waited else None,
    )


def days_of(served: Sequence[Served]) -> tuple[DayFigures, ...]:
    """The same figures day by day. Pure."""
    by_day: dict[date, list[Served]] = {}
    for one in served:
        by_day.setdefault(one.given_at.astimezone(LOCAL_ZONE).date(), []).append(one)
    found = [(day, figures_of(those)) for day, those in sorted(by_day.items())]
    return tuple(
        DayFigures(
            day=day,
            sessions=figures.sessions,
            first_response_mean_s=figures.first_response_mean_s,
            satisfaction_mean=figures.satisfaction_mean,
        )
        for day, figures in found
    )


def _p90(ordered: Sequence[float]) -> float:
    if len(ordered) == 1:
        return ordered[0]
    return quantiles(ordered, n=10, method="inclusive")[-1]


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


async def _served(tx: Tx, team_id: str, since: datetime, until: datetime) -> list[Served]:
    """First human response = first human message − max(session start, last hand-off)."""
    rows = await tx.db.execute(
        select(
            SessionRow.servicer_id,
            SessionRow.first_responder_id,
            SessionRow.category_id,
            SessionRow.state,
            SessionRow.opened_at,
            SessionRow.handed_off_at,
            SessionRow.first_response_at,
            SessionRow.queued_at,
            SessionRow.assigned_at,
            SessionRow.served_since,
            SessionRow.promised_wait_s,
            RatingRow.id,
            RatingRow.score,
        )
        .outerjoin(RatingRow, RatingRow.session_id == SessionRow.id)
        .where(
            SessionRow.team_id == team_id,
            SessionRow.assigned_at >= since,
            SessionRow.assigned_at < until,
        )
    )
    return [
        Served(
            servicer_id=row.servicer_id,
            first_responder_id=row.first_responder_id,
            category_id=row.category_id,
            is_closed=row.state == SessionState.CLOSED,
            first_response_s=_seconds(
                max(row.opened_at, row.handed_off_at or row.opened_at), row.first_response_at
            ),
            is_asked=row.id is not None,
            score=row.score,
            given_at=row.assigned_at,
            promised_s=row.promised_wait_s,
            waited_s=_waited_s(row.queued_at, row.assigned_at, row.served_since),
        )
        for row in rows
    ]


def _waited_s(
    queued_at: datetime | None, assigned_at: datetime, served_since: datetime | None
) -> float | None:
    """A session that came back waited anew; one that was passed on directly did not."""
    if queued_at is None:
        return None
    end = assigned_at if queued_at <= assigned_at else served_since
    return None if end is None or end < queued_at else _seconds(queued_at, end)


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else max(0.0, (end - start).total_seconds())


async def _open_now(tx: Tx, *where: object) -> dict[str, tuple[int, int]]:
    """State → (sessions, those in which the customer spoke last)."""
    query = (
        select(SessionRow.state, func.count(), func.count(SessionRow.waiting_since))
        .where(SessionRow.state != SessionState.CLOSED, *where)  # type: ignore[arg-type]  # columns
        .group_by(SessionRow.state)
    )
    return {state: (count, waiting) for state, count, waiting in await tx.db.execute(query)}


async def _members(tx: Tx, team_id: str, served: Sequence[Served]) -> tuple[MemberService, ...]:
    people = (
        await tx.db.execute(
            select(
                ServicerRow.id, ServicerRow.name, ServicerRow.open_sessions, ServicerRow.capacity
            )
            .join(TeamMemberRow, TeamMemberRow.servicer_id == ServicerRow.id)
            .where(TeamMemberRow.team_id == team_id)
            .order_by(ServicerRow.name, ServicerRow.id)
        )
    ).all()
    waiting = await _waiting(tx, [row.id for row in people])
    return tuple(
        MemberService(
            servicer_id=row.id,
            name=row.name,
            open=row.open_sessions,
            capacity=row.capacity,
            waiting=waiting[row.id],
            figures=figures_of(
                [one for one in served if one.servicer_id == row.id],
                answered=[one for one in served if one.first_responder_id == row.id],
            ),
        )
        for row in people
    )


async def _waiting(tx: Tx, servicer_ids: Iterable[str]) -> Counter[str]:
    rows = await tx.db.scalars(
        select(SessionRow.servicer_id).where(
            SessionRow.servicer_id.in_(servicer_ids),
            SessionRow.state == SessionState.SERVING,
            SessionRow.waiting_since.is_not(None),
        )
    )
    return Counter(str(one) for one in rows)


async def _categories(tx: Tx, served: Sequence[Served]) -> tuple[CategoryCount, ...]:
    """Closed sessions by reason, most frequent first."""
    counts = Counter(one.category_id for one in served if one.is_closed)
    query = select(TicketCategoryRow.id, TicketCategoryRow.name)
    names = {key: name for key, name in await tx.db.execute(query)}  # noqa: C416
    return tuple(
        CategoryCount(category_id=key, name=names.get(key or "", ""), sessions=count)
        for key, count in counts.most_common()
    )
