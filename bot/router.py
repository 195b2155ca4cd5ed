"""A tree of routers: own handlers first, top to bottom, then children; the first match wins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeVar

from bot.context import Context
from bot.filters.base import Filter
from channels.update import Update

U = TypeVar("U", bound=Update)
Handler = Callable[[U, Context], Awaitable["Outcome | None"]]


class Outcome(Enum):
    """A handler that returns None has handled the update; UNHANDLED passes it on."""

    HANDLED = auto()
    UNHANDLED = auto()


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: type[Any]
    filters: tuple[Filter, ...]
    handle: Callable[[Any, Context], Awaitable[Outcome | None]]

    async def matches(self, update: Update, ctx: Context) -> bool:
        if not isinstance(update, self.kind):
            return False
        for one in self.filters:
            if not await one.check(update, ctx):
                return False
        return True


class Router:
    """Handlers of one concern."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._entries: list[_Entry] = []
        self._children: list[Router] = []

    def on(self, kind: type[U], *filters: Filter) -> Callable[[Handler[U]], Handler[U]]:
        """Handle updates of `kind` for which every filter holds."""

        def register(handle: Handler[U]) -> Handler[U]:
            self._entries.append(_Entry(kind, filters, handle))
            return handle

        return register

    def include(self, *children: Router) -> None:
        self._children.extend(children)

    async def route(self, update: Update, ctx: Context) -> Outcome:
        for entry in self._entries:
            if await entry.matches(update, ctx):
                outcome = await entry.handle(update, ctx)
                if outcome is not Outcome.UNHANDLED:
                    return Outcome.HANDLED
        for child in self._children:
            if await child.route(update, ctx) is Outcome.HANDLED:
                return Outcome.HANDLED
        return Outcome.UNHANDLED
