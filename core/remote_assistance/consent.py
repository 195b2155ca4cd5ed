"""The customer is asked in chat: a menu of two lines, and what a click on one means."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.content import Menu, MenuItem
from core.conversations import service as conversations
from core.conversations.service import Speech
from core.conversations.threads import hold_thread
from core.db import Tx
from core.sessions.queries import open_session_of
from core.views import Sender

#: An answer that comes later than this counts no more, and lasts no longer; ask again.
CONSENT_LASTS: Final = timedelta(hours=24)
#: Menu ids are `consent_<id of the request>_yes` and `…_no`.
PREFIX: Final = "consent_"
_ANSWERS: Final = {"yes": True, "no": False}


def menu(assistance_id: str, words: str) -> Menu:
    return Menu(
        head=words,
        items=(
            MenuItem(id=f"{PREFIX}{assistance_id}_yes", label="同意"),
            MenuItem(id=f"{PREFIX}{assistance_id}_no", label="不同意"),
        ),
    )


def answer_in(menu_id: str) -> tuple[str, bool] | None:
    """The request that a click answers, and whether it agrees."""
    assistance_id, _, word = menu_id.removeprefix(PREFIX).rpartition("_")
    return (assistance_id, _ANSWERS[word]) if assistance_id and word in _ANSWERS else None


async def send(tx: Tx, conversation_id: str, assistance_id: str, words: str) -> None:
    """Owe the customer the menu; held until they write when the reply window is closed."""
    thread = await hold_thread(tx, conversation_id)
    session = await open_session_of(tx, conversation_id)
    speech = Speech([menu(assistance_id, words)], Sender.BOT, hold_if_closed=True)
    await conversations.say(tx, thread, session.id if session else None, speech)
