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
from core.lanes import Hold, Lane
from core.ports import WakeUp
from core.sessions.situation import Situation, situation

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
        hold, ended = Hold(lane), 0
        while hold.lane is not None:
            address = Address.parse(lane.address_key)
            async with self._tools.uow.read() as tx:
                waiting = await inbox.pending(tx, lane.address_key, limit=2)
                now = await situation(tx, address) if waiting else None
            if waiting and waiting[0].inbox_id != ended:
                ended = waiting[0].inbox_id
                await self._try(waiting[0], now, hold, is_last=len(waiting) == 1)
                continue
            async with self._tools.uow.write() as tx:
                if waiting:  # its handler forgot to end it: once is enough
                    await inbox.mark_failed(tx, ended, "not_ended")
                rest = await hold.release(tx)
            hold.lane = rest

    async def _try(
        self, pending: PendingUpdate, now: Situation | None, hold: Hold, *, is_last: bool
    ) -> None:
        """Handle one update, or put the lane off."""
        try:
            await self._one(pending, now, hold if is_last else None)
        except Conflict as conflict:
            if conflict.code != "update_already_done":  # by another worker, after our lease
                await self._failed(hold, pending, conflict)
        except Exception as error:  # the loop must live on; the update is tried again
            log.exception(
                "An update failed.",
                extra={"action": "update.failed", "inbox_id": pending.inbox_id},
            )
            await self._failed(hold, pending, error)

    async def _one(self, pending: PendingUpdate, now: Situation | None, hold: Hold | None) -> None:
        try:
            update = from_inbox(pending.payload)
        except ValidationError:
            log.exception("An unreadable update.", extra={"action": "update.unreadable"})
            async with self._tools.uow.write() as tx:
                await inbox.mark_failed(tx, pending.inbox_id, "unreadable")
            return
        ids = {"inbox_id": str(pending.inbox_id), "update_type": update.type}
        if now is not None:
            ids["conversation_id"] = now.conversation_id
        await self._handle(update, Context(self._tools, update, pending.inbox_id, now, ids, hold))

    async def _route(self, update: Update, ctx: Context) -> None:
        if await self._root.route(update, ctx) is Outcome.UNHANDLED:
            log.info("Nobody handled an update.", extra={"action": "update.unhandled", **ctx.log})
            async with self._tools.uow.write() as tx:
                await inbox.mark_done(tx, ctx.inbox_id)

    async def _failed(self, hold: Hold, pending: PendingUpdate, error: Exception) -> None:
        """Try again a little later; after the last try apologise and hand off."""
        word, lane = type(error).__name__, hold.lane
        if lane is None:
            return  # its effects are written; only what came after them failed
        if pending.attempts < len(RETRIES_S):
            async with self._tools.uow.write() as tx:
                await inbox.note_attempt(tx, pending.inbox_id, word)
                wait = timedelta(seconds=RETRIES_S[pending.attempts])
                await lanes.put_off(tx, lane, tx.now + wait)
            hold.lane = None
            return
        await apologise(self._tools, Address.parse(pending.address_key), pending, word)
