"""Questions → decisions, over the live articles of the database. One per process."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Final

from core.db import UnitOfWork
from core.events import ArticleChanged, Event, SettingChanged
from knowledge.backlog import Backlog
from knowledge.content import INTERNAL, ArticleContent
from knowledge.decisions import FaqDecision, Offer
from knowledge.embedder import Embedder, Progress
from knowledge.encoders import EncoderError
from knowledge.engine import Engine, load_engine
from knowledge.gates import GateKind
from knowledge.library import Library
from knowledge.patience import patiently
from knowledge.pools import ARTICLES_AT_ONCE, PUBLIC, LiveArticle, Pools
from knowledge.queries import articles_by_id, live_articles, live_stamps
from knowledge.retriever import Band, Candidate, Decision, Ranking, Retriever, Thresholds
from knowledge.text import clean_query
from knowledge.views import FoundArticle

log = logging.getLogger(__name__)

#: Settings of this prefix are read again when they change.
ENGINE_KEYS: Final = "knowledge."
#: Share of a question's words that an article must have to be offered without the model.
_WORDS_ENOUGH: Final = 0.6
#: How long a question waits for the articles to be taken in after the start.
_LOADING_S: Final = 5.0
#: Before a model that failed is asked again to take articles in.
_AGAIN_S: Final = 5.0

#: What an administrator set over the calibrated thresholds: (answer, menu).
Overrides = Callable[[], tuple[float | None, float | None]]


class Answerer:
    """`start` once, then `hear` what happened, and `follow` to take it in.

    overrides: thresholds that people set; None leaves the calibrated ones in force.
    library: full-text search over all articles, kept in step as well.
    """

    def __init__(
        self, uow: UnitOfWork, embedder: Embedder, *, overrides: Overrides | None = None
    ) -> None:
        self._uow = uow
        self._embedder = embedder
        self._engine = Engine.shipped()
        self._overrides = overrides
        self._pools = Pools(lambda: self._engine.retriever(embedder))
        self._turn = asyncio.Lock()
        self._backlog = Backlog()
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self.library = Library(uow)

    def __len__(self) -> int:
        return len(self._pools.articles)

    @property
    def model(self) -> str:
        return self._embedder.model

    async def start(self, *, progress: Progress | None = None) -> None:
        """Take in all live articles. Meanwhile no question is answered from a part of them."""
        self._is_whole.clear()
        await self.reload_engine()
        await self.sync(progress=progress)
        self._is_whole.set()
        log.info(
            "The answerer was loaded.",
            extra={"action": "answerer.loaded", "articles": len(self), "model": self.model},
        )

    @property
    def waiting(self) -> int:
        """Articles that changed and are not taken in yet."""
        return len(self._backlog)

    def hear(self, events: Sequence[Event]) -> None:
        """Note what happened, here or in another process; whoever tells it does not wait."""
        changed = {one.article_id for one in events if isinstance(one, ArticleChanged)}
        keys = [event.key for event in events if isinstance(event, SettingChanged)]
        is_engine_old = any(key.startswith(ENGINE_KEYS) for key in keys)
        self._backlog.add(changed, is_engine_old=is_engine_old)

    async def follow(self) -> None:
        """Take in what was heard, for ever. What a broken model could not is tried again."""
        while True:
            await self._backlog.filled()
            try:
                await self.catch_up()
            except (TimeoutError, EncoderError) as error:
                log.warning(
                    "Articles could not be taken in; they are tried again.",
                    extra={"action": "answerer.behind", "reason": type(error).__name__},
                )
                await asyncio.sleep(_AGAIN_S)

    async def catch_up(self) -> None:
        """Take in all that was heard. Raises: EncoderError, with the rest still waiting."""
        while self._backlog:
            with self._backlog.next() as step:
                if step.is_engine_old:
                    await self.reload_engine()
                await self.refresh(step.article_ids)

    async def sync(self, *, progress: Progress | None = None) -> None:
        """Come into step with the database, whatever was missed. Idempotent."""
        async with self._turn:
            async with self._uow.read() as tx:
                stamps = await live_stamps(tx)
            held = self._pools.articles
            self._pools.drop([article_id for article_id in held if article_id not in stamps])
            known = {article_id: live.version for article_id, live in held.items()}
            stale = [key for key, version in stamps.items() if known.get(key) != version]
            await self._take(stale, progress)

    async def refresh(self, article_ids: Sequence[str]) -> None:
        """Take in these articles as they are now; those no longer live fall silent."""
        async with self._turn:
            await self._take(list(dict.fromkeys(article_ids)), None)
        await self.library.refresh(article_ids)

    async def reload_engine(self) -> None:
        """Read synonyms and calibration again; new indexes are built while the old ones answer."""
        async with self._turn:
            async with self._uow.read() as tx:
                engine = await load_engine(tx)
            same_texts = engine.synonyms == self._engine.synonyms
            self._engine = engine
            if not same_texts:
                await self._pools.rebuild()
            for pool in self._pools.all():
                pool.use(engine.scorer, engine.gates)

    async def decide(self, question: str, *, audience: str | None = None) -> FaqDecision:
        """Gate, answer, offer a menu or hand off. Never raises for a slow or broken model."""
        started = time.perf_counter()
        try:
            await self._complete(question)
            pool = self._pools.of(audience or PUBLIC)
            pool.thresholds = self._thresholds()
            decision = await pool.decide(question)
        except (TimeoutError, EncoderError) as error:
            log.warning(
                "The model was late; the question was answered without it.",
                extra={"action": "answerer.model_late", "reason": type(error).__name__},
            )
            decision = await self._without_model(question, audience or PUBLIC)
        return self._decided(question, decision, audience or PUBLIC, started)

    async def choose(
        self, article_id: str, question: str, *, audience: str | None = None
    ) -> FaqDecision | None:
        """The customer picked an article from a menu. None when it is gone or not for them."""
        live = self._pools.articles.get(article_id)
        if live is None or not live.is_for(audience or PUBLIC):
            return None
        picked = Candidate(article_id, 0.0, {})
        decision = Decision(Band.ANSWER, 1.0, (picked,), "chosen", 0.0)
        return self._decided(question, decision, audience or PUBLIC, time.perf_counter())

    async def guess(self, question: str) -> tuple[str, str, float] | None:
        """(best article, its category, the shipped scorer's confidence); None behind a gate.

        Raises: TimeoutError; EncoderError.
        """
        pool = self._pools.of(PUBLIC)
        decision = await patiently(lambda: pool.decide(question))
        if decision.gate is not None or not decision.candidates:
            return None
        first = decision.candidates[0].article_id
        live = self._pools.articles.get(first)
        category = live.content.category if live is not None else ""
        return first, category, self._engine.uncorrected(decision.confidence)

    async def best_ids(self, question: str, *, audience: str = PUBLIC) -> list[str]:
        """The articles that compete for a question, best first."""
        ranking = await patiently(lambda: self._pools.of(audience).rank(question))
        return [candidate.article_id for candidate in ranking.candidates]

    async def imagine(
        self,
        changes: Mapping[str, ArticleContent | None],
        *,
        audience: str = PUBLIC,
        only: AbstractSet[str] | None = None,
    ) -> Retriever:
        """An audience's articles with some changed (None: gone), apart from those that answer.

        only: these articles and the changed ones, instead of all.
        """
        pool = self._engine.retriever(self._embedder)
        pool.thresholds = self._thresholds()
        texts = [
            live.content.for_retrieval(key)
            for key, live in self._pools.articles.items()
            if key not in changes and live.is_for(audience) and (only is None or key in only)
        ]
        texts += [content.for_retrieval(key) for key, content in changes.items() if content]
        for start in range(0, len(texts), ARTICLES_AT_ONCE):
            await pool.upsert(texts[start : start + ARTICLES_AT_ONCE])
            await asyncio.sleep(0)
        return pool

    def live_content(self, article_id: str) -> ArticleContent | None:
        live = self._pools.articles.get(article_id)
        return live.content if live is not None else None

    def titles(self) -> dict[str, str]:
        return {key: live.content.question for key, live in self._pools.articles.items()}

    @property
    def shipped_thresholds(self) -> Thresholds:
        return Thresholds()

    @property
    def scorer_version(self) -> str:
        return self._engine.scorer.version

    def is_urgent(self, line: str) -> bool:
        """Does this line alone ask for people or touch a red line? Then nobody waits for more."""
        gate = self._engine.gates.check(line)
        return gate is not None and gate.kind in {GateKind.HUMAN, GateKind.REDLINE}

    def is_red_line(self, line: str) -> bool:
        """Does this line tell of danger to life or health?"""
        gate = self._engine.gates.check(line)
        return gate is not None and gate.kind is GateKind.REDLINE

    async def search(
        self, text: str, limit: int = 5, *, audience: str = INTERNAL
    ) -> list[FoundArticle]:
        """Live articles for a servicer, best first."""
        try:
            ranking = await self._pools.of(audience).rank(text)
        except (TimeoutError, EncoderError):
            return await self._search_words(text, limit)
        kept = ranking.candidates[:limit]
        async with self._uow.read() as tx:
            views = await articles_by_id(tx, [found.article_id for found in kept])
        return [
            FoundArticle(article=views[found.article_id], score=_share(ranking, found))
            for found in kept
            if found.article_id in views
        ]

    async def warm_up(self) -> None:
        """Load the model before the first customer waits for it; a broken one shows with them."""
        with suppress(TimeoutError, EncoderError):
            await self._embedder.query("在吗")

    async def close(self) -> None:
        await self._embedder.close()

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

    async def _take(self, article_ids: Sequence[str], progress: Progress | None) -> None:
        for start in range(0, len(article_ids), ARTICLES_AT_ONCE):
            part = article_ids[start : start + ARTICLES_AT_ONCE]
            async with self._uow.read() as tx:
                views = await live_articles(tx, part)
            found = {view.id: LiveArticle.of(view) for view in views}
            self._pools.drop(article_id for article_id in part if article_id not in found)
            await self._pools.put(found)
            if progress is not None:
                progress(min(start + ARTICLES_AT_ONCE, len(article_ids)), len(article_ids))

    async def _complete(self, question: str) -> None:
        """Wait for the articles: the nearest of a part of them may be a wrong answer.

        Raises: TimeoutError; what a gate takes does not wait.
        """
        if self._engine.gates.check(question) is None:
            async with asyncio.timeout(_LOADING_S):
                await self._is_whole.wait()

    async def _without_model(self, question: str, audience: str) -> Decision:
        """Gates hold; articles that share most words are offered, none is asserted."""
        pool = self._pools.of(audience)
        pool.thresholds = self._thresholds()
        gate = pool.gates.check(question)
        needed = pool.thresholds.answer
        if gate is not None:
            return Decision(Band.GATE, 0.0, (), "gate", 1.0, gate)
        articles = self._pools.articles
        offered = tuple(
            Candidate(article_id, share, {"words": share})
            for article_id, share in await self.library.alike(clean_query(question))
            if share >= _WORDS_ENOUGH
            and article_id in articles
            and articles[article_id].is_for(audience)
        )
        band = Band.MENU if offered else Band.HANDOFF
        return Decision(band, 0.0, offered, "model_late", needed)

    async def _search_words(self, text: str, limit: int) -> list[FoundArticle]:
        alike = await self.library.alike(text, limit)
        async with self._uow.read() as tx:
            views = await articles_by_id(tx, [article_id for article_id, _ in alike])
        return [
            FoundArticle(article=views[article_id], score=round(share, 4))
            for article_id, share in alike
            if article_id in views and views[article_id].is_live
        ]

    def _decided(
        self, question: str, decision: Decision, audience: str, started: float
    ) -> FaqDecision:
        offers = tuple(
            _offer(candidate, live)
            for candidate in decision.candidates
            if (live := self._pools.articles.get(candidate.article_id)) is not None
        )
        withdrawn = bool(decision.candidates) and not offers and decision.gate is None
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


def _offer(candidate: Candidate, live: LiveArticle) -> Offer:
    return Offer(
        article_id=candidate.article_id,
        external_id=live.external_id,
        title=live.content.question,
        text=live.content.answer,
        attachments=live.attachments,
        number=live.number,
        score=candidate.score,
        features=candidate.features,
    )


def _share(ranking: Ranking, found: Candidate) -> float:
    """The first one's calibrated probability; the others fall off with their odds."""
    behind = found.score - ranking.candidates[0].score
    return round(ranking.confidence * math.exp(min(0.0, behind)), 4)
