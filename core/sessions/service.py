"""The only writer of sessions: open, hand off, assign, transfer, take over, close.

Every state change goes through `moves.move`: the table decides, a compare-and-set makes it atomic,
the servicers' loads follow in the same transaction. Lock order: conversation, session
(`moves.hold_session`), then servicers.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from core.actor import Actor
from core.assignment.routing import (
    destinations,
    reception_mode,
)
from core.assignment.strategy import Choice
from core.conversations.queries import said_last
from core.conversations.threads import Thread
from core.customers.queries import contract_level_of
from core.db import Tx
from core.errors import Conflict, Forbidden, Invalid
from core.events import (
    AlarmRaised,
    SessionClosed,
    SessionHandedOff,
    SessionOpened,
    SessionRequeued,
    SessionUpdated,
)
from core.ids import new_id
from core.permissions import Permission
from core.queues.words import promise_of, queue_words
from core.servicers.models import ServicerRow
from core.servicers.service import drop_load, hold_both, take_load
from core.sessions import farewell
from core.sessions.assigning import assign_held, check_eligible, places_of, route_of
from core.sessions.conclusion import Conclusion, settle
from core.sessions.models import SessionRow
from core.sessions.moves import check_mine, hold_session, move, tell
from core.sessions.queries import session_view
from core.sessions.queue import queue_state, somebody_waits
from core.sessions.serving import serve
from core.sessions.states import Action
from core.sessions.waiting import tell_standing
from core.settings.reception import Reception
from core.teams.models import TeamRow
from core.views import Presence, ServiceMode, SessionState, SessionView

#: Reasons for which a session is taken away: whoever lost it is asked last.
_LOST = frozenset({"servicer_silent", "servicer_offline", "transferred"})


async def open_session(tx: Tx, thread: Thread, *, topic: str = "") -> SessionRow:
    """Begin an episode of service; the bot has it first."""
    thread.conversation.last_customer_text = ""
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
    row, _ = await hold_session(tx, session_id)
    if reason == "asked":
        thread.conversation.last_customer_text = await said_last(tx, row.id)
    places = await destinations(tx, row.customer_id, thread.account.team_id)
    await move(
        tx,
        row,
        Action.HAND_OFF,
        handed_off_at=tx.now,
        queued_at=tx.now,
        rank_at=tx.now - await _head_start(tx, thread),
        team_id=places[0].team_id,
        route=route_of(places),
        told_place=None,
        told_times=0,
        offered_at=None,
        handoff_reason=reason,
        mode=reception_mode(thread.account, places[0]),
        waiting_since=row.waiting_since or tx.now,
    )
    position, promise = await queue_state(tx, row)
    row.promised_wait_s = promise_of(tx, promise)
    view = await session_view(tx, row.id)
    tx.emit(SessionHandedOff(session=view, position=position, promised_wait_s=promise))
    is_alone = not await somebody_waits(tx, besides=row)
    if is_alone and await assign_held(tx, row, thread) is not None:
        return await session_view(tx, row.id)
    if notify:
        row.told_place = position
        await tell(tx, thread, row.id, queue_words(tx, position, promise))
    return view


async def claim(tx: Tx, session_id: str, *, by: Actor) -> SessionView:
    """Take a session out of the queue.

    Raises: Forbidden; Conflict (`not_queued`, `not_eligible`, `at_capacity`).
    """
    servicer_id = _servicer_of(by)
    row, thread = await hold_session(tx, session_id)
    if row.state != SessionState.QUEUED:
        raise Conflict("not_queued", state=row.state)
    await check_eligible(tx, row, servicer_id, team_id=row.team_id)
    if not await take_load(tx, servicer_id, within_capacity=True):
        raise Conflict("at_capacity")
    await serve(tx, row, thread, Action.ASSIGN, Choice(servicer_id, "主动领取"), how="claimed")
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
    row, thread = await hold_session(tx, session_id)
    check_mine(row, by)
    if note:
        await farewell.leave_note(tx, thread, row.id, note, by)
    if to_servicer is None:
        return await requeue(tx, session_id, reason="transferred", to_team=to_team)
    if to_servicer == row.servicer_id:
        raise Invalid("transfer_to_self", field="servicer_id")
    target = await tx.db.get(ServicerRow, to_servicer)
    if target is None or target.presence == Presence.OFFLINE:
        raise Invalid("servicer_unavailable", field="servicer_id")
    await check_eligible(tx, row, to_servicer, team_id=None)
    previous = row.servicer_id
    await hold_both(tx, previous, to_servicer)
    if not await take_load(tx, to_servicer, within_capacity=True):
        raise Conflict("at_capacity", servicer=target.name)
    action = Action.TRANSFER if row.state == SessionState.SERVING else Action.TAKE_OVER
    choice = Choice(to_servicer, f"由{by.name}转接")
    await serve(tx, row, thread, action, choice, how="transferred", by=by)
    if previous is not None:
        await drop_load(tx, previous)
    return await session_view(tx, session_id)


async def take_over(tx: Tx, session_id: str, *, by: Actor) -> SessionView:
    """A supervisor steps in; their limit does not count. Raises: Forbidden, Invalid."""
    by.require(Permission.SESSION_SUPERVISE)
    servicer_id = _servicer_of(by)
    row, thread = await hold_session(tx, session_id)
    previous = row.servicer_id
    if previous == servicer_id:
        raise Invalid("already_mine")
    await hold_both(tx, previous, servicer_id)
    await take_load(tx, servicer_id, within_capacity=False)
    choice = Choice(servicer_id, f"{by.name}接管")
    await serve(tx, row, thread, Action.TAKE_OVER, choice, how="takeover", by=by)
    if previous is not None:
        await drop_load(tx, previous)
    return await session_view(tx, session_id)


async def requeue(
    tx: Tx, session_id: str, *, reason: str, to_team: str | None = None
) -> SessionView:
    """Put a served session back into the queue, ahead of those that were never served."""
    row, thread = await hold_session(tx, session_id)
    previous = row.servicer_id
    if to_team is not None:
        row.team_id = to_team
    await move(
        tx,
        row,
        Action.REQUEUE,
        servicer_id=None,
        route=to_team or route_of(await places_of(tx, row)),
        told_place=None,
        told_times=0,
        promised_wait_s=None,
        offered_at=None,
        queued_at=tx.now,
        rank_at=tx.now - timedelta(seconds=tx.settings.get(Reception).returned_bonus_s),
        lost_by=_lost(row.lost_by, previous if reason in _LOST else None),
        assigned_because="",
        waiting_since=row.waiting_since or tx.now,
    )
    if previous is not None:
        await drop_load(tx, previous)
    view = await session_view(tx, session_id)
    tx.emit(SessionRequeued(session=view, previous_servicer_id=previous, reason=reason))
    await tell_standing(tx, row, thread)
    return view


async def serve_natively(
    tx: Tx, thread: Thread, row: SessionRow, servicer_id: str, *, because: str
) -> SessionView:
    """Somebody took the session in the platform's client: follow what happened there."""
    previous = row.servicer_id
    if previous == servicer_id and row.state == SessionState.SERVING:
        return await session_view(tx, row.id)
    row.mode = ServiceMode.NATIVE
    await hold_both(tx, previous, servicer_id)
    await take_load(tx, servicer_id, within_capacity=False)
    action = Action.TRANSFER if row.state == SessionState.SERVING else Action.ASSIGN
    choice = Choice(servicer_id, because)
    await serve(tx, row, thread, action, choice, how="native")
    if previous is not None:
        await drop_load(tx, previous)
    return await session_view(tx, row.id)


async def close(
    tx: Tx,
    session_id: str,
    *,
    reason: str,
    by: Actor,
    conclusion: Conclusion | None = None,
    is_native_end: bool = False,
) -> SessionView:
    """End a session; a served one asks for a rating in the same flow.

    is_native_end: it was ended in the platform's client, which need not be told.
    Raises: Forbidden, InvalidTransition; Invalid when a person leaves out what is required.
    """
    row, thread = await hold_session(tx, session_id)
    if by.user_id is not None or by.is_program:
        check_mine(row, by)
        await settle(tx, row, conclusion or Conclusion())
    before = SessionState(row.state)
    was_served = row.assigned_at is not None
    await move(tx, row, Action.CLOSE, closed_at=tx.now, close_reason=reason, waiting_since=None)
    if before == SessionState.SERVING and row.servicer_id is not None:
        await drop_load(tx, row.servicer_id)
    if not is_native_end:
        await farewell.end(tx, thread, row, was_served=was_served)
    view = await session_view(tx, session_id)
    tx.emit(SessionClosed(session=view, reason=reason, previous_state=before))
    return view


async def remind(tx: Tx, session_id: str) -> None:
    """Ask a silent customer, once, whether there is anything else."""
    row, thread = await hold_session(tx, session_id)
    if row.state != SessionState.SERVING or row.reminded_at is not None:
        return
    row.reminded_at = tx.now
    await tell(tx, thread, row.id, tx.settings.get(Reception).customer_silent_text)


async def warn_of_silence(tx: Tx, session_id: str) -> None:
    """The customer waits long for whoever has the session: those who answer for it are told."""
    row, _ = await hold_session(tx, session_id)
    if row.state != SessionState.SERVING or row.waiting_since is None:
        return
    row.warned_at = tx.now
    view = await session_view(tx, session_id)
    words = tx.settings.get(Reception)
    left_s = words.servicer_silent_s - words.servicer_slow_s
    facts = {
        "customer": view.customer_name,
        "servicer": view.servicer_name,
        "servicer_id": row.servicer_id or "",
        "owner_id": await _leader_of(tx, row) or "",
        "waited_s": str(int((tx.now - row.waiting_since).total_seconds())),
        "left_s": str(left_s) if row.mode == ServiceMode.CONSOLE else "",
    }
    tx.emit(AlarmRaised(code="servicer_slow", session_id=session_id, facts=facts))


async def _leader_of(tx: Tx, row: SessionRow) -> str | None:
    """The user who leads the session's team, unless they have it themselves."""
    return await tx.db.scalar(
        select(ServicerRow.user_id)
        .join(TeamRow, TeamRow.leader_id == ServicerRow.id)
        .where(TeamRow.id == row.team_id, ServicerRow.id != row.servicer_id)
    )


def note_heard(tx: Tx, row: SessionRow) -> None:
    """The customer spoke: since when they wait."""
    row.reminded_at = None
    if row.waiting_since is None:
        row.waiting_since = tx.now


async def note_answered(tx: Tx, row: SessionRow, servicer_id: str | None) -> None:
    """A person answered: nobody waits any more; who was first has the credit."""
    row.waiting_since = None
    row.last_servicer_at = tx.now
    if row.first_response_at is None:
        row.first_response_at = tx.now
        row.first_responder_id = servicer_id
        await tx.db.flush()
        tx.emit(SessionUpdated(session=await session_view(tx, row.id)))


async def _head_start(tx: Tx, thread: Thread) -> timedelta:
    """What a contract level is worth in the queue; bounded, so that nobody starves."""
    words = tx.settings.get(Reception)
    level = await contract_level_of(tx, thread.customer.id)
    return timedelta(seconds=words.vip_bonus_s if level in words.vip_levels else 0)


def _lost(known: list[str], servicer_id: str | None) -> list[str]:
    """In the order in which they lost it."""
    if servicer_id is None:
        return known
    return [*(one for one in known if one != servicer_id), servicer_id]


def _servicer_of(by: Actor) -> str:
    by.require(Permission.SESSION_SERVE)
    if by.servicer_id is None:
        raise Forbidden("not_a_servicer")
    return by.servicer_id
