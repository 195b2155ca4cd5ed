"""The timer runner: hands due timers to the function that belongs to their kind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from core.db import UnitOfWork
from core.errors import Conflict
from core.ports import WakeUp
from core.timers.service import WAKE_TOPIC, Timer, claim_due, next_due_at, retry_at
from core.worker import Sleeper

log = logging.getLogger(__name__)

#: A job thinks, then ends its timer in the transaction of its effects (`timers.service.finish`).
Job = Callable[[Timer], Awaitable[None]]

_AT_ONCE: Final = 32
_BACKOFF_S: Final = (2, 10, 60, 300, 1800)


class TimerRunner:
    """One per process; processes share the work through leases."""

    def __init__(self, uow: UnitOfWork, jobs: Mapping[str, Job], wake: WakeUp) -> None:
        self._uow = uow
        self._jobs = dict(jobs)
        self._sleeper = Sleeper(wake, WAKE_TOPIC)

    async def run(self) -> None:
        """Work until cancelled. A slow job (a download, a picture) keeps no other waiting."""
        running: set[asyncio.Task[None]] = set()
        async with self._sleeper.awake(), asyncio.TaskGroup() as group:
            while True:
                due = await self._claim(_AT_ONCE - len(running))
                for timer in due:
                    task = group.create_task(self._work(timer), name=f"timer:{timer.kind}")
                    running.add(task)
                    task.add_done_callback(running.discard)
                if len(running) >= _AT_ONCE:
                    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                elif not due:
                    await self._sleeper.sleep(await self._pause_s())

    async def run_due(self) -> int:
        """Do what is due now, and wait for it. Returns how many timers were worked on."""
        due = await self._claim(_AT_ONCE)
        await asyncio.gather(*(self._work(timer) for timer in due))
        return len(due)

    async def _claim(self, limit: int) -> list[Timer]:
        try:
            async with self._uow.write() as tx:
                return await claim_due(tx, limit=limit)
        except Exception:  # the loop must live on
            log.exception("Claiming timers failed.", extra={"action": "timers.claim"})
            await asyncio.sleep(1)
            return []

    async def _work(self, timer: Timer) -> None:
        try:
            await self._jobs[timer.kind](timer)
        except Conflict:
            log.debug("A timer was moved meanwhile.", extra={"action": "timers.moved"})
        except Exception:  # one broken job must not stop the others
            log.exception(
                "A timer's job failed.", extra={"action": "timers.failed", "kind": timer.kind}
            )
            await self._put_off(timer)

    async def _put_off(self, timer: Timer) -> None:
        wait = _BACKOFF_S[min(timer.attempts, len(_BACKOFF_S)) - 1]
        async with self._uow.write() as tx:
            await retry_at(tx, timer, tx.now + timedelta(seconds=wait))

    async def _pause_s(self) -> float:
        with contextlib.suppress(Exception):
            async with self._uow.read() as tx:
                due_at = await next_due_at(tx)
                if due_at is not None:
                    return max(0.0, (due_at - tx.now).total_seconds())
        return Sleeper.LONGEST_S
