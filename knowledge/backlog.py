"""What changed and waits to be taken in: single articles first, an import's when there is time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

#: More changes than these at once are an import: whoever publishes one article comes before them.
_FEW: Final = 20
#: Articles taken in one go. A publish waits for one go at most: under a second with any model.
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Step:
    """is_engine_old: synonyms or calibration changed as well."""

    article_ids: Sequence[str]
    is_engine_old: bool


class Backlog:
    """An import's articles are taken in no order.

    Processes that share a database then embed different ones, and find those of the others stored.
    """

    def __init__(self) -> None:
        self._single: dict[str, None] = {}
        self._bulk: dict[str, None] = {}
        self._is_engine_old = False
        self._is_filled = asyncio.Event()

    def __len__(self) -> int:
        """Articles that wait."""
        return len(self._single.keys() | self._bulk.keys())

    def __bool__(self) -> bool:
        return bool(self._single or self._bulk or self._is_engine_old)

    def add(self, article_ids: Collection[str], *, is_engine_old: bool = False) -> None:
        kept = self._single if len(article_ids) <= _FEW else self._bulk
        kept |= dict.fromkeys(article_ids)
        self._is_engine_old |= is_engine_old
        if self:
            self._is_filled.set()

    async def filled(self) -> None:
        """Wait until something waits."""
        await self._is_filled.wait()

    @contextmanager
    def next(self) -> Iterator[Step]:
        """Some of it. What fails within the block waits again, after what can be done."""
        step = self._take()
        is_done = False
        try:
            yield step
            is_done = True
        finally:
            if not is_done:
                self._bulk |= dict.fromkeys(step.article_ids)
                self.add((), is_engine_old=step.is_engine_old)

    def _take(self) -> Step:
        if self._single:
            chosen = list(self._single)[:_AT_ONCE]
        else:
            chosen = random.sample(list(self._bulk), min(_AT_ONCE, len(self._bulk)))
        for article_id in chosen:
            self._single.pop(article_id, None)
            self._bulk.pop(article_id, None)
        step = Step(chosen, self._is_engine_old)
        self._is_engine_old = False
        if not self:
            self._is_filled.clear()
        return step
