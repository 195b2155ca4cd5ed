"""Jobs that come round: a timer that sets itself again, in the transaction that ends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from core.db import UnitOfWork
from core.timers import service as timers
from core.timers.runner import Job
from core.timers.service import Timer


@dataclass(frozen=True, slots=True)
class Recurring:
    """Run `work` every `every`; a run that fails is tried again with back-off."""

    every: timedelta
    work: Callable[[], Awaitable[None]]


def jobs(uow: UnitOfWork, recurring: Mapping[str, Recurring]) -> dict[str, Job]:
    return {kind: _job(uow, one) for kind, one in recurring.items()}


def _job(uow: UnitOfWork, recurring: Recurring) -> Job:
    async def run(timer: Timer) -> None:
        await recurring.work()
        async with uow.write() as tx:
            await timers.finish(tx, timer)
            await timers.set_timer(tx, timer.kind, timer.key, tx.now + recurring.every)

    return run


async def ensure(uow: UnitOfWork, recurring: Mapping[str, Recurring]) -> None:
    """Make sure that each job has its timer; those that wait are left alone."""
    async with uow.write() as tx:
        for kind in recurring:
            if not await timers.is_set(tx, kind, timers.ROUND_KEY):
                await timers.set_timer(tx, kind, timers.ROUND_KEY, tx.now)


async def run_soon(uow: UnitOfWork, kind: str) -> None:
    """Bring a recurring job forward to now."""
    async with uow.write() as tx:
        await timers.set_timer(tx, kind, timers.ROUND_KEY, tx.now)
