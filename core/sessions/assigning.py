"""Who gets a waiting session: binding → last servicer → skill → strategy, in rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.accounts.models import AccountRow
from core.assignment.queries import Asking, Wanted, candidates, may_take
from core.assignment.routing import (
    Destination,
    choose,
    destination,
    destinations,
    reception_mode,
)
from core.assignment.strategy import Choice
from core.conversations.threads import Thread
from core.db import Tx
from core.errors import Conflict
from core.servicers.service import take_load
from core.sessions.models import SessionRow
from core.sessions.moves import hold_session
from core.sessions.queries import last_servicer_of, session_view
from core.sessions.serving import serve
from core.sessions.states import Action
from core.teams.service import mark_assigned
from core.views import ServiceMode, SessionState, SessionView


async def assign_next(tx: Tx, session_id: str) -> SessionView | None:
    """Give a queued session to whoever should have it; None when nobody can take it now.

    Order: bound team → last servicer → skill → strategy. Safe to race: only one of two assigners
    wins the session, and nobody goes over a limit.
    """
    row, thread = await hold_session(tx, session_id)
    if row.state != SessionState.QUEUED:
        return None
    return await assign_held(tx, row, thread)


async def assign_held(tx: Tx, row: SessionRow, thread: Thread) -> SessionView | None:
    """The same for a queued session that this transaction holds."""
    last = await last_servicer_of(tx, row)
    said = f"{row.topic}\n{thread.conversation.last_customer_text}"
    for place in await places_of(tx, row):
        wanted = await _wanted(tx, row, place, said)
        taken: set[str] = set()
        while (choice := await _choose(tx, row, wanted, place, taken, last)) is not None:
            if await take_load(tx, choice.servicer_id, within_capacity=True, is_given=True):
                row.team_id, row.mode = place.team_id, wanted.mode
                await serve(tx, row, thread, Action.ASSIGN, choice, how="assigned")
                if place.team_id is not None:
                    await mark_assigned(tx, place.team_id, choice.servicer_id)
                return await session_view(tx, row.id)
            taken.add(choice.servicer_id)
    return None


async def places_of(tx: Tx, row: SessionRow) -> Sequence[Destination]:
    """Teams to ask, in order; a session that was sent to a team stays with it."""
    account = await tx.db.get_one(AccountRow, row.account_id)
    found = await destinations(tx, row.customer_id, account.team_id)
    is_sent = row.team_id is not None and row.route == row.team_id
    mine = [place for place in found if place.team_id == row.team_id]
    if row.team_id is None or (mine and not is_sent):
        return found
    return mine or [await destination(tx, row.team_id)]


def route_of(places: Sequence[Destination]) -> str:
    """Sessions of one account and route wait for the same people."""
    return ",".join(place.team_id or "" for place in places)[:200]


async def _wanted(tx: Tx, row: SessionRow, place: Destination, said: str) -> Wanted:
    """The way of reception is chosen anew until somebody has had it; then the session keeps it."""
    mode = ServiceMode(row.mode)
    if row.assigned_at is None:
        mode = reception_mode(await tx.db.get_one(AccountRow, row.account_id), place)
    return Wanted(row.account_id, mode, place.team_id, said, strategy=place.strategy)


async def _choose(
    tx: Tx,
    row: SessionRow,
    wanted: Wanted,
    place: Destination,
    taken: set[str],
    last: str | None,
) -> Choice | None:
    """In rounds: whoever lost it is not asked again while there is somebody who was not asked."""
    for without in _rounds(row.lost_by):
        asked = replace(wanted, without={*without, *taken})
        choice = await choose(tx, asked, because=place.because, last_servicer_id=last)
        if choice is not None:
            return choice
        if await candidates(tx, asked, asking=Asking.PRESENT):
            return None  # they are there, but full: wait for them
    return None


def _rounds(lost_by: list[str]) -> list[list[str]]:
    """Whom to leave out, round after round; whoever lost it last comes last of all."""
    return [lost_by, lost_by[-1:], []] if lost_by else [[]]


async def check_eligible(
    tx: Tx, row: SessionRow, servicer_id: str, *, team_id: str | None
) -> None:
    """Raises: Conflict `not_eligible` for whom the team or the platform does not let serve it."""
    wanted = Wanted(row.account_id, ServiceMode(row.mode), team_id)
    if not await may_take(tx, wanted, servicer_id):
        raise Conflict("not_eligible", mode=row.mode)
