"""Who has a ticket: routing, assigning, claiming, transferring, escalating."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import func, select

from core.actor import Actor
from core.calendars import queries as calendars
from core.db import Tx
from core.errors import Conflict, Forbidden, Invalid
from core.events import TicketAssigned, TicketEscalated
from core.servicers.models import ServicerRow
from core.sla.service import SlaStep
from core.sla.views import EscalateTo
from core.teams import queries as teams
from core.teams import service as team_service
from core.teams.effective import effective_bindings
from core.teams.models import TeamMemberRow, TeamRow
from core.tickets import categories, choice
from core.tickets.access import By, locked, party_of, staff
from core.tickets.choice import Candidate
from core.tickets.models import TicketRow
from core.tickets.record import (
    Line,
    add_entry,
    promise,
    require_servicer,
    saved,
    view,
    write_line,
)
from core.tickets.states import FINAL, UNRESOLVED, Action, next_state
from core.users.models import UserRow
from core.views import Party, Presence, Role, TicketState, TicketView

How = Literal["assigned", "manual", "claimed", "transferred"]
_LEVELS: Sequence[EscalateTo] = ("servicer", "leader", "supervisor")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a ticket goes. A person without a team keeps the ticket's team."""

    team_id: str | None = None
    servicer_id: str | None = None


async def route(tx: Tx, row: TicketRow, wanted: Target) -> bool:
    """Give a new ticket to a team and, when somebody is there, to a person.

    Order: what was asked for; the category's team; the customer's binding; scope of a team.
    """
    row.team_id, because = await _team_for(tx, row, wanted)
    if wanted.servicer_id is not None:
        row.servicer_id = (await require_servicer(tx, wanted.servicer_id)).id
        row.assigned_because = "指定"
    elif row.team_id is not None and (chosen := await _choose_member(tx, row)) is not None:
        row.servicer_id = chosen.servicer_id
        team = await teams.row_of(tx, row.team_id)
        row.assigned_because = f"{because}、{choice.because(chosen, team.strategy)}"
        await team_service.mark_assigned(tx, row.team_id, chosen.servicer_id)
    return row.team_id is not None or row.servicer_id is not None


async def announce(tx: Tx, row: TicketRow, *, by: By) -> None:
    """Record and tell what `route` decided."""
    facts = {"because": row.assigned_because}
    await add_entry(tx, row, Actor.system("routing"), Line("assigned", facts=facts))
    tx.emit(
        TicketAssigned(
            ticket=await view(tx, row),
            how="assigned",
            previous_servicer_id=None,
            previous_team_id=None,
            by=by.name,
        )
    )


async def assign(tx: Tx, ticket_id: str, target: Target, *, by: By, note: str = "") -> TicketView:
    """Assign, claim or transfer; which of them it is follows from who does it to whom.

    A servicer takes what nobody has and passes on what is theirs; a supervisor may do either
    with any ticket. Raises: NotFound, Forbidden, Conflict `already_assigned`.
    """
    actor = staff(by)
    row = await locked(tx, ticket_id, by=by)
    if TicketState(row.state) in FINAL:
        raise Conflict("ticket_closed", state=row.state)
    if target.team_id is None and target.servicer_id is None:
        raise Invalid("required", field="servicer_id")
    if (target.servicer_id or None, target.team_id or row.team_id) == (
        row.servicer_id,
        row.team_id,
    ):
        return await view(tx, row)
    how = _how(row, target, actor)
    previous = (row.servicer_id, row.team_id)
    await _hand_over(tx, row, target)
    row.assigned_because = note[:200] or {"claimed": "领取"}.get(how, "指定")
    now = await view(tx, row)
    facts = {"how": how, "whom": now.servicer_name or now.team_name}
    await add_entry(tx, row, by, Line("assigned", note, facts=facts))
    if row.team_id != previous[1]:
        await promise(tx, row, SlaStep.REMATCHED)
    result = await saved(tx, row)
    event = TicketAssigned(
        ticket=result,
        how=how,
        previous_servicer_id=previous[0],
        previous_team_id=previous[1],
        by=by.name,
        note=note,
    )
    tx.emit(event)
    return result


async def claim(tx: Tx, ticket_id: str, *, by: Actor) -> TicketView:
    """Take a ticket that nobody has. Raises: Conflict when somebody was faster; Forbidden."""
    if by.servicer_id is None:
        raise Forbidden(reason="not_a_servicer")
    return await assign(tx, ticket_id, Target(servicer_id=by.servicer_id), by=by)


async def escalate(
    tx: Tx,
    ticket_id: str,
    *,
    by: By,
    reason: str = "",
    to: EscalateTo | None = None,
) -> TicketView:
    """Raise a ticket to the next level (leader, then supervisors), or to the one named."""
    row = await locked(tx, ticket_id, by=by)
    event = await raise_level(tx, row, by=by, line=Line("escalated", reason), to=to)
    result = await saved(tx, row)
    tx.emit(event(result))
    return result


async def raise_level(
    tx: Tx, row: TicketRow, *, by: By, line: Line, to: EscalateTo | None = None
) -> Callable[[TicketView], TicketEscalated]:
    """The next level, written down and not yet flushed. Returns what makes the event of it."""
    next_state(TicketState(row.state), Action.ESCALATE, party_of(by))
    level = min(row.escalation_level + 1, len(_LEVELS) - 1)
    if to is not None:
        level = max(row.escalation_level, _LEVELS.index(to))
    target = to or _LEVELS[level]
    row.escalation_level = level
    told = await recipients_of(tx, row, target)
    write_line(tx, row, by, replace(line, facts={"to": target, "level": str(level)}))
    return lambda ticket: TicketEscalated(
        ticket=ticket, level=level, to=target, recipients=told, reason=line.text
    )


async def recipients(tx: Tx, ticket_id: str, to: EscalateTo) -> tuple[str, ...]:
    """Servicers to be told about a ticket as it stands now; nobody when it is gone."""
    row = await tx.db.get(TicketRow, ticket_id)
    return await recipients_of(tx, row, to) if row is not None else ()


async def recipients_of(tx: Tx, row: TicketRow, to: EscalateTo) -> tuple[str, ...]:
    """Servicers to be told; where a level is empty, the one above it."""
    team = await tx.db.get(TeamRow, row.team_id) if row.team_id else None
    if to == "servicer" and row.servicer_id is not None:
        return (row.servicer_id,)
    if to in ("servicer", "leader") and team is not None and team.leader_id is not None:
        return (team.leader_id,)
    bosses = await tx.db.scalars(
        select(ServicerRow.id)
        .join(UserRow, UserRow.id == ServicerRow.user_id)
        .where(UserRow.role.in_((Role.SUPERVISOR, Role.ADMIN)), UserRow.is_disabled.is_(False))
        .order_by(ServicerRow.id)
    )
    return tuple(bosses)


def _how(row: TicketRow, target: Target, actor: Actor) -> How:
    is_mine = row.servicer_id is not None and row.servicer_id == actor.servicer_id
    is_boss = party_of(actor) in (Party.SUPERVISOR, Party.SYSTEM)
    to_me = target.servicer_id is not None and target.servicer_id == actor.servicer_id
    if row.servicer_id is None:
        return "claimed" if to_me else "manual"
    if is_mine or is_boss:
        return "transferred"
    if to_me:
        raise Conflict("already_assigned", servicer_id=row.servicer_id)
    raise Forbidden(reason="not_yours")


async def _hand_over(tx: Tx, row: TicketRow, target: Target) -> None:
    if target.team_id is not None:
        row.team_id = (await teams.row_of(tx, target.team_id)).id
    if target.servicer_id is not None:
        row.servicer_id = (await require_servicer(tx, target.servicer_id)).id
        return
    chosen = await _choose_member(tx, row)
    row.servicer_id = chosen.servicer_id if chosen else None
    if chosen is not None and row.team_id is not None:
        await team_service.mark_assigned(tx, row.team_id, chosen.servicer_id)


async def _team_for(tx: Tx, row: TicketRow, wanted: Target) -> tuple[str | None, str]:
    if wanted.team_id is not None:
        return (await teams.row_of(tx, wanted.team_id)).id, "指定团队"
    category = await categories.get(tx, row.category_id) if row.category_id else None
    if category is not None and category.team_id is not None:
        return category.team_id, f"类别“{category.name}”的团队"
    for binding in await effective_bindings(tx, row.customer_id):
        return binding.team_id, f"绑定团队“{binding.team_name}”"
    for category_id in await categories.with_ancestors(tx, row.category_id):
        for team_id in await teams.teams_for_category(tx, category_id):
            return team_id, "团队负责该类别"
    return None, ""


async def _choose_member(tx: Tx, row: TicketRow) -> Candidate | None:
    if row.team_id is None:
        return None
    team = await teams.row_of(tx, row.team_id)
    rows = (
        await tx.db.execute(
            select(ServicerRow, TeamMemberRow.last_assigned_at)
            .join(TeamMemberRow, TeamMemberRow.servicer_id == ServicerRow.id)
            .where(TeamMemberRow.team_id == row.team_id, ServicerRow.presence != Presence.OFFLINE)
        )
    ).all()
    ids = [one.id for one, _ in rows]
    calendar = await calendars.working_calendar(tx, team.calendar_id)
    off = await calendars.off_duty(tx, ids, tx.now, team_id=row.team_id, calendar=calendar)
    load = await open_tickets(tx, ids)
    skills = await _skills(tx, row.category_id, ids)
    found = [
        Candidate(one.id, one.name, load.get(one.id, 0), gap, last, skill)
        for one, last in rows
        if one.id not in off
        for gap, skill in (skills.get(one.id, (0, 0)),)
    ]
    return choice.choose(found, team.strategy)


async def open_tickets(tx: Tx, servicer_ids: Collection[str]) -> dict[str, int]:
    """Unresolved tickets by servicer."""
    query = (
        select(TicketRow.servicer_id, func.count())
        .where(TicketRow.servicer_id.in_(servicer_ids), TicketRow.state.in_(UNRESOLVED))
        .group_by(TicketRow.servicer_id)
    )
    return {str(one): count for one, count in await tx.db.execute(query)}


async def _skills(
    tx: Tx, category_id: str | None, servicer_ids: Collection[str]
) -> dict[str, tuple[int, int]]:
    """Of what the category asks for: levels that each is short of, and levels that each has."""
    wanted = (await categories.get(tx, category_id)).skills if category_id else {}
    if not wanted:
        return {}
    levels = await teams.skill_levels(tx, servicer_ids)
    found = {}
    for servicer_id in servicer_ids:
        has = {one.skill_id: one.level for one in levels.get(servicer_id, ())}
        gap = sum(max(0, level - has.get(skill, 0)) for skill, level in wanted.items())
        found[servicer_id] = (gap, sum(has.get(skill, 0) for skill in wanted))
    return found
