"""The live articles in memory, in one retriever for each audience that sees something else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from knowledge.chat_parts import Attachments
from knowledge.content import INTERNAL, ArticleContent
from knowledge.retriever import Retriever
from knowledge.richtext import derived
from knowledge.views import ArticleView

#: Articles taken into the indexes between two looks at the event loop.
ARTICLES_AT_ONCE: Final = 64
PUBLIC: Final = ""


@dataclass(frozen=True, slots=True)
class LiveArticle:
    """A live article as the indexes hold it."""

    version: int
    external_id: str
    number: int
    content: ArticleContent
    attachments: Attachments

    @classmethod
    def of(cls, view: ArticleView) -> LiveArticle:
        fields = {name: getattr(view, name) for name in ArticleContent.model_fields}
        content = ArticleContent.model_construct(None, **fields)
        shown = derived(view.answer_html).attachments
        return cls(view.version, view.external_id, view.live_number or 0, content, shown)

    def is_for(self, audience: str) -> bool:
        wanted = self.content.audience
        return not wanted or audience == INTERNAL or audience in wanted


class Pools:
    """Where nothing is kept from anyone, all audiences share the public pool."""

    def __init__(self, make: Callable[[], Retriever]) -> None:
        self._make = make
        self.articles: dict[str, LiveArticle] = {}
        self._pools: dict[str, Retriever] = {PUBLIC: make()}

    def of(self, audience: str) -> Retriever:
        return self._pools.get(audience, self._pools[PUBLIC])

    def all(self) -> Iterable[Retriever]:
        return self._pools.values()

    async def put(self, found: Mapping[str, LiveArticle]) -> None:
        """Add or replace articles by id, in every pool that may show them."""
        await self._open(found.values())
        for audience, pool in self._pools.items():
            shown = {key: live for key, live in found.items() if live.is_for(audience)}
            await pool.upsert(live.content.for_retrieval(key) for key, live in shown.items())
            pool.remove(key for key in found if key not in shown)
        self.articles |= found
        await asyncio.sleep(0)

    def drop(self, article_ids: Iterable[str]) -> None:
        for article_id in article_ids:
            if self.articles.pop(article_id, None) is not None:
                for pool in self._pools.values():
                    pool.remove([article_id])

    async def rebuild(self) -> None:
        """New indexes from what is held; the old ones answer until all are ready."""
        pools = {audience: self._make() for audience in self._pools}
        for audience, pool in pools.items():
            await self._fill(pool, audience)
        self._pools = pools

    async def _open(self, found: Iterable[LiveArticle]) -> None:
        wanted = {name for live in found for name in live.content.audience}
        if wanted:
            wanted.add(INTERNAL)
        for audience in sorted(wanted - self._pools.keys()):
            pool = self._make()
            await self._fill(pool, audience)
            self._pools[audience] = pool

    async def _fill(self, pool: Retriever, audience: str) -> None:
        shown = [
            live.content.for_retrieval(key)
            for key, live in self.articles.items()
            if live.is_for(audience)
        ]
        for start in range(0, len(shown), ARTICLES_AT_ONCE):
            await pool.upsert(shown[start : start + ARTICLES_AT_ONCE])
            await asyncio.sleep(0)
