"""What a ticket from a session would say: the customer's matter, in a line and in full."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from core.content import plain_text
from core.conversations.queries import transcript
from core.db import Tx
from core.settings.sections import Bot
from core.tickets import categories
from core.tickets.categories import TicketCategoryView
from core.views import Sender, SessionView, View
from core.words import words_of

TITLE_CHARS: Final = 60
_LINES: Final = 8
_READ: Final = 50
#: Shorter lines greet, agree or ask for people.
_SHORTEST: Final = 5


class TicketProposal(View):
    title: str
    description: str
    category_id: str | None


async def of_session(tx: Tx, session: SessionView) -> TicketProposal:
    """From what the customer said in it; empty when nothing was said yet."""
    lines, _ = await transcript(tx, session.conversation_id, limit=_READ)
    said = [
        plain_text(line.content).strip()
        for line in lines
        if line.sender is Sender.CUSTOMER
        and line.session_id == session.id
        and line.recalled_at is None
    ]
    ignored = tx.settings.get(Bot).calls_for_people
    return proposed(
        [session.topic, *said], await categories.list_categories(tx, only_active=True), ignored
    )


def proposed(
    said: Sequence[str], known: Sequence[TicketCategoryView], ignored: Collection[str]
) -> TicketProposal:
    """The first line that says something is the title; greetings and calls for people are not."""
    lines = list(dict.fromkeys(line for line in said if line and line not in ignored))
    telling = [line for line in lines if len(line) >= _SHORTEST] or lines
    title = telling[0].splitlines()[0][:TITLE_CHARS] if telling else ""
    return TicketProposal(
        title=title,
        description="\n".join(telling[:1] + telling[1:][-_LINES:]),
        category_id=_named_in("\n".join(telling), known),
    )


def _named_in(text: str, known: Sequence[TicketCategoryView]) -> str | None:
    """The category of whose name the text says most, the narrower one first."""
    words = words_of(text)
    scored = [
        (len(words & names) / len(names), len(one.path), one.id)
        for one in known
        if (names := words_of(one.name)) & words
    ]
    return max(scored)[2] if scored else None
