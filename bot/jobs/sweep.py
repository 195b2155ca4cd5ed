"""The slow net under everything that runs on events: idle sessions end, the queue moves."""

from __future__ import annotations

from datetime import timedelta

from core.actor import Actor
from core.db import UnitOfWork
from core.errors import Conflict
from core.sessions.drain import drain_queue
from core.sessions.idle import idle_bot_sessions
from core.sessions.service import close
from core.settings.sections import Reception


async def sweep_sessions(uow: UnitOfWork) -> None:
    """End bot sessions in which nobody has said anything for long; give the queue a push."""
    async with uow.read() as tx:
        silence = timedelta(seconds=tx.settings.get(Reception).bot_close_s)
        idle = await idle_bot_sessions(tx, silence)
    for session_id in idle:
        try:
            async with uow.write() as tx:
                await close(tx, session_id, reason="silent", by=Actor.system("sweep"))
        except Conflict:
            continue
    await drain_queue(uow)
