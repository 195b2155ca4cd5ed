"""How a session ends on the platform: the rating in the same flow, by whatever way is open."""

from __future__ import annotations

from core.actor import Actor
from core.content import Menu, MenuItem, Text
from core.conversations.notes import add_note
from core.conversations.service import Speech, hand_over, say
from core.conversations.threads import Thread
from core.db import Tx
from core.ratings.service import request
from core.sessions.models import SessionRow
from core.settings.reception import Rating, Reception
from core.views import Sender

#: Menu ids of a rating: csat_<rating id>_<score>.
RATING_PREFIX = "csat_"


async def end(tx: Tx, thread: Thread, row: SessionRow, *, was_served: bool) -> None:
    """Ask for a rating where there is something to rate, and end the platform's own session.

    With native sessions the invitation travels with the ending (its code lives 20 s); else it is
    an ordinary message, when the reply window has room for one.
    """
    menu = await invitation(tx, row, was_served=was_served)
    if thread.limits.has_native_handover and was_served:
        words = menu or _goodbye(tx)
        await hand_over(tx, thread, row.id, "ended", farewell=words)
    elif menu is not None and thread.window.allows(1, tx.now):
        await say(tx, thread, row.id, Speech([menu], Sender.SYSTEM))


def _goodbye(tx: Tx) -> Text | None:
    """Where nobody is asked for a rating, the customer is still told that the session is over."""
    words = tx.settings.get(Reception).closed_text
    return Text(text=words) if words else None


async def invitation(tx: Tx, row: SessionRow, *, was_served: bool) -> Menu | None:
    """The rating menu; None when this session is not rated, or was asked before."""
    words = tx.settings.get(Rating)
    if not words.is_enabled or not (was_served or words.ask_after_bot):
        return None
    rating = await request(
        tx, session_id=row.id, customer_id=row.customer_id, servicer_id=row.servicer_id
    )
    if rating is None:
        return None
    scores = range(5, 0, -1)
    items = tuple(
        MenuItem(id=f"{RATING_PREFIX}{rating.id}_{score}", label=label)
        for score, label in zip(scores, words.labels, strict=True)
    )
    return Menu(head=words.question, items=items)


async def leave_note(tx: Tx, thread: Thread, session_id: str, text: str, by: Actor) -> None:
    """A word to the colleague who takes over."""
    await add_note(tx, thread, session_id, text, author=(by.key, by.name))
