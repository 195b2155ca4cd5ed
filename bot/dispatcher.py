"""Takes inbox rows lane by lane and walks each update through middlewares and routers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from pydantic import ValidationError

from bot.context import Context, Tools
from bot.middlewares.base import Middleware, stack
from bot.recovery import apologise
from bot.router import Outcome, Router
from channels.update import Update, from_inbox
from core import inbox, lanes
from core.content import Address
from core.errors import Conflict
from core.inbox import PendingUpdate
from core.lane_worker import LaneWorker
from core.lanes import Lane
from core.ports import WakeUp
from core.sessions.situation import situation

log = logging.getLogger(__name__)

#: Waits before an update is tried again, in seconds; after the last the customer is apologised to.
RETRIES_S: Final = (0.5, 2, 10)


class Dispatcher:
    """One per process; processes share the work through leases, order per Address is kept."""

    def __init__(
        self,
        tools: Tools,
        root: Router,
        wake: WakeUp,
        *,
        worker: str,
        middlewares: Sequence[Middleware] = (),
    ) -> None:
        self._tools = tools
        self._root = root
        self._handle = stack(middlewares, self._route)
        self._lanes = LaneWorker(
            tools.uow, wake, kind="in", topic=inbox.WAKE_TOPIC, worker=worker, work=self._empty
        )

    async def run(self) -> None:
        """Handle updates until cancelled."""
        await self._lanes.run()

    async def drain(self) -> int:
        """Handle what waits now. For tests."""
        return await self._lanes.drain()

    async def _empty(self, lane: Lane) -> None:
        async with self._tools.uow.read() as tx:
            waiting = await inbox.pending(tx, lane.address_key)
        for pending in waiting:
            if not await self._try(lane, pending):
                return
        async with self._tools.uow.write() as tx:
            await lanes.release(tx, lane)

    async def _try(self, lane: Lane, pending: PendingUpdate) -> bool:
        """Handle one update; False when the lane has to wait and was given back."""
        try:
            await self._one(pending)
        except Conflict as conflict:
            if conflict.code == "update_already_done":
                return True  # another worker, after our lease ran out
            return await self._failed(lane, pending, conflict)
        except Exception as error:  # the loop must live on; the update is tried again
            log.exception(
                "An update failed.",
                extra={"action": "update.failed", "inbox_id": pending.inbox_id},
            )
            return await self._failed(lane, pending, error)
        return True

    async def _one(self, pending: PendingUpdate) -> None:
        try:
            update = from_inbox(pending.payload)
        except ValidationError:
            log.exception("An unreadable update.", extra={"action": "update.unreadable"})
            async with self._tools.uow.write() as tx:
                await inbox.mark_failed(tx, pending.inbox_id, "unreadable")
            return
        async with self._tools.uow.read() as tx:
            now = await situation(tx, update.address)
        ids = {"inbox_id": str(pending.inbox_id), "update_type": update.type}
        if now is not None:
            ids["conversation_id"] = now.conversation_id
        await self._handle(update, Context(self._tools, update, pending.inbox_id, now, ids))

    async def _route(self, update: Update, ctx: Context) -> None:
        if await self._root.route(update, ctx) is Outcome.UNHANDLED:
            log.info("Nobody handled an update.", extra={"action": "update.unhandled", **ctx.log})
            async with self._tools.uow.write() as tx:
                await inbox.mark_done(tx, ctx.inbox_id)

    async def _failed(self, lane: Lane, pending: PendingUpdate, error: Exception) -> bool:
        """Try again a little later; after the last try apologise and hand off."""
        word = type(error).__name__
        if pending.attempts < len(RETRIES_S):
            async with self._tools.uow.write() as tx:
                await inbox.note_attempt(tx, pending.inbox_id, word)
                wait = timedelta(seconds=RETRIES_S[pending.attempts])
                await lanes.release(tx, lane, ready_at=tx.now + wait)
            return False
        await apologise(self._tools, Address.parse(pending.address_key), pending, word)
        return True
