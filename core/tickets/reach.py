"""Whether the customer reads in chat, now, what is written on a ticket."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.conversations.threads import get_thread
from core.db import Tx
from core.sessions.queries import open_session_of
from core.tickets.customer_page import conversation_of
from core.views import ServiceMode, SessionState, TicketView

#: Slots of the reply window that news of tickets leave to people.
RESERVED: Final = 1


class Reach(StrEnum):
    """held: waits until the customer writes. native: the platform's client has the session.

    nowhere: the customer never wrote to us.
    """

    NOW = "now"
    HELD = "held"
    NATIVE = "native"
    NOWHERE = "nowhere"


async def reach_of(tx: Tx, ticket: TicketView) -> Reach:
    conversation_id = await conversation_of(tx, ticket)
    if conversation_id is None:
        return Reach.NOWHERE
    session = await open_session_of(tx, conversation_id)
    if (
        session is not None
        and session.mode == ServiceMode.NATIVE
        and session.state == SessionState.SERVING
    ):
        return Reach.NATIVE
    thread = await get_thread(tx, conversation_id)
    return Reach.NOW if thread.window.allows(1, tx.now, reserve=RESERVED) else Reach.HELD
