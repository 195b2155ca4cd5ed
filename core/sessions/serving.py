"""A session becomes someone's, and the customer is told or handed over."""

from __future__ import annotations

from typing import Literal

from core.actor import Actor
from core.assignment.strategy import Choice
from core.content import Text
from core.conversations.service import hand_over
from core.conversations.threads import Thread
from core.db import Tx
from core.events import SessionAssigned
from core.servicers.models import ServicerRow
from core.sessions.models import SessionRow
from core.sessions.moves import move, tell
from core.sessions.queries import session_view
from core.sessions.states import Action
from core.settings.reception import Reception
from core.views import ServiceMode

How = Literal["assigned", "claimed", "transferred", "native", "takeover"]


async def serve(  # noqa: PLR0913 - what moves, how, and in whose words
    tx: Tx,
    row: SessionRow,
    thread: Thread,
    action: Action,
    choice: Choice,
    *,
    how: How,
    by: Actor | None = None,
) -> None:
    """Make a session someone's; load has been counted in by the caller."""
    previous = row.servicer_id
    await move(
        tx,
        row,
        action,
        servicer_id=choice.servicer_id,
        assigned_at=row.assigned_at or tx.now,
        served_since=tx.now,
        handed_off_at=row.handed_off_at or tx.now,
        assigned_because=choice.because[:200],
    )
    servicer = await tx.db.get_one(ServicerRow, choice.servicer_id, populate_existing=True)
    if how != "native":
        await _greet_or_hand_over(tx, thread, row, servicer, how)
    tx.emit(
        SessionAssigned(
            session=await session_view(tx, row.id),
            how=how,
            previous_servicer_id=previous,
            by=by.name if by else None,
        )
    )


async def _greet_or_hand_over(
    tx: Tx, thread: Thread, row: SessionRow, servicer: ServicerRow, how: How
) -> None:
    """CONSOLE: tell the customer who is there. NATIVE: give the platform's session to them."""
    words = tx.settings.get(Reception)
    template = words.transferred_text if how == "transferred" else words.assigned_text
    greeting = Text(text=template.replace("{servicer}", servicer.name))
    if row.mode == ServiceMode.NATIVE and servicer.wecom_userid is not None:
        ref = servicer.wecom_userid
        await hand_over(tx, thread, row.id, "servicer", servicer_ref=ref, farewell=greeting)
        return
    await tell(tx, thread, row.id, greeting.text)
