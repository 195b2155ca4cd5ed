"""The timer runner: hands due timers to the function that belongs to their kind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from core.db import UnitOfWork
from core.errors import Conflict
from core.ports import SendFailure, WakeUp
from core.timers.service import WAKE_TOPIC, Timer, claim_due, next_due_at, retry_at
from core.worker import Sleeper

log = logging.getLogger(__name__)

#: A job thinks, then ends its timer in the transaction of its effects (`timers.service.finish`).
Job = Callable[[Timer], Awaitable[None]]
#: The same for many timers of one kind in one transaction; must do for a single one too.
BatchJob = Callable[[Sequence[Timer]], Awaitable[None]]

_AT_ONCE: Final = 32
_BACKOFF_S: Final = (2, 10, 60, 300, 1800)


class TimerRunner:
    """One per process; processes share the work through leases."""

    def __init__(
        self,
        uow: UnitOfWork,
        jobs: Mapping[str, Job],
        wake: WakeUp,
        batches: Mapping[str, BatchJob] | None = None,
    ) -> None:
        self._uow = uow
        self._batches = dict(batches or {})
        self._jobs = dict(jobs) | {kind: _one_by_one(job) for kind, job in self._batches.items()}
        self._sleeper = Sleeper(wake, WAKE_TOPIC)

    async def run(self) -> None:
        """Work until cancelled. A slow job (a download, a picture) keeps no other waiting."""
        running: dict[asyncio.Task[None], int] = {}
        async with self._sleeper.awake(), asyncio.TaskGroup() as group:
            while True:
                due = await self._claim(_AT_ONCE - sum(running.values()))
                for some in self._shared(due):
                    task = group.create_task(self._work_all(some), name=f"timer:{some[0].kind}")
                    running[task] = len(some)
                    task.add_done_callback(running.pop)
                if sum(running.values()) >= _AT_ONCE:
                    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                elif not due:
                    await self._sleeper.sleep(await self._pause_s())

    async def run_due(self) -> int:
        """Do what is due now, and wait for it. Returns how many timers were worked on."""
        due = await self._claim(_AT_ONCE)
        await asyncio.gather(*(self._work_all(some) for some in self._shared(due)))
        return len(due)

    async def _claim(self, limit: int) -> list[Timer]:
        try:
            async with self._uow.write() as tx:
                return await claim_due(tx, limit=limit)
        except Exception:  # the loop must live on
            log.exception("Claiming timers failed.", extra={"action": "timers.claim"})
            await asyncio.sleep(1)
            return []

    def _shared(self, due: Sequence[Timer]) -> list[list[Timer]]:
        """Timers that one transaction works on: those of a kind that can, and the others alone."""
        together: dict[str, list[Timer]] = {}
        for timer in due:
            key = timer.kind if timer.kind in self._batches else timer.id
            together.setdefault(key, []).append(timer)
        return list(together.values())

    async def _work_all(self, due: Sequence[Timer]) -> None:
        if len(due) > 1:
            try:
                await self._batches[due[0].kind](due)
            except Exception:  # one of them is broken: the others are done one by one
                log.warning(
                    "Timers could not be worked on together.",
                    extra={"action": "timers.split", "kind": due[0].kind},
                    exc_info=True,
                )
            else:
                return
        for timer in due:
            await self._work(timer)

    async def _work(self, timer: Timer) -> None:
        try:
            await self._jobs[timer.kind](timer)
        except Conflict:
            log.debug("A timer was moved meanwhile.", extra={"action": "timers.moved"})
        except SendFailure as failure:  # a platform's no is no defect of ours
            log.warning(
                "A timer's job was put off: %s", failure.reason,
                extra={"action": "timers.put_off", "kind": timer.kind},
            )  # fmt: skip
            await self._put_off(timer, failure.retry_after_s)
        except Exception:  # one broken job must not stop the others
            log.exception(
                "A timer's job failed.", extra={"action": "timers.failed", "kind": timer.kind}
            )
            await self._put_off(timer)

    async def _put_off(self, timer: Timer, wait: float | None = None) -> None:
        if wait is None:
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


def _one_by_one(job: BatchJob) -> Job:
    return lambda timer: job((timer,))
