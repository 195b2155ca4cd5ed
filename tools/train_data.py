"""What a scorer is fitted on: questions measured against their bases, part of train_scorer."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from knowledge import evaluation
from knowledge.articles import ArticleText
from knowledge.embedder import Embedder
from knowledge.encoders import bundled
from knowledge.retriever import Retriever
from knowledge.scorer import Blend, Coefficients, Scorer
from tools.word_costs import Example

#: In the names of the encoders whose vectors the costs are learned on.
ENCODER = "e5-small"
#: Sets of everyday life: what they ask, no article about work answers. Each so many-th is asked.
FOREIGN, FOREIGN_STEP = ("web", "daily", "everyday"), 10
TRAINING = Path(__file__).parent / "training"
DEMO_BASE = Path(__file__).parents[1] / "knowledge" / "data" / "demo_faq.jsonl"


class VectorFile:
    """Vectors kept between runs."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.rows: dict[str, bytes] = {}
        if path is not None and path.exists():
            self.rows = pickle.loads(path.read_bytes())  # noqa: S301 - see the import

    async def load(self, model: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        return {key: self.rows[model + key] for key in keys if model + key in self.rows}

    async def save(self, model: str, vectors: Mapping[str, bytes]) -> None:
        self.rows |= {model + key: raw for key, raw in vectors.items()}

    def write(self) -> None:
        if self._path is not None:
            self._path.write_bytes(pickle.dumps(self.rows))


#: Measures without ranking: there may be no coefficients yet for the columns of today.
_BLANK = Coefficients(Blend(()), Blend(()), {}, np.zeros((0, 0)), 1.0, 0.0)
UNFITTED = Scorer("", ENCODER, _BLANK, _BLANK)


class Measured:
    """Asks a base and keeps what is measured."""

    def __init__(
        self, labelled: evaluation.LabelledSet, embedder: Embedder, *, written: bool
    ) -> None:
        self.examples: list[Example] = []
        self._labelled, self._embedder, self._written = labelled, embedder, written
        self._answered = any(article.answer for article in labelled.articles)

    async def gather(self, foreign: Iterable[str]) -> None:
        """Measure every labelled question, the two that each article lends, and foreign ones."""
        labelled = self._labelled
        retriever = await Retriever.build(labelled.articles, self._embedder, scorer=UNFITTED)
        for question in labelled.questions:
            home = min(question.gold, default=question.near or question.query_id)
            await self._ask(retriever, question.query, question.gold, home, "real")
        if not self._written:
            for article in labelled.articles:
                await self._borrow(retriever, article)
        for at, query in enumerate(foreign):
            await self._ask(retriever, query, [], f"foreign {at}", "foreign")

    async def _borrow(self, retriever: Retriever, article: ArticleText) -> None:
        home = article.article_id
        for wording in article.similar[:2]:
            rest = tuple(other for other in article.similar if other != wording)
            await retriever.upsert([dataclasses.replace(article, similar=rest)])
            await self._ask(retriever, wording, [home], home, "lent")
        retriever.remove([home])
        middle = article.phrasings[len(article.phrasings) // 2]
        await self._ask(retriever, middle, [], home, "lent")
        await retriever.upsert([article])

    async def _ask(
        self, retriever: Retriever, query: str, gold: Iterable[str], home: str, origin: str
    ) -> None:
        seen = await retriever.measure(query)
        right = np.array([article_id in set(gold) for article_id in seen.article_ids], dtype=bool)
        if len(right):
            found = Example(
                self._labelled.name, home, origin, self._written, self._answered, query,
                bool(set(gold)), seen.found.rows, seen.found.blocks, right,
                await self._embedder.query(seen.cleaned),
            )  # fmt: skip
            self.examples.append(found)


async def measure(folders: Sequence[Path], vectors: Path | None) -> list[Example]:
    store = VectorFile(vectors)
    embedder = Embedder(bundled(), store=store, memory=300_000)
    sets = [(labelled, False) for folder in folders for labelled in evaluation.read_sets(folder)]
    examples: list[Example] = []
    own = written()
    everyday = [
        question.query
        for labelled in own
        if labelled.name in FOREIGN
        for question in labelled.questions[::FOREIGN_STEP]
    ]
    for labelled, is_written in (*sets, *((one, True) for one in own)):
        measured = Measured(labelled, embedder, written=is_written)
        is_asked = is_written and any(article.answer for article in labelled.articles)
        await measured.gather(everyday if is_asked else ())
        examples += measured.examples
        print(f"{labelled.name}: {len(examples)} examples so far")
    await embedder.close()
    store.write()
    return examples


def written() -> list[evaluation.LabelledSet]:
    """Our own sets: bases with questions, and more questions to the demo base."""
    asked = evaluation.read_questions(TRAINING / "demo_queries.jsonl")
    sets = [evaluation.LabelledSet("demo", evaluation.read_articles(DEMO_BASE), asked)]
    for folder in sorted(path for path in TRAINING.iterdir() if path.is_dir()):
        (labelled,) = evaluation.read_sets(folder)
        sets.append(dataclasses.replace(labelled, name=folder.name))
    return sets
