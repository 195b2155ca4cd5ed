"""The slow net under everything that runs on events: time-outs of sessions, the queue moves."""

from __future__ import annotations

from bot.jobs.each import each
from bot.jobs.waiting import tell_waiting
from core.actor import Actor
from core.db import Tx, UnitOfWork
from core.events import AlarmRaised
from core.sessions.drain import drain_queue
from core.sessions.idle import (
    idle_bot_sessions,
    silent_customers,
    slow_sessions,
    unanswered_sessions,
)
from core.sessions.service import close, remind, requeue, warn_of_silence

_SYSTEM = Actor.system("sweep")


async def sweep_sessions(uow: UnitOfWork) -> None:
    """Apply every time-out rule once; each session in a transaction of its own."""
    async with uow.read() as tx:
        idle = await idle_bot_sessions(tx)
        unanswered = await unanswered_sessions(tx)
        slow = await slow_sessions(tx)
        to_remind, to_end = await silent_customers(tx)
    for session_id in idle:
        await each(uow, close, session_id, reason="silent", by=_SYSTEM)
    for session_id, why in unanswered:
        await each(uow, _take_away, session_id, why=why)
    for session_id in slow:
        await each(uow, warn_of_silence, session_id)
    ending = set(to_end)
    for session_id in to_remind:
        if session_id not in ending:
            await each(uow, remind, session_id)
    for session_id in to_end:
        await each(uow, close, session_id, reason="customer_silent", by=_SYSTEM)
    await drain_queue(uow)
    await tell_waiting(uow)


async def _take_away(tx: Tx, session_id: str, *, why: str) -> None:
    """The customer waits and nobody answers: supervisors hear of it, somebody else gets it."""
    view = await requeue(tx, session_id, reason=why)
    facts = {"customer": view.customer_name}
    if why == "servicer_offline":
        tx.emit(AlarmRaised(code="servicer_offline", session_id=session_id, facts=facts))
    else:
        tx.emit(AlarmRaised(code="servicer_silent", session_id=session_id, facts=facts))
