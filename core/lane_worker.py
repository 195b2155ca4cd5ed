"""Works through lanes: claims them by lease, several at once, each of them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from core import lanes
from core.db import UnitOfWork
from core.lanes import Kind, Lane
from core.ports import WakeUp
from core.worker import Sleeper

log = logging.getLogger(__name__)

Work = Callable[[Lane], Awaitable[None]]


class LaneWorker:
    """One per process and direction. `work` empties a lane and gives it back."""

    AT_ONCE: Final = 16
    #: A claim is a transaction: when all hands are full, so many must be free before the next.
    CLAIMED_TOGETHER: Final = 4

    def __init__(
        self, uow: UnitOfWork, wake: WakeUp, *, kind: Kind, topic: str, worker: str, work: Work
    ) -> None:
        self._uow = uow
        self._kind = kind
        self._worker = worker
        self._do = work
        self._sleeper = Sleeper(wake, topic)

    async def run(self) -> None:
        """Work until cancelled; lanes in hand are abandoned to their lease."""
        running: set[asyncio.Task[None]] = set()
        async with self._sleeper.awake(), asyncio.TaskGroup() as group:
            group.create_task(self._keep(running))
            while True:
                room = self.AT_ONCE - len(running)
                claimed, pause_s = await self._claim(room)
                for lane in claimed:
                    task = group.create_task(self._work(lane))
                    running.add(task)
                    task.add_done_callback(running.discard)
                if len(claimed) < room:
                    await self._sleeper.sleep(pause_s)
                while len(running) > self.AT_ONCE - self.CLAIMED_TOGETHER:
                    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)

    async def drain(self) -> int:
        """Work through what is ready now. Returns how many lanes that were."""
        worked = 0
        while claimed := (await self._claim(self.AT_ONCE))[0]:
            await asyncio.gather(*(self._work(lane) for lane in claimed))
            worked += len(claimed)
        return worked

    async def _keep(self, running: set[asyncio.Task[None]]) -> None:
        """Renew the leases of lanes in hand; slow work must not look like a dead worker."""
        while True:
            await asyncio.sleep(lanes.LEASE.total_seconds() / 3)
            if not running:
                continue
            with contextlib.suppress(Exception):  # a missed renewal costs nothing but a repeat
                async with self._uow.write() as tx:
                    await lanes.renew(tx, self._kind, worker=self._worker)

    async def _claim(self, limit: int) -> tuple[list[Lane], float]:
        """Lanes that are ours now; and for how many seconds no other gets ready by itself."""
        try:
            async with self._uow.write() as tx:
                found = await lanes.claim(tx, self._kind, worker=self._worker, limit=limit)
                ready_at = await lanes.next_ready_at(tx, self._kind)
        except Exception:  # the loop must live on; the lanes stay for the next round
            log.exception("Claiming lanes failed.", extra={"action": f"lanes.{self._kind}"})
            return [], 1.0
        if ready_at is None:
            return found, Sleeper.LONGEST_S
        return found, max(0.0, (ready_at - tx.now).total_seconds())

    async def _work(self, lane: Lane) -> None:
        try:
            await self._do(lane)
        except Exception:  # one broken lane must not stop the others; its lease runs out
            log.exception("A lane failed.", extra={"action": f"lanes.{self._kind}"})
