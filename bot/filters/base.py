"""Filters: questions about an update and its context; combined with `&`, `|` and `~`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from magic_filter import MagicFilter
from typing_extensions import override

from channels.update import Update

if TYPE_CHECKING:
    from bot.context import Context


class Filter(ABC):
    @abstractmethod
    async def check(self, update: Update, ctx: Context) -> bool: ...

    def __and__(self, other: Filter) -> Filter:
        return _All((self, other))

    def __or__(self, other: Filter) -> Filter:
        return _Any((self, other))

    def __invert__(self) -> Filter:
        return _Not(self)


class _All(Filter):
    def __init__(self, parts: tuple[Filter, ...]) -> None:
        self._parts = parts

    @override
    async def check(self, update: Update, ctx: Context) -> bool:
        for part in self._parts:
            if not await part.check(update, ctx):
                return False
        return True


class _Any(Filter):
    def __init__(self, parts: tuple[Filter, ...]) -> None:
        self._parts = parts

    @override
    async def check(self, update: Update, ctx: Context) -> bool:
        for part in self._parts:
            if await part.check(update, ctx):
                return True
        return False


class _Not(Filter):
    def __init__(self, part: Filter) -> None:
        self._part = part

    @override
    async def check(self, update: Update, ctx: Context) -> bool:
        return not await self._part.check(update, ctx)


class Matches(Filter):
    """An `F` expression over the update: `Matches(F.content.type == "text")`."""

    def __init__(self, expression: MagicFilter) -> None:
        self._resolve: Callable[[Any], Any] = expression.resolve

    @override
    async def check(self, update: Update, ctx: Context) -> bool:
        del ctx
        return bool(self._resolve(update))


class When(Filter):
    """A plain function of update and context."""

    def __init__(self, question: Callable[[Any, Context], bool]) -> None:
        self._question = question

    @override
    async def check(self, update: Update, ctx: Context) -> bool:
        return self._question(update, ctx)
