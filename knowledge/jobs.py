"""The work that timers start: dates of articles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from core.db import UnitOfWork
from core.timers import service as timers
from core.timers.service import Timer
from knowledge import lifetimes

Job = Callable[[Timer], Awaitable[None]]


def timer_jobs(uow: UnitOfWork) -> dict[str, Job]:
    """Every kind of timer that the knowledge base sets, and what it does."""

    async def ring(timer: Timer) -> None:
        async with uow.write() as tx:
            await lifetimes.ring(tx, timer)
            await timers.finish(tx, timer)

    return dict.fromkeys(lifetimes.KINDS, ring)
