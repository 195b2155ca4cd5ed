"""How a team served: load, first responses, satisfaction, members compared. Bots never count.

A session belongs to the span in which it was first given to a person, and to whoever has it now
or had it last. Its first response belongs to whoever gave it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from sqlalchemy import func, select

from core.clock import LOCAL_ZONE
from core.db import Tx
from core.ratings.models import RatingRow
from core.servicers.models import ServicerRow
from core.sessions.models import SessionRow
from core.statistics.waits import WaitFigures, p90, waits
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
    """One session as far as figures need it. score: None while not rated."""

    servicer_id: str | None
    first_responder_id: str | None
    category_id: str | None
    is_closed: bool
    first_response_s: float | None
    is_asked: bool
    score: int | None
    given_at: datetime


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
        waits=await waits(tx, since=since, until=until, team_id=team_id),
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
    took = sorted(one.first_response_s for one in first if one.first_response_s is not None)
    scores = [one.score for one in served if one.score is not None]
    asked = sum(one.is_asked for one in served)
    return ServiceFigures(
        sessions=len(served),
        closed=sum(one.is_closed for one in served),
        unanswered=sum(one.first_response_s is None for one in served),
        first_response_mean_s=round(sum(took) / len(took)) if took else None,
        first_response_median_s=round(median(took)) if took else None,
        first_response_p90_s=round(p90(took)) if took else None,
        rated=len(scores),
        participation=_share(len(scores), asked),
        satisfied=_share(sum(score >= 4 for score in scores), len(scores)),
        satisfaction_mean=round(sum(scores) / len(scores), 2) if scores else None,
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
            SessionRow.assigned_at,
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
        )
        for row in rows
    ]


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
