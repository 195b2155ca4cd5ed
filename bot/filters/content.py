"""What an update says."""

from __future__ import annotations

from collections.abc import Collection

from magic_filter import F
from typing_extensions import override

from bot.context import Context
from bot.filters.base import Filter, Matches, When
from channels.update import MenuChosen, MessageReceived, Update
from core.content import Text
from core.settings.sections import Bot

is_text: Filter = Matches(F.content.type == "text")
from_customer: Filter = Matches(F.sender == "customer")
from_servicer: Filter = Matches(F.sender == "servicer")


def spoken(update: Update) -> str:
    """The line that the customer wrote or clicked; empty for everything else."""
    if isinstance(update, MenuChosen):
        return update.text
    if isinstance(update, MessageReceived) and isinstance(update.content, Text):
        return update.content.text
    return ""


class Says(Filter):
    """The whole line, without punctuation and spaces at its edges, is one of these words."""

    def __init__(self, words: Collection[str]) -> None:
        self._words = frozenset(words)

    @override
    async def check(self, update: Update, ctx: Context) -> bool:
        del ctx
        return bare(spoken(update)) in self._words


class MenuId(Filter):
    """A click on a menu line whose id begins so."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    @override
    async def check(self, update: Update, ctx: Context) -> bool:
        del ctx
        return isinstance(update, MenuChosen) and update.menu_id.startswith(self._prefix)


def bare(text: str) -> str:
    return text.strip(" \t\r\n。.!！?？~～,，、").lower()


#: The line is one of the hand-off words that administrators set.
asks_for_people: Filter = When(
    lambda update, ctx: bare(spoken(update)) in ctx.tools.settings.get(Bot).handoff_words
)
