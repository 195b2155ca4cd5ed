"""The one way a session moves: along the table, by compare-and-set."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, update

from core.actor import Actor
from core.content import Text
from core.conversations.models import ConversationRow
from core.conversations.service import Speech, say
from core.conversations.threads import THREADS, Thread
from core.db import Tx
from core.errors import Conflict, Forbidden, NotFound
from core.permissions import Permission
from core.sessions.models import SessionRow
from core.sessions.states import Action, next_state
from core.settings.reception import Window
from core.views import Sender, SessionState

#: The conversation is locked first: the order stands in the statement.
_HELD = (
    THREADS.add_columns(SessionRow)
    .join(SessionRow, SessionRow.conversation_id == ConversationRow.id)
    .where(SessionRow.id == bindparam("wanted"))
    .with_for_update(of=[ConversationRow, SessionRow])
    .execution_options(populate_existing=True)
)


async def get_session(tx: Tx, session_id: str) -> SessionRow:
    """Raises: NotFound."""
    row = await tx.db.get(SessionRow, session_id)
    if row is None:
        raise NotFound("session_not_found")
    return row


async def hold_session(tx: Tx, session_id: str) -> tuple[SessionRow, Thread]:
    """A session with its conversation, both held until the transaction ends.

    The one place that takes both. The conversation comes first, as in a customer's turn: the
    other way round, an end of a session and an answer to the customer would wait for each other.
    Raises: NotFound.
    """
    found = (await tx.db.execute(_HELD, {"wanted": session_id})).first()
    if found is None:
        raise NotFound("session_not_found")
    return found[3], Thread(found[0], found[1], found[2])


def check_mine(row: SessionRow, by: Actor) -> None:
    """Raises: Forbidden unless it is one's own or one supervises."""
    by.require(Permission.SESSION_SERVE)
    if row.servicer_id != by.servicer_id and not by.may(Permission.SESSION_SUPERVISE):
        raise Forbidden("not_my_session")


async def move(tx: Tx, row: SessionRow, action: Action, **values: Any) -> None:
    """Compare-and-set along the table. Raises: InvalidTransition, Conflict."""
    before = SessionState(row.state)
    target = next_state(before, action)
    changed = await tx.db.execute(
        update(SessionRow)
        .where(SessionRow.id == row.id, SessionRow.state == before)
        .values(state=target, version=SessionRow.version + 1, **values)
        .returning(SessionRow.id)
        .execution_options(synchronize_session=False)
    )
    if changed.first() is None:
        raise Conflict("session_moved", session_id=row.id)
    await tx.db.refresh(row)


async def tell(tx: Tx, thread: Thread, session_id: str, text: str) -> None:
    """A notice of the system's. It leaves the last slot to the answer, unless set otherwise."""
    reserve = 1 if tx.settings.get(Window).reserve_last else 0
    if thread.window.allows(1, tx.now, reserve=reserve):
        await say(tx, thread, session_id, Speech([Text(text=text)], Sender.SYSTEM))
