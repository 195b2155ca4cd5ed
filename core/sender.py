"""The outbox sender: hands parcels to their platform in order and records the answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from core import lanes, outbox
from core.conversations import deliveries
from core.db import Tx, UnitOfWork
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
#: Parcels of one address that are recorded together.
_AT_ONCE: Final = 20

_Answered = tuple[Parcel, Receipt | SendFailure]


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
        held: Lane | None = lane
        while held is not None:
            held = await self._round(held)

    async def _round(self, lane: Lane) -> Lane | None:
        """Hand over what waits and record all answers at once; None when the lane is given back.

        A crash before the record sends again: the platform knows our ids.
        """
        async with self._uow.read() as tx:
            parcels = await outbox.pending(tx, lane.address_key, limit=_AT_ONCE)
        answered: list[_Answered] = []
        for parcel in parcels:
            outcome = await self._hand_over(parcel)
            if isinstance(outcome, SendFailure) and self._is_worth_retrying(parcel, outcome):
                await self._put_off(lane, answered, parcel, outcome)
                return None
            answered.append((parcel, outcome))
        try:
            async with self._uow.write() as tx:
                await _record(tx, answered)
                is_empty = len(parcels) < _AT_ONCE
                return await lanes.release(tx, lane) if is_empty else lane
        except Conflict:
            log.warning(
                "A parcel was settled by another sender.", extra={"action": "outbox.twice"}
            )
            return None

    async def _hand_over(self, parcel: Parcel) -> Receipt | SendFailure:
        try:
            return await self._sender.send(parcel.item)
        except SendFailure as failure:
            return failure
        except DomainError as error:  # its file is gone, for one: trying again brings nothing
            return SendFailure(error.code)

    def _is_worth_retrying(self, parcel: Parcel, failure: SendFailure) -> bool:
        age = self._uow.clock.now() - parcel.created_at
        return failure.kind in _RETRIED_KINDS and age < GIVE_UP_AFTER

    async def _put_off(
        self, lane: Lane, answered: Sequence[_Answered], parcel: Parcel, failure: SendFailure
    ) -> None:
        wait = failure.retry_after_s
        if wait is None:
            wait = BACKOFF_S[min(parcel.attempts, len(BACKOFF_S) - 1)]
        log.warning(
            "Sending was put off.",
            extra={"action": "outbox.retry", "code": failure.vendor_code, "wait_s": wait},
        )
        async with self._uow.write() as tx:
            await _record(tx, answered)
            await outbox.note_attempt(tx, parcel, failure.reason)
            await lanes.put_off(tx, lane, tx.now + timedelta(seconds=wait))


async def _record(tx: Tx, answered: Sequence[_Answered]) -> None:
    for parcel, outcome in answered:
        if isinstance(outcome, SendFailure):
            await deliveries.refused(tx, parcel, outcome)
        else:
            await deliveries.delivered(tx, parcel, outcome)
