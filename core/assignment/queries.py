"""Who may have a session of an account right now: eligibility, decided in one place."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    String,
    Subquery,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    null,
    select,
)

from core.assignment.strategy import Candidate
from core.calendars.queries import off_duty, working_calendar
from core.db import Tx
from core.servicers.models import AccountServicerRow, ServicerRow
from core.statements import Statement
from core.teams.models import ServicerSkillRow, SkillRow, TeamMemberRow, TeamRow
from core.users.models import UserRow
from core.views import Presence, ServiceMode

_CALENDAR: Final = select(TeamRow.calendar_id).where(TeamRow.id == bindparam("team"))
_SKILLS: Final = Statement(select(SkillRow.id, SkillRow.name))
_Servicers = TypeVar("_Servicers", bound=Select[*tuple[Any, ...]])


class Asking(Enum):
    """Who is asked: for the system to give it to, for a card, or merely who is there."""

    FREE = "free"  # online and with room
    BY_HAND = "by hand"  # with room; busy and away people may take it themselves
    PRESENT = "present"  # online, however much they carry


_THERE: Final = {
    Asking.FREE: (Presence.ONLINE,),
    Asking.BY_HAND: (Presence.ONLINE, Presence.BUSY, Presence.AWAY),
    Asking.PRESENT: (Presence.ONLINE,),
}
#: So many are read and compared, the best first; all of them only when each of these is off duty.
_COMPARED: Final = {Asking.FREE: 10, Asking.BY_HAND: 50, Asking.PRESENT: 10}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a session asks of whoever takes it.

    team_id None: anyone. topic: what it is about; skills are found by their names in it.
    without: servicers who had it and lost it. strategy: in which order people are asked.
    """

    account_id: str
    mode: ServiceMode
    team_id: str | None = None
    topic: str = ""
    without: Collection[str] = ()
    strategy: str = "least_busy"


@dataclass(frozen=True, slots=True)
class Slots:
    """free: sessions that could be taken now; total: what all who are there carry together."""

    free: int
    total: int
    servicers_online: int


async def candidates(
    tx: Tx, wanted: Wanted, *, asking: Asking = Asking.FREE, only: str | None = None
) -> list[Candidate]:
    """Member ∧ permitted ∧ on duty ∧ accepting ∧ below their own limit over all teams.

    The one place where eligibility is decided. Best first, in the order of the strategy, and no
    more than can matter. only: is this one among them?
    """
    skills = await _named_skills(tx, wanted)
    shape = _Shape(
        strategy=wanted.strategy if skills or wanted.strategy != "skill" else "least_busy",
        has_team=wanted.team_id is not None,
        is_native=wanted.mode is ServiceMode.NATIVE,
        asking=asking,
        is_one=only is not None,
        left_out=len(wanted.without),
        skills=len(skills),
    )
    facts = _facts(wanted) | {"only": only} | _numbered("skill", skills)
    facts |= _numbered("without", sorted(wanted.without))
    await tx.flush()
    for most in (_COMPARED[asking], None):
        rows = await tx.fetch(_ordered(replace(shape, most=most)), facts)
        calendar_id = rows[0].calendar_id if rows else None
        found = await _on_duty(tx, wanted, [Candidate(*row[:-1]) for row in rows], calendar_id)
        if found or len(rows) != most:
            break
    return found


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a statement is made of; its values come when it runs."""

    strategy: str
    has_team: bool
    is_native: bool
    asking: Asking = Asking.FREE
    is_one: bool = False
    left_out: int = 0
    skills: int = 0
    most: int | None = None


def _numbered(name: str, values: Sequence[str]) -> dict[str, str]:
    return {f"{name}_{number}": value for number, value in enumerate(values)}


def _numbers(name: str, count: int) -> list[BindParameter[str]]:
    return [bindparam(f"{name}_{number}", type_=String) for number in range(count)]


def _facts(wanted: Wanted) -> dict[str, Any]:
    return {"team": wanted.team_id, "account": wanted.account_id}


@cache  # building them costs more than running them
def _ordered(shape: _Shape) -> Statement:
    """Everyone who is permitted, as columns of a Candidate, whom the strategy prefers first.

    The last column is the calendar of the team that asks.
    """
    idle = ServicerRow.idle_since
    last = TeamMemberRow.last_assigned_at if shape.has_team else idle
    sums = _skill_sums(shape) if shape.strategy == "skill" else None
    skill: ColumnElement[int] = literal(0, Integer)
    if sums is not None:
        skill = func.coalesce(sums.c.skill, literal(0, Integer))
    calendar: ColumnElement[Any] = null()
    if shape.has_team:
        calendar = _CALENDAR.scalar_subquery()
    columns: tuple[Any, ...] = (
        ServicerRow.id,
        ServicerRow.name,
        ServicerRow.open_sessions,
        ServicerRow.capacity,
        idle,
        skill.label("skill"),
        last.label("last_assigned_at"),
        calendar.label("calendar_id"),
    )
    statement = _asked(_permitted(select(*columns), shape), shape)
    if sums is not None:
        statement = statement.outerjoin(sums, sums.c.servicer_id == ServicerRow.id)
    load = ServicerRow.load
    order: dict[str, tuple[Any, ...]] = {
        "least_busy": (load, idle),
        "round_robin": (last,),
        "skill": (skill.desc(), load, idle),
    }
    ordered = statement.order_by(*order[shape.strategy], ServicerRow.id)
    # Written out: a plan for any number of rows would sort everyone there is.
    return Statement(ordered if shape.most is None else ordered.limit(_written(shape.most)))


def _asked(statement: _Servicers, shape: _Shape) -> _Servicers:
    there = ServicerRow.presence.in_([_written(repr(str(one))) for one in _THERE[shape.asking]])
    statement = statement.where(there)
    if shape.asking is not Asking.PRESENT:
        statement = statement.where(ServicerRow.open_sessions < ServicerRow.capacity)
    if shape.is_one:
        statement = statement.where(ServicerRow.id == bindparam("only"))
    if shape.left_out:
        statement = statement.where(ServicerRow.id.not_in(_numbers("without", shape.left_out)))
    return statement


def _written(value: object) -> ColumnElement[Any]:
    """A constant of ours that the planner is to know."""
    return literal_column(str(value))


def _skill_sums(shape: _Shape) -> Subquery:
    """Servicer → sum of their levels in the skills that are asked for."""
    return (
        select(ServicerSkillRow.servicer_id, func.sum(ServicerSkillRow.level).label("skill"))
        .where(ServicerSkillRow.skill_id.in_(_numbers("skill", shape.skills)))
        .group_by(ServicerSkillRow.servicer_id)
        .subquery()
    )


async def _named_skills(tx: Tx, wanted: Wanted) -> list[str]:
    """The skills whose names stand in the topic, where they matter."""
    if wanted.strategy != "skill":
        return []
    folded = wanted.topic.casefold()
    rows = await tx.fetch(_SKILLS, {})
    return [row.id for row in rows if row.name.casefold() in folded]


async def may_take(tx: Tx, wanted: Wanted, servicer_id: str) -> bool:
    """Is this person permitted to take it, whatever they carry and wherever they are?"""
    is_native = wanted.mode is ServiceMode.NATIVE
    shape = _Shape(wanted.strategy, wanted.team_id is not None, is_native)
    statement = _permitted(select(ServicerRow.id), shape).where(ServicerRow.id == servicer_id)
    return await tx.db.scalar(statement, _facts(wanted)) is not None


def _permitted(statement: _Servicers, shape: _Shape) -> _Servicers:
    """Permission to serve comes with being a servicer whose user is not disabled.

    A team asks for its members, NATIVE reception for whom the platform lets serve this account.
    """
    statement = statement.join(UserRow, UserRow.id == ServicerRow.user_id).where(
        UserRow.is_disabled.is_(False)
    )
    if shape.has_team:
        membership = and_(
            TeamMemberRow.servicer_id == ServicerRow.id,
            TeamMemberRow.team_id == bindparam("team"),
        )
        statement = statement.join(TeamMemberRow, membership)
    if shape.is_native:
        accepting = and_(
            AccountServicerRow.servicer_id == ServicerRow.id,
            AccountServicerRow.account_id == bindparam("account"),
            AccountServicerRow.is_accepting.is_(True),
        )
        statement = statement.join(AccountServicerRow, accepting)
        statement = statement.where(ServicerRow.wecom_userid.is_not(None))
    return statement


async def _on_duty(
    tx: Tx, wanted: Wanted, found: list[Candidate], calendar_id: str | None
) -> list[Candidate]:
    """Leave out whose roster says that they are off; only teams with a calendar keep rosters."""
    if not found or calendar_id is None:
        return found
    calendar = await working_calendar(tx, calendar_id)
    ids = [one.servicer_id for one in found]
    off = await off_duty(tx, ids, tx.now, team_id=wanted.team_id, calendar=calendar)
    return [one for one in found if one.servicer_id not in off]


async def calendar_of(tx: Tx, team_id: str | None) -> str | None:
    if team_id is None:
        return None
    return await tx.db.scalar(_CALENDAR, {"team": team_id})


async def slots(
    tx: Tx, team_ids: Collection[str] = (), *, native_account: str | None = None
) -> Slots:
    """The capacity of everyone who is online.

    team_ids: of the members of these teams only. native_account: of those whom the platform lets
    serve this account.
    """
    statement = select(
        func.coalesce(func.sum(ServicerRow.capacity - ServicerRow.open_sessions), 0),
        func.coalesce(func.sum(ServicerRow.capacity), 0),
        func.count(),
    ).where(ServicerRow.presence == Presence.ONLINE)
    if team_ids:
        members = select(TeamMemberRow.servicer_id).where(TeamMemberRow.team_id.in_(team_ids))
        statement = statement.where(ServicerRow.id.in_(members))
    if native_account is not None:
        accepting = select(AccountServicerRow.servicer_id).where(
            AccountServicerRow.account_id == native_account,
            AccountServicerRow.is_accepting.is_(True),
        )
        statement = statement.where(ServicerRow.id.in_(accepting))
    found = (await tx.db.execute(statement)).one()
    return Slots(max(0, int(found[0])), int(found[1]), int(found[2]))
