"""What an update says."""

from __future__ import annotations

import re
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


class Asks(Filter):
    """A short line that says one of these things, whatever stands around it.

    pattern: a regular expression, searched for; a line of more than LONGEST characters tells
    a story, in which such words mean something else.
    """

    LONGEST = 16

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)

    @override
    async def check(self, update: Update, ctx: Context) -> bool:
        del ctx
        line = bare(spoken(update))
        return len(line) <= self.LONGEST and self._pattern.search(line) is not None


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
