"""Following what happened in the platform's own client (NATIVE reception)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from core.actor import Actor
from core.conversations.service import Speech, say
from core.conversations.threads import Thread
from core.db import Tx
from core.sessions import farewell
from core.sessions.models import SessionRow
from core.sessions.queries import open_session_of
from core.sessions.service import close, open_session, serve_natively
from core.views import Sender, SessionState

Change = Literal["accepted", "transferred", "ended", "reopened"]
_BECAUSE = {
    "accepted": "在企业微信中接入",
    "transferred": "在企业微信中转接",
    "reopened": "在企业微信中重新打开",
}


async def current(tx: Tx, thread: Thread) -> SessionRow | None:
    return await open_session_of(tx, thread.conversation.id)


async def taken(
    tx: Tx, thread: Thread, session: SessionRow | None, servicer_id: str, change: Change
) -> None:
    """A servicer has the session in the client; a re-opened thread is a new session."""
    if session is None:
        session = await open_session(tx, thread)
    await serve_natively(tx, thread, session, servicer_id, because=_BECAUSE[change])


async def follow_writer(
    tx: Tx, thread: Thread, session: SessionRow | None, servicer_id: str
) -> None:
    """A message typed in the client proves who serves, even where the event got lost."""
    is_theirs = (
        session is not None
        and session.state == SessionState.SERVING
        and session.servicer_id == servicer_id
    )
    if not is_theirs:
        await taken(tx, thread, session, servicer_id, "accepted")


async def ended(
    tx: Tx,
    thread: Thread,
    session: SessionRow | None,
    code: tuple[str | None, datetime | None],
) -> None:
    """The servicer ended it in the client: the rating goes out with the code that came along.

    Without one it is an ordinary message, when the reply window has room for it.
    """
    if session is None:
        return
    was_served = session.assigned_at is not None
    actor = Actor.system("native")
    await close(tx, session.id, reason="ended_natively", by=actor, is_native_end=True)
    menu = await farewell.invitation(tx, session, was_served=was_served)
    if menu is not None and (code[0] is not None or thread.window.allows(1, tx.now)):
        speech = Speech([menu], Sender.SYSTEM, event_code=code[0], code_expires_at=code[1])
        await say(tx, thread, session.id, speech)
