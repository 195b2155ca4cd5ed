"""A customer's line → ranked articles, a calibrated probability and what to do with it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from knowledge.articles import ArticleText
from knowledge.candidates import Corpus, FieldText
from knowledge.embedder import Embedder, Progress
from knowledge.encoders import Role, Vectors
from knowledge.features import Features, Matrix, features, nothing
from knowledge.gates import Gate, GateKind, Gates
from knowledge.recent import Recent
from knowledge.scorer import COLUMNS, Scorer
from knowledge.synonyms import Synonyms
from knowledge.text import clean_query


class Band(StrEnum):
    ANSWER = "answer"
    MENU = "menu"
    HANDOFF = "handoff"
    GATE = "gate"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article that may answer.

    score: log-odds of the ranking model, comparable within one ranking only.
    features: what was measured, by name, for the record; of the first EXPLAINED only, and without
    what could not be measured.
    """

    article_id: str
    score: float
    features: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ranking:
    """candidates: best first, possibly none. confidence: probability that the first is right."""

    cleaned: str
    confidence: float
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """found: what was measured of each article, same order as `article_ids`."""

    cleaned: str
    article_ids: tuple[str, ...]
    found: Features


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Confidence from which to answer, and from which to offer the menu.

    by_category: answer thresholds of categories with enough labelled data of their own.
    """

    answer: float = 0.95
    menu: float = 0.05
    by_category: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a customer's line, and all that is needed to replay it.

    band: GATE exactly when `gate` is set. candidates: best first, at most `menu_size` in a menu.
    why: one of `gate`, `confident`, `close`, `unsure`, `nothing_found`.
    """

    band: Band
    confidence: float
    candidates: tuple[Candidate, ...]
    why: str
    threshold: float
    gate: Gate | None = None


#: Candidates kept in a ranking, and those of them that could be shown and are explained.
KEPT, EXPLAINED = 10, 3
#: Rankings kept until an article or the scorer changes: people ask the same in the same words.
_REMEMBERED = 1024


class Retriever:
    """The articles of one audience, ready to be asked. Use from one event loop."""

    def __init__(
        self,
        embedder: Embedder,
        *,
        synonyms: Synonyms | None = None,
        scorer: Scorer | None = None,
        gates: Gates | None = None,
        thresholds: Thresholds | None = None,
    ) -> None:
        self.embedder = embedder
        self._scorer = scorer or Scorer.shipped()
        self._rankings: Recent[str, Ranking] = Recent(_REMEMBERED)
        self.gates = gates or Gates.shipped()
        self.thresholds = thresholds or Thresholds()
        self._corpus = Corpus(synonyms or Synonyms.shipped())

    @classmethod
    async def build(
        cls,
        articles: Iterable[ArticleText],
        embedder: Embedder,
        *,
        synonyms: Synonyms | None = None,
        scorer: Scorer | None = None,
        progress: Progress | None = None,
    ) -> Retriever:
        """A retriever over these articles, embedding what is not yet stored."""
        retriever = cls(embedder, synonyms=synonyms, scorer=scorer)
        await retriever.upsert(articles, progress=progress)
        return retriever

    def __len__(self) -> int:
        return len(self._corpus)

    def use(self, scorer: Scorer, gates: Gates) -> None:
        """Rank and gate by these from now on."""
        self._scorer, self.gates = scorer, gates
        self._forget()

    async def upsert(
        self, articles: Iterable[ArticleText], *, progress: Progress | None = None
    ) -> None:
        """Add articles, or replace those of the same id. Searches meanwhile see the old state."""
        wanted = [a for a in articles if self._corpus.get(a.article_id) != a]
        plans = [self._corpus.plan(article) for article in wanted]
        texts = list(dict.fromkeys(text for plan in plans for text in plan.texts))
        vectors: dict[FieldText, Vectors] = {}
        for role in Role:
            of_role = [text for text in texts if text.role is role]
            rows = await self.embedder.embed(
                [text.text for text in of_role], role, progress=progress
            )
            vectors |= zip(of_role, rows, strict=True)
        for plan in plans:
            self._corpus.put(plan, [vectors[text] for text in plan.texts])
        self._forget()

    def remove(self, article_ids: Iterable[str]) -> None:
        """Take articles out at once; unknown ids are ignored."""
        for article_id in article_ids:
            self._corpus.remove(article_id)
        self._forget()

    def _forget(self) -> None:
        """A ranking under way puts its result into the memory that it began with: nowhere."""
        self._rankings = Recent(_REMEMBERED)

    async def rank(self, query: str) -> Ranking:
        """Order the articles for a customer's line. Gates are not asked.

        Raises: TimeoutError when the embedder is late; EncoderError.
        """
        rankings = self._rankings
        cleaned = clean_query(query)
        found = rankings.get(cleaned)
        if found is None:
            found = self._ranking(await self.measure(query))
            rankings.put(cleaned, found)
        return found

    def _ranking(self, measured: Measurement) -> Ranking:
        if not measured.article_ids:
            return Ranking(measured.cleaned, 0.0, ())
        rows = self._scorer.columns(measured.found, self.embedder.model)
        scored = self._scorer.score(rows)
        kept = zip(scored.order[:KEPT].tolist(), scored.scores[:KEPT].tolist(), strict=True)
        candidates = tuple(
            Candidate(
                measured.article_ids[at],
                score,
                _explained(rows[at]) if place < EXPLAINED else {},
            )
            for place, (at, score) in enumerate(kept)
        )
        return Ranking(measured.cleaned, scored.confidence, candidates)

    async def measure(self, query: str) -> Measurement:
        """The articles worth weighing and their features: what a scorer is fitted on."""
        cleaned = self._corpus.in_base_words(clean_query(query))
        if not cleaned or not len(self):
            return Measurement(cleaned, (), nothing())
        vector = await self.embedder.query(cleaned)
        found = self._corpus.candidates(cleaned, vector)
        seen = features(
            cleaned, [one.measured for one in found], self._corpus.words, self._corpus.grams
        )
        return Measurement(cleaned, tuple(one.article_id for one in found), seen)

    async def decide(self, query: str) -> Decision:
        """Gate, answer, offer a menu or hand off."""
        gate = self.gates.check(query)
        if gate is not None and gate.kind is GateKind.REDLINE:
            return Decision(Band.GATE, 0.0, (), "gate", 1.0, gate)
        ranking = await self.rank(query)
        if gate is not None and not self._covers(gate, ranking):
            return Decision(Band.GATE, 0.0, ranking.candidates, "gate", 1.0, gate)
        return self._band(ranking)

    def _covers(self, gate: Gate, ranking: Ranking) -> bool:
        """Whether the base itself speaks of what the gate holds back: a medical base, say."""
        if not ranking.candidates or ranking.confidence < self.thresholds.menu:
            return False
        article = self._corpus.get(ranking.candidates[0].article_id)
        return article is not None and any(gate.matches(text) for text in article.phrasings)

    def _band(self, ranking: Ranking) -> Decision:
        if not ranking.candidates:
            return Decision(Band.HANDOFF, 0.0, (), "nothing_found", self.thresholds.answer)
        first = self._corpus.get(ranking.candidates[0].article_id)
        category = first.category if first else ""
        needed = self.thresholds.by_category.get(category, self.thresholds.answer)
        band, why = Band.HANDOFF, "unsure"
        if ranking.confidence >= needed:
            band, why = Band.ANSWER, "confident"
        elif ranking.confidence >= self.thresholds.menu:
            band, why = Band.MENU, "close"
        return Decision(band, ranking.confidence, ranking.candidates, why, needed)


def _explained(row: Matrix) -> dict[str, float]:
    values = zip(COLUMNS, row.tolist(), strict=True)
    return {name: round(value, 4) for name, value in values if math.isfinite(value)}
