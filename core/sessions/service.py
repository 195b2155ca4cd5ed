"""The only writer of sessions: open, hand off, assign, transfer, take over, close.

Every state change goes through `moves.move`: the table decides, a compare-and-set makes it atomic,
the servicers' loads follow in the same transaction. Lock order: session, then servicers by id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from core.accounts.models import AccountRow
from core.actor import Actor
from core.assignment.queries import Wanted
from core.assignment.routing import Destination, choose, destinations
from core.assignment.strategy import Choice
from core.content import Text
from core.conversations.service import hand_over
from core.conversations.threads import Thread, get_thread
from core.customers.queries import contract_level_of
from core.db import Tx
from core.errors import Conflict, Forbidden, Invalid
from core.events import (
    SessionAssigned,
    SessionClosed,
    SessionHandedOff,
    SessionOpened,
    SessionRequeued,
    SessionUpdated,
)
from core.ids import new_id
from core.permissions import Permission
from core.queues.words import queue_words
from core.servicers.models import ServicerRow
from core.servicers.service import drop_load, take_load
from core.sessions import farewell
from core.sessions.models import SessionRow
from core.sessions.moves import get_session, move, tell
from core.sessions.queries import last_servicer_of, promised_wait, queue_position, session_view
from core.sessions.states import Action
from core.settings.sections import Reception
from core.teams.service import mark_assigned
from core.views import Presence, ServiceMode, SessionState, SessionView

#: Reasons for which a session is taken away: whoever lost it is asked last.
_LOST = frozenset({"servicer_silent", "servicer_offline", "refused", "native_refused"})
How = Literal["assigned", "claimed", "transferred", "native", "takeover"]


async def open_session(tx: Tx, thread: Thread, *, topic: str = "") -> SessionRow:
    """Begin an episode of service; the bot has it first."""
    row = SessionRow(
        id=new_id(),
        conversation_id=thread.conversation.id,
        account_id=thread.account.id,
        customer_id=thread.customer.id,
        state=SessionState.BOT,
        mode=thread.account.mode,
        opened_at=tx.now,
        first_customer_at=tx.now,
        bot_misses=0,
        topic=topic[:200],
        scene=thread.conversation.scene,
        version=1,
    )
    tx.db.add(row)
    await tx.db.flush()
    tx.emit(SessionOpened(session=await session_view(tx, row.id)))
    return row


async def hand_off(
    tx: Tx, thread: Thread, session_id: str, *, reason: str, notify: bool = True
) -> SessionView:
    """Bot → people. A free servicer gets the session at once; else the customer is told the truth.

    reason: why (asked, misses, red_line, error …); shown on the desk.
    """
    row = await get_session(tx, session_id, lock=True)
    await move(
        tx,
        row,
        Action.HAND_OFF,
        handed_off_at=tx.now,
        queued_at=tx.now,
        rank_at=tx.now - await _head_start(tx, thread),
        team_id=(await destinations(tx, row.customer_id, thread.account.team_id))[0].team_id,
        handoff_reason=reason,
        mode=thread.account.mode,
        waiting_since=row.waiting_since or tx.now,
    )
    position = await queue_position(tx, row)
    promise = await promised_wait(tx, position)
    row.promised_wait_s = promise
    view = await session_view(tx, row.id)
    tx.emit(SessionHandedOff(session=view, position=position, promised_wait_s=promise))
    if position == 1 and await assign_next(tx, row.id) is not None:
        return await session_view(tx, row.id)
    if notify:
        await tell(tx, thread, row.id, queue_words(tx, position, promise))
    return view


async def assign_next(tx: Tx, session_id: str) -> SessionView | None:
    """Give a queued session to whoever should have it; None when nobody can take it now.

    Order: bound team → last servicer → skill → strategy. Safe to race: only one of two assigners
    wins the session, and nobody goes over a limit.
    """
    row = await get_session(tx, session_id, lock=True)
    if row.state != SessionState.QUEUED:
        return None
    for place in await _places(tx, row):
        wanted = Wanted(
            row.account_id, ServiceMode(row.mode), place.team_id, row.topic, tuple(row.lost_by)
        )
        taken: set[str] = set()
        while (choice := await _choose(tx, row, wanted, place, taken)) is not None:
            if await take_load(tx, choice.servicer_id, within_capacity=True):
                row.team_id = place.team_id
                await _serve(tx, row, Action.ASSIGN, choice, how="assigned")
                if place.team_id is not None:
                    await mark_assigned(tx, place.team_id, choice.servicer_id)
                return await session_view(tx, row.id)
            taken.add(choice.servicer_id)
    return None


async def _places(tx: Tx, row: SessionRow) -> Sequence[Destination]:
    """Teams to ask, in order; a session that was sent to a team stays with it."""
    account = await tx.db.get_one(AccountRow, row.account_id)
    found = await destinations(tx, row.customer_id, account.team_id)
    if row.team_id is None or any(place.team_id == row.team_id for place in found):
        return found
    return [Destination(row.team_id)]


async def _choose(
    tx: Tx, row: SessionRow, wanted: Wanted, place: Destination, taken: set[str]
) -> Choice | None:
    asked = replace(wanted, without={*wanted.without, *taken})
    last = await last_servicer_of(tx, row)
    choice, found = await choose(tx, asked, because=place.because, last_servicer_id=last)
    if choice is None and not found and row.lost_by and not taken:
        again = replace(wanted, without=())  # better the one who lost it than nobody
        choice, _ = await choose(tx, again, because=place.because)
    return choice


async def claim(tx: Tx, session_id: str, *, by: Actor) -> SessionView:
    """Take a session out of the queue. Raises: Forbidden, Conflict (`at_capacity`, moved)."""
    servicer_id = _servicer_of(by)
    row = await get_session(tx, session_id, lock=True)
    if row.state != SessionState.QUEUED:
        raise Conflict("not_queued", state=row.state)
    if not await take_load(tx, servicer_id, within_capacity=True):
        raise Conflict("at_capacity")
    await _serve(tx, row, Action.ASSIGN, Choice(servicer_id, "主动领取"), how="claimed")
    return await session_view(tx, session_id)


async def transfer(
    tx: Tx,
    session_id: str,
    *,
    by: Actor,
    to_servicer: str | None = None,
    to_team: str | None = None,
    note: str = "",
) -> SessionView:
    """Hand a session to a colleague, or back to the queue (of a team).

    Raises: Forbidden unless it is one's own or one supervises; Invalid, Conflict.
    """
    row = await get_session(tx, session_id, lock=True)
    _check_mine(row, by)
    thread = await get_thread(tx, row.conversation_id)
    if note:
        await farewell.leave_note(tx, thread, row.id, note, by)
    if to_servicer is None:
        return await requeue(tx, session_id, reason="transferred", to_team=to_team)
    if to_servicer == row.servicer_id:
        raise Invalid("transfer_to_self", field="servicer_id")
    target = await tx.db.get(ServicerRow, to_servicer)
    if target is None or target.presence == Presence.OFFLINE:
        raise Invalid("servicer_unavailable", field="servicer_id")
    previous = row.servicer_id
    if not await take_load(tx, to_servicer, within_capacity=True):
        raise Conflict("at_capacity", servicer=target.name)
    action = Action.TRANSFER if row.state == SessionState.SERVING else Action.TAKE_OVER
    choice = Choice(to_servicer, f"由{by.name}转接")
    await _serve(tx, row, action, choice, how="transferred", by=by)
    if previous is not None:
        await drop_load(tx, previous)
    return await session_view(tx, session_id)


async def take_over(tx: Tx, session_id: str, *, by: Actor) -> SessionView:
    """A supervisor steps in; their limit does not count. Raises: Forbidden, Invalid."""
    by.require(Permission.SESSION_SUPERVISE)
    servicer_id = _servicer_of(by)
    row = await get_session(tx, session_id, lock=True)
    previous = row.servicer_id
    if previous == servicer_id:
        raise Invalid("already_mine")
    await take_load(tx, servicer_id, within_capacity=False)
    choice = Choice(servicer_id, f"{by.name}接管")
    await _serve(tx, row, Action.TAKE_OVER, choice, how="takeover", by=by)
    if previous is not None:
        await drop_load(tx, previous)
    return await session_view(tx, session_id)


async def requeue(
    tx: Tx, session_id: str, *, reason: str, to_team: str | None = None
) -> SessionView:
    """Put a served session back into the queue, ahead of those that were never served."""
    row = await get_session(tx, session_id, lock=True)
    previous = row.servicer_id
    await move(
        tx,
        row,
        Action.REQUEUE,
        servicer_id=None,
        team_id=to_team or row.team_id,
        queued_at=tx.now,
        rank_at=tx.now - timedelta(seconds=tx.settings.get(Reception).returned_bonus_s),
        lost_by=sorted({*row.lost_by, *([previous] if reason in _LOST else [])}),
        assigned_because="",
        waiting_since=row.waiting_since or tx.now,
    )
    if previous is not None:
        await drop_load(tx, previous)
    view = await session_view(tx, session_id)
    tx.emit(SessionRequeued(session=view, previous_servicer_id=previous, reason=reason))
    return view


async def serve_natively(
    tx: Tx, thread: Thread, row: SessionRow, servicer_id: str, *, because: str
) -> SessionView:
    """Somebody took the session in the platform's client: follow what happened there."""
    previous = row.servicer_id
    if previous == servicer_id and row.state == SessionState.SERVING:
        return await session_view(tx, row.id)
    del thread
    row.mode = ServiceMode.NATIVE
    await take_load(tx, servicer_id, within_capacity=False)
    action = Action.TRANSFER if row.state == SessionState.SERVING else Action.ASSIGN
    choice = Choice(servicer_id, because)
    await _serve(tx, row, action, choice, how="native")
    if previous is not None:
        await drop_load(tx, previous)
    return await session_view(tx, row.id)


async def close(
    tx: Tx, session_id: str, *, reason: str, by: Actor, is_native_end: bool = False
) -> SessionView:
    """End a session; a served one asks for a rating in the same flow.

    is_native_end: it was ended in the platform's client, which need not be told.
    Raises: Forbidden, InvalidTransition.
    """
    row = await get_session(tx, session_id, lock=True)
    if by.user_id is not None:
        _check_mine(row, by)
    before = SessionState(row.state)
    was_served = row.assigned_at is not None
    await move(tx, row, Action.CLOSE, closed_at=tx.now, close_reason=reason, waiting_since=None)
    if before == SessionState.SERVING and row.servicer_id is not None:
        await drop_load(tx, row.servicer_id)
    if not is_native_end:
        thread = await get_thread(tx, row.conversation_id)
        await farewell.end(tx, thread, row, was_served=was_served)
    view = await session_view(tx, session_id)
    tx.emit(SessionClosed(session=view, reason=reason, previous_state=before))
    return view


async def remind(tx: Tx, session_id: str) -> None:
    """Ask a silent customer, once, whether there is anything else."""
    row = await get_session(tx, session_id, lock=True)
    if row.state != SessionState.SERVING or row.reminded_at is not None:
        return
    row.reminded_at = tx.now
    thread = await get_thread(tx, row.conversation_id)
    await tell(tx, thread, row.id, tx.settings.get(Reception).customer_silent_text)


async def note_heard(tx: Tx, row: SessionRow, *, from_customer: bool) -> None:
    """Keep the clocks that a message moves: who waits since when, who answered first."""
    if from_customer:
        row.reminded_at = None
        if row.waiting_since is None:
            row.waiting_since = tx.now
        return
    row.waiting_since = None
    row.last_servicer_at = tx.now
    if row.first_response_at is None:
        row.first_response_at = tx.now
        await tx.db.flush()
        tx.emit(SessionUpdated(session=await session_view(tx, row.id)))


async def _serve(
    tx: Tx,
    row: SessionRow,
    action: Action,
    choice: Choice,
    *,
    how: How,
    by: Actor | None = None,
) -> None:
    """Make a session someone's; load has been counted in by the caller."""
    previous = row.servicer_id
    await move(
        tx,
        row,
        action,
        servicer_id=choice.servicer_id,
        assigned_at=row.assigned_at or tx.now,
        handed_off_at=row.handed_off_at or tx.now,
        assigned_because=choice.because[:200],
    )
    servicer = await tx.db.get_one(ServicerRow, choice.servicer_id, populate_existing=True)
    thread = await get_thread(tx, row.conversation_id)
    if how != "native":
        await _greet_or_hand_over(tx, thread, row, servicer, how)
    tx.emit(
        SessionAssigned(
            session=await session_view(tx, row.id),
            how=how,
            previous_servicer_id=previous,
            by=by.name if by else None,
        )
    )


async def _greet_or_hand_over(
    tx: Tx, thread: Thread, row: SessionRow, servicer: ServicerRow, how: How
) -> None:
    """CONSOLE: tell the customer who is there. NATIVE: give the platform's session to them."""
    words = tx.settings.get(Reception)
    template = words.transferred_text if how == "transferred" else words.assigned_text
    greeting = Text(text=template.replace("{servicer}", servicer.name))
    if row.mode == ServiceMode.NATIVE and servicer.wecom_userid is not None:
        ref = servicer.wecom_userid
        await hand_over(tx, thread, row.id, "servicer", servicer_ref=ref, farewell=greeting)
        return
    await tell(tx, thread, row.id, greeting.text)


async def _head_start(tx: Tx, thread: Thread) -> timedelta:
    """What a contract level is worth in the queue; bounded, so that nobody starves."""
    words = tx.settings.get(Reception)
    level = await contract_level_of(tx, thread.customer.id)
    return timedelta(seconds=words.vip_bonus_s if level in words.vip_levels else 0)


def _servicer_of(by: Actor) -> str:
    by.require(Permission.SESSION_SERVE)
    if by.servicer_id is None:
        raise Forbidden("not_a_servicer")
    return by.servicer_id


def _check_mine(row: SessionRow, by: Actor) -> None:
    by.require(Permission.SESSION_SERVE)
    if row.servicer_id != by.servicer_id and not by.may(Permission.SESSION_SUPERVISE):
        raise Forbidden("not_my_session")
