"""Time of a decision beyond the embedder, over a made-up base. `--size 100000` by default.

Questions are made by recombining the words of the demo base; vectors are sums of random word
vectors, so that near texts have near vectors without a model.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import time
import zlib
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np

from knowledge.articles import ArticleText
from knowledge.embedder import Embedder
from knowledge.encoders import Role, Vectors, normalised
from knowledge.evaluation import read_articles
from knowledge.retriever import Retriever
from knowledge.text import words


class WordSums:
    """Stands in for a model: fast, deterministic, 384 dimensions."""

    name = "word-sums"

    async def encode(self, texts: Sequence[str], role: Role, *, bulk: bool = False) -> Vectors:
        del role, bulk
        return normalised([1.2 * self._of("") + sum(map(self._of, words(t))) for t in texts])

    @staticmethod
    @lru_cache(maxsize=50_000)
    def _of(word: str) -> Vectors:
        made = np.random.default_rng(zlib.crc32(word.encode()))
        return made.standard_normal(384, dtype=np.float32)

    async def close(self) -> None:
        """Nothing is held."""


def made_up(size: int, seed: int) -> list[str]:
    with resources.as_file(resources.files("knowledge") / "data" / "demo_faq.jsonl") as file:
        base = read_articles(Path(file))
    vocabulary = sorted({w for a in base for w in words(f"{a.question}{a.answer}") if len(w) > 1})
    chance = random.Random(seed)  # noqa: S311 - no secret
    questions = [a.question for a in base]
    made: list[str] = []
    for _ in range(size):
        kept = [w for w in words(chance.choice(questions)) if chance.random() < 0.6]
        made.append("".join(kept + chance.sample(vocabulary, chance.randint(2, 4))))
    return made


async def bench(size: int, asked: int) -> None:
    embedder = Embedder(WordSums(), memory=asked + 10)
    started = time.perf_counter()
    texts = made_up(size, seed=1)
    retriever = await Retriever.build(
        (ArticleText(str(number), text) for number, text in enumerate(texts)), embedder
    )
    print(f"built over {size} questions in {time.perf_counter() - started:.1f} s")
    queries = made_up(asked, seed=2)
    for query in queries:
        await retriever.rank(query)
    times = []
    for query in made_up(asked, seed=3):
        started = time.perf_counter()
        await retriever.rank(query)
        times.append(1000 * (time.perf_counter() - started))
    p50, p99 = np.percentile(times, [50, 99])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"decision without a model: p50 {p50:.2f} ms, p99 {p99:.2f} ms; peak {peak:.0f} MB")
    remove = time.perf_counter()
    retriever.remove([str(number) for number in range(100)])
    print(f"removal: {10 * (time.perf_counter() - remove):.2f} ms an article")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--asked", type=int, default=300)
    given = parser.parse_args()
    asyncio.run(bench(given.size, given.asked))


if __name__ == "__main__":
    main()
