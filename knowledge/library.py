"""Full-text search over all articles of the database, drafts too, with highlights."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from core.db import UnitOfWork
from core.views import View
from knowledge.fulltext import Entry, FullText, Kind, Wanted
from knowledge.models import ArticleRow
from knowledge.queries import articles_by_id
from knowledge.text import squeeze, words
from knowledge.views import ArticleView

_ROWS_AT_ONCE: Final = 500
#: Characters shown around the first match in an answer.
_SNIPPET: Final = 90


class HighlightView(View):
    """A piece of a field; ranges: [start, end) within `text` that matched."""

    field: str
    text: str
    ranges: tuple[tuple[int, int], ...]


class HitView(View):
    """score: 0…1, comparable within one result only."""

    article: ArticleView
    score: float
    highlights: tuple[HighlightView, ...]


class Library:
    """Every article in memory, found within milliseconds. Loads itself at first use."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._index = FullText()
        self._turn = asyncio.Lock()
        self._is_loaded = False

    async def sync(self) -> None:
        """Come into step with the database. Idempotent."""
        async with self._turn:
            async with self._uow.read() as tx:
                rows = await tx.db.execute(select(ArticleRow.id, ArticleRow.version))
                stamps = dict(rows.all())
            for article_id in self._index.ids():
                if article_id not in stamps:
                    self._index.remove(article_id)
            await self._take([k for k, v in stamps.items() if self._index.version(k) != v])
            self._is_loaded = True

    async def refresh(self, article_ids: Sequence[str]) -> None:
        """Take in these articles as they are now."""
        async with self._turn:
            if self._is_loaded:
                await self._take(list(dict.fromkeys(article_ids)))

    async def search(
        self, wanted: Wanted, *, limit: int = 20, offset: int = 0
    ) -> tuple[list[HitView], int]:
        """A page of hits, best first, and how many there are in all."""
        if not self._is_loaded:
            await self.sync()
        slots, scores = self._index.ranked(wanted)
        page = slots[offset : offset + limit].tolist()
        shown = [(slot, entry) for slot in page if (entry := self._index[slot]) is not None]
        async with self._uow.read() as tx:
            views = await articles_by_id(tx, [entry.article_id for _, entry in shown])
        best = float(scores[slots[0]]) if len(slots) else 1.0
        hits = [
            HitView(
                article=views[entry.article_id],
                score=round(float(scores[slot]) / best, 4),
                highlights=highlights(views[entry.article_id], wanted.text),
            )
            for slot, entry in shown
            if entry.article_id in views
        ]
        return hits, len(slots)

    async def alike(self, text: str, limit: int = 10) -> list[tuple[str, float]]:
        """Ids by shared words; the share of the text's weight that each covers, 0…1."""
        if not self._is_loaded:
            await self.sync()
        return self._index.alike(text, limit)

    async def _take(self, article_ids: Sequence[str]) -> None:
        for start in range(0, len(article_ids), _ROWS_AT_ONCE):
            part = article_ids[start : start + _ROWS_AT_ONCE]
            async with self._uow.read() as tx:
                views = await articles_by_id(tx, part)
            for article_id in part:
                if article_id in views:
                    self._index.put(_entry(views[article_id]))
                else:
                    self._index.remove(article_id)
            await asyncio.sleep(0)


def highlights(view: ArticleView, text: str) -> tuple[HighlightView, ...]:
    """Where the words of `text` stand in question, other wordings and answer."""
    terms = {term for term in (*words(text), squeeze(text)) if len(term) > 1 or term == text}
    if not terms:
        return ()
    pattern = re.compile("|".join(map(re.escape, sorted(terms, key=len, reverse=True))))
    fields = [("question", view.question), *(("similar", line) for line in view.similar)]
    fields.append(("answer", _around_first(pattern, view.answer)))
    found = [
        HighlightView(field=name, text=line, ranges=_ranges(pattern, line))
        for name, line in fields
    ]
    return tuple(item for item in found if item.ranges)


def _around_first(pattern: re.Pattern[str], answer: str) -> str:
    ranges = _ranges(pattern, answer)
    begin = max(0, ranges[0][0] - _SNIPPET // 3) if ranges else 0
    return answer[begin : begin + _SNIPPET]


def _ranges(pattern: re.Pattern[str], text: str) -> tuple[tuple[int, int], ...]:
    lowered = text.lower()
    if len(lowered) != len(text):
        return ()
    return tuple(found.span() for found in pattern.finditer(lowered))


def _entry(view: ArticleView) -> Entry:
    return Entry(
        article_id=view.id,
        version=view.version,
        topics=(view.question, *view.similar, *view.tags, view.category, view.external_id),
        answer=view.answer,
        kind=Kind(view.state, view.category, frozenset(view.tags)),
    )
