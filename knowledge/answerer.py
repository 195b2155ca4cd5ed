"""Questions → decisions, over the live articles of the database. One per process."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from core.db import UnitOfWork
from knowledge.content import INTERNAL, ArticleContent
from knowledge.decisions import FaqDecision, Offer
from knowledge.embedder import Embedder, Progress
from knowledge.encoders import EncoderError
from knowledge.gates import Gates
from knowledge.queries import articles_by_id, live_articles, live_stamps
from knowledge.retriever import Band, Candidate, Decision, Ranking, Retriever, Thresholds
from knowledge.richtext import derived
from knowledge.scorer import Scorer
from knowledge.synonyms import Synonyms
from knowledge.text import clean_query
from knowledge.views import ArticleView, FoundArticle

log = logging.getLogger(__name__)

#: Articles taken into the indexes between two looks at the event loop.
ARTICLES_AT_ONCE: Final = 64
PUBLIC: Final = ""

#: What an administrator set over the calibrated thresholds: (answer, menu).
Overrides = Callable[[], tuple[float | None, float | None]]


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts that a calibration or an editor may replace while the process runs."""

    synonyms: Synonyms
    scorer: Scorer
    gates: Gates
    thresholds: Thresholds
    calibration_id: str | None = None

    @classmethod
    def shipped(cls) -> Engine:
        return cls(Synonyms.shipped(), Scorer.shipped(), Gates.shipped(), Thresholds())


@dataclass(frozen=True, slots=True)
class _Live:
    """A live article as the indexes hold it."""

    version: int
    external_id: str
    number: int
    content: ArticleContent
    text: str
    attachment_ids: tuple[str, ...]

    def is_for(self, audience: str) -> bool:
        wanted = self.content.audience
        return not wanted or audience == INTERNAL or audience in wanted


class Answerer:
    """`start` once, then `refresh` for each ArticleChanged; `sync` is the net under both.

    overrides: thresholds that people set; None leaves the calibrated ones in force.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        embedder: Embedder,
        *,
        engine: Engine | None = None,
        overrides: Overrides | None = None,
    ) -> None:
        self._uow = uow
        self._embedder = embedder
        self._engine = engine or Engine.shipped()
        self._overrides = overrides
        self._live: dict[str, _Live] = {}
        self._pools: dict[str, Retriever] = {PUBLIC: self._retriever()}
        self._turn = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._live)

    @property
    def model(self) -> str:
        return self._embedder.model

    async def start(self, *, progress: Progress | None = None) -> None:
        """Take in all live articles. Meanwhile questions are answered from those already in."""
        await self.sync(progress=progress)
        log.info(
            "The answerer was loaded.",
            extra={"action": "answerer.loaded", "articles": len(self), "model": self.model},
        )

    async def sync(self, *, progress: Progress | None = None) -> None:
        """Come into step with the database, whatever was missed. Idempotent."""
        async with self._turn:
            async with self._uow.read() as tx:
                stamps = await live_stamps(tx)
            self._drop(article_id for article_id in list(self._live) if article_id not in stamps)
            known = {article_id: live.version for article_id, live in self._live.items()}
            stale = [key for key, version in stamps.items() if known.get(key) != version]
            await self._take(stale, progress)

    async def refresh(self, article_ids: Sequence[str]) -> None:
        """Take in these articles as they are now; those no longer live fall silent."""
        async with self._turn:
            await self._take(list(dict.fromkeys(article_ids)), None)

    async def decide(self, question: str, *, audience: str | None = None) -> FaqDecision:
        """Gate, answer, offer a menu or hand off. Never raises for a slow or broken model."""
        started = time.perf_counter()
        pool = self._pool(audience or PUBLIC)
        pool.thresholds = self._thresholds()
        try:
            decision = await pool.decide(question)
        except (TimeoutError, EncoderError) as error:
            log.warning(
                "The model was late; the question was handed off.",
                extra={"action": "answerer.model_late", "reason": type(error).__name__},
            )
            decision = _without_model(pool, question)
        return self._decided(question, decision, audience or PUBLIC, started)

    async def search(
        self, text: str, limit: int = 5, *, audience: str = INTERNAL
    ) -> list[FoundArticle]:
        """Articles for a servicer, best first; drafts and withdrawn ones are never among them."""
        try:
            ranking = await self._pool(audience).rank(text)
        except (TimeoutError, EncoderError):
            return []
        kept = ranking.candidates[:limit]
        async with self._uow.read() as tx:
            views = await articles_by_id(tx, [found.article_id for found in kept])
        return [
            FoundArticle(article=views[found.article_id], score=_share(ranking, found))
            for found in kept
            if found.article_id in views
        ]

    async def replace_engine(self, engine: Engine) -> None:
        """Swap synonyms, scorer or gates: new indexes are built while the old ones answer."""
        async with self._turn:
            same_texts = engine.synonyms == self._engine.synonyms
            self._engine = engine
            if same_texts:
                for pool in self._pools.values():
                    pool.scorer, pool.gates = engine.scorer, engine.gates
                return
            pools = {audience: self._retriever() for audience in self._pools}
            for audience, pool in pools.items():
                await self._fill(pool, audience)
            self._pools = pools

    async def close(self) -> None:
        await self._embedder.close()

    def _retriever(self) -> Retriever:
        engine = self._engine
        return Retriever(
            self._embedder, synonyms=engine.synonyms, scorer=engine.scorer, gates=engine.gates
        )

    def _thresholds(self) -> Thresholds:
        calibrated = self._engine.thresholds
        answer, menu = self._overrides() if self._overrides else (None, None)
        if answer is None and menu is None:
            return calibrated
        return Thresholds(
            answer=calibrated.answer if answer is None else answer,
            menu=calibrated.menu if menu is None else menu,
            by_category=calibrated.by_category if answer is None else {},
        )

    def _pool(self, audience: str) -> Retriever:
        """The articles of an audience; where nothing is kept from anyone, all share one pool."""
        return self._pools.get(audience, self._pools[PUBLIC])

    async def _take(self, article_ids: Sequence[str], progress: Progress | None) -> None:
        for start in range(0, len(article_ids), ARTICLES_AT_ONCE):
            part = article_ids[start : start + ARTICLES_AT_ONCE]
            async with self._uow.read() as tx:
                found = {view.id: _live(view) for view in await live_articles(tx, part)}
            self._drop(article_id for article_id in part if article_id not in found)
            await self._put(found)
            if progress is not None:
                progress(min(start + ARTICLES_AT_ONCE, len(article_ids)), len(article_ids))

    async def _put(self, found: dict[str, _Live]) -> None:
        await self._open_pools(found.values())
        for audience, pool in self._pools.items():
            shown = {key: live for key, live in found.items() if live.is_for(audience)}
            await pool.upsert(live.content.for_retrieval(key) for key, live in shown.items())
            pool.remove(key for key in found if key not in shown)
        self._live |= found
        await asyncio.sleep(0)

    async def _open_pools(self, found: Iterable[_Live]) -> None:
        wanted = {name for live in found for name in live.content.audience}
        if wanted:
            wanted.add(INTERNAL)
        for audience in sorted(wanted - self._pools.keys()):
            pool = self._retriever()
            await self._fill(pool, audience)
            self._pools[audience] = pool

    async def _fill(self, pool: Retriever, audience: str) -> None:
        shown = [
            live.content.for_retrieval(key)
            for key, live in self._live.items()
            if live.is_for(audience)
        ]
        for start in range(0, len(shown), ARTICLES_AT_ONCE):
            await pool.upsert(shown[start : start + ARTICLES_AT_ONCE])
            await asyncio.sleep(0)

    def _drop(self, article_ids: Iterable[str]) -> None:
        for article_id in article_ids:
            if self._live.pop(article_id, None) is not None:
                for pool in self._pools.values():
                    pool.remove([article_id])

    def _decided(
        self, question: str, decision: Decision, audience: str, started: float
    ) -> FaqDecision:
        offers = tuple(
            _offer(candidate, live)
            for candidate in decision.candidates
            if (live := self._live.get(candidate.article_id)) is not None
        )
        withdrawn = bool(decision.candidates) and not offers
        return FaqDecision(
            question=question,
            cleaned=clean_query(question),
            band=Band.HANDOFF if withdrawn else decision.band,
            why="nothing_found" if withdrawn else decision.why,
            confidence=decision.confidence,
            threshold=decision.threshold,
            gate=decision.gate,
            offers=offers,
            model=self.model,
            calibration_id=self._engine.calibration_id,
            audience=audience,
            elapsed_ms=round((time.perf_counter() - started) * 1000, 2),
        )


def _without_model(pool: Retriever, question: str) -> Decision:
    gate = pool.gates.check(question)
    if gate is not None:
        return Decision(Band.GATE, 0.0, (), "gate", 1.0, gate)
    return Decision(Band.HANDOFF, 0.0, (), "model_late", pool.thresholds.answer)


def _live(view: ArticleView) -> _Live:
    content = ArticleContent.model_construct(
        **{name: getattr(view, name) for name in ArticleContent.model_fields}
    )
    pictures = derived(view.answer_html).attachment_ids if view.answer_html else ()
    return _Live(
        view.version, view.external_id, view.live_number or 0, content, view.answer, pictures
    )


def _offer(candidate: Candidate, live: _Live) -> Offer:
    return Offer(
        article_id=candidate.article_id,
        external_id=live.external_id,
        title=live.content.question,
        text=live.text,
        attachment_ids=live.attachment_ids,
        number=live.number,
        score=candidate.score,
        features=candidate.features,
    )


def _share(ranking: Ranking, found: Candidate) -> float:
    """The first one's calibrated probability; the others fall off with their odds."""
    behind = found.score - ranking.candidates[0].score
    return round(ranking.confidence * math.exp(min(0.0, behind)), 4)
