"""The outbox sender: hands parcels to their platform in order and records the answer."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from core import lanes, outbox
from core.conversations import deliveries
from core.db import UnitOfWork
from core.errors import Conflict, DomainError
from core.lane_worker import LaneWorker
from core.lanes import Lane
from core.outbox import Parcel
from core.ports import MessageSender, Receipt, SendFailure, WakeUp

log = logging.getLogger(__name__)

#: Waits between attempts when the platform names none, in seconds; the last one repeats.
BACKOFF_S: Final = (1, 2, 5, 15, 30, 60, 120, 300)
#: After this a parcel becomes a dead letter that people see: the reply window is over anyway.
GIVE_UP_AFTER: Final = timedelta(hours=48)
_RETRIED_KINDS: Final = frozenset({"retry", "bad_credentials"})


class OutboxSender:
    """One per process; processes share the work through leases."""

    def __init__(
        self, uow: UnitOfWork, sender: MessageSender, wake: WakeUp, *, worker: str
    ) -> None:
        self._uow = uow
        self._sender = sender
        self._lanes = LaneWorker(
            uow, wake, kind="out", topic=outbox.WAKE_TOPIC, worker=worker, work=self._empty
        )

    async def run(self) -> None:
        """Send until cancelled."""
        await self._lanes.run()

    async def drain(self) -> int:
        """Send what is ready now; for tests and orderly shutdown."""
        return await self._lanes.drain()

    async def _empty(self, lane: Lane) -> None:
        async with self._uow.read() as tx:
            parcels = await outbox.pending(tx, lane.address_key)
        for index, parcel in enumerate(parcels):
            is_last = index == len(parcels) - 1
            if not await self._deliver(lane, parcel, is_last=is_last):
                return
        if not parcels:
            async with self._uow.write() as tx:
                await lanes.release(tx, lane)

    async def _deliver(self, lane: Lane, parcel: Parcel, *, is_last: bool) -> bool:
        """Send one parcel; False when the lane has to wait (and was given back)."""
        try:
            outcome: Receipt | SendFailure = await self._sender.send(parcel.item)
        except SendFailure as failure:
            outcome = failure
        except DomainError as error:  # its file is gone, for one: trying again brings nothing
            outcome = SendFailure(error.code)
        if isinstance(outcome, SendFailure) and self._is_worth_retrying(parcel, outcome):
            await self._put_off(lane, parcel, outcome)
            return False
        try:
            async with self._uow.write() as tx:
                if isinstance(outcome, SendFailure):
                    await deliveries.refused(tx, parcel, outcome)
                else:
                    await deliveries.delivered(tx, parcel, outcome)
                if is_last:
                    await lanes.release(tx, lane)
        except Conflict:
            log.warning(
                "A parcel was settled by another sender.", extra={"action": "outbox.twice"}
            )
            return False
        return True

    def _is_worth_retrying(self, parcel: Parcel, failure: SendFailure) -> bool:
        age = self._uow.clock.now() - parcel.created_at
        return failure.kind in _RETRIED_KINDS and age < GIVE_UP_AFTER

    async def _put_off(self, lane: Lane, parcel: Parcel, failure: SendFailure) -> None:
        wait = failure.retry_after_s
        if wait is None:
            wait = BACKOFF_S[min(parcel.attempts, len(BACKOFF_S) - 1)]
        log.warning(
            "Sending was put off.",
            extra={"action": "outbox.retry", "code": failure.vendor_code, "wait_s": wait},
        )
        async with self._uow.write() as tx:
            await outbox.note_attempt(tx, parcel, failure.reason)
            await lanes.release(tx, lane, ready_at=tx.now + timedelta(seconds=wait))
