"""Whoever closes the console, or loses the network, goes offline after a while.

Unless they said in the app how they are: that holds without a console.

Each open console socket renews a timer; when nobody renews it any more, it fires. So it makes no
difference whether the person, the network or the whole process went away.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import select

from core.actor import Actor
from core.db import Tx, UnitOfWork
from core.servicers.models import ServicerRow
from core.servicers.service import set_presence
from core.settings.reception import Reception
from core.timers.models import TimerRow
from core.timers.service import Timer, finish, set_timer
from core.views import Presence

ABSENCE_TIMER: Final = "servicer.absence"


async def needs_renewal(tx: Tx, servicer_id: str) -> bool:
    """True when less than half of the grace is left. A read, so that most pings write nothing."""
    due_at = await tx.db.scalar(
        select(TimerRow.due_at).where(TimerRow.kind == ABSENCE_TIMER, TimerRow.key == servicer_id)
    )
    return due_at is None or due_at - tx.now < _grace(tx) / 2


async def renew(tx: Tx, servicer_id: str) -> None:
    """Somebody looks at the console of this servicer at this moment."""
    await set_timer(tx, ABSENCE_TIMER, servicer_id, tx.now + _grace(tx))


async def go_offline(uow: UnitOfWork, timer: Timer) -> None:
    """The job behind the timer: nobody has looked for the whole grace."""
    async with uow.write() as tx:
        await finish(tx, timer)
        row = await tx.db.get(ServicerRow, timer.key)
        if row is not None and not row.stays:
            await set_presence(tx, row.id, Presence.OFFLINE, by=Actor.system("absence"))


def _grace(tx: Tx) -> timedelta:
    return timedelta(seconds=tx.settings.get(Reception).away_grace_s)
