"""Reads for the desk in the app: who may be told, what is served by whom, what was said last."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import or_, select

from core.assignment.queries import Asking, Wanted, candidates
from core.conversations.models import MessageRow
from core.customers.models import CustomerRow
from core.db import Tx
from core.servicers.models import ServicerRow
from core.servicers.queries import servicer_view
from core.sessions.models import SessionRow
from core.teams.models import TeamRow
from core.tickets.models import TicketRow
from core.users.models import UserRow
from core.views import (
    Presence,
    Role,
    Sender,
    ServiceMode,
    ServicerView,
    SessionState,
    SessionView,
)


@dataclass(frozen=True, slots=True)
class Served:
    """A session that a servicer with a user id in the app has at this moment."""

    session_id: str
    mode: ServiceMode
    customer_name: str
    servicer: ServicerView


async def served(tx: Tx, session_ids: Collection[str]) -> dict[str, Served]:
    """Those of these sessions that are served by someone who can be reached in the app."""
    if not session_ids:
        return {}
    found = await tx.db.execute(
        select(SessionRow, CustomerRow.name, ServicerRow)
        .join(CustomerRow, CustomerRow.id == SessionRow.customer_id)
        .join(ServicerRow, ServicerRow.id == SessionRow.servicer_id)
        .where(
            SessionRow.id.in_(sorted(session_ids)),
            SessionRow.state == SessionState.SERVING,
            ServicerRow.wecom_userid.is_not(None),
        )
    )
    return {
        row.id: Served(row.id, ServiceMode(row.mode), name, servicer_view(servicer))
        for row, name, servicer in found
    }


async def who_may_take(
    tx: Tx, session: SessionView, *, without: Collection[str] = (), limit: int
) -> list[ServicerView]:
    """Servicers in the app who could take this session at this moment; idlest first."""
    wanted = Wanted(session.account_id, session.mode, session.team_id, without=without)
    found = await candidates(tx, wanted, asking=Asking.BY_HAND)
    rows = await tx.db.scalars(
        select(ServicerRow)
        .where(
            ServicerRow.id.in_([one.servicer_id for one in found]),
            ServicerRow.wecom_userid.is_not(None),
        )
        .order_by(ServicerRow.open_sessions, ServicerRow.id)
        .limit(limit)
    )
    return [servicer_view(row) for row in rows]


async def reachable(tx: Tx, servicer_id: str | None) -> ServicerView | None:
    """The servicer, when they have a user id in the app."""
    row = await tx.db.get(ServicerRow, servicer_id) if servicer_id else None
    return servicer_view(row) if row is not None and row.wecom_userid else None


async def supervisors(tx: Tx) -> list[ServicerView]:
    """Who answers for everything, those with a user id in the app."""
    rows = await tx.db.scalars(
        select(ServicerRow)
        .join(UserRow, UserRow.id == ServicerRow.user_id)
        .where(
            UserRow.role.in_((Role.SUPERVISOR, Role.ADMIN)),
            UserRow.is_disabled.is_(False),
            ServicerRow.wecom_userid.is_not(None),
        )
        .order_by(ServicerRow.id)
    )
    return [servicer_view(row) for row in rows]


async def colleagues(tx: Tx, *, without: str) -> list[ServicerView]:
    """Who is there, those with most room first."""
    rows = await tx.db.scalars(
        select(ServicerRow)
        .where(ServicerRow.presence != Presence.OFFLINE, ServicerRow.id != without)
        .order_by(ServicerRow.open_sessions - ServicerRow.capacity, ServicerRow.name)
    )
    return [servicer_view(row) for row in rows]


async def servicers_named(tx: Tx, name: str) -> list[ServicerView]:
    """By full name or user id; where nobody is called so, by a part of the name."""
    exact = or_(ServicerRow.name == name, ServicerRow.wecom_userid == name)
    part = ServicerRow.name.contains(name, autoescape=True)
    for condition in (exact, part):
        rows = await tx.db.scalars(select(ServicerRow).where(condition).order_by(ServicerRow.id))
        if found := [servicer_view(row) for row in rows]:
            return found
    return []


async def team_named(tx: Tx, name: str) -> str | None:
    """The id of an active team of exactly this name."""
    return await tx.db.scalar(
        select(TeamRow.id).where(TeamRow.name == name, TeamRow.is_active.is_(True))
    )


async def last_said(tx: Tx, session_id: str, servicer_id: str) -> str | None:
    """The id of this servicer's newest message in a session that still stands."""
    return await tx.db.scalar(
        select(MessageRow.id)
        .where(
            MessageRow.session_id == session_id,
            MessageRow.sender == Sender.SERVICER,
            MessageRow.servicer_id == servicer_id,
            MessageRow.recalled_at.is_(None),
        )
        .order_by(MessageRow.seq.desc())
        .limit(1)
    )


async def ticket_of(tx: Tx, session_id: str) -> str | None:
    """The number of the ticket that was opened from a session."""
    return await tx.db.scalar(
        select(TicketRow.number).where(TicketRow.session_id == session_id).limit(1)
    )
