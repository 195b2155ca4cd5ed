"""What is measured of a query against a candidate article. Pure; numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from knowledge.contrasts import asks, contradictions, is_negative, latin, numbers
from knowledge.text import grams, words

Matrix = npt.NDArray[np.float32]

#: Column order of the feature matrix; stored with the coefficients and checked on loading.
NAMES: tuple[str, ...] = (
    "dense", "dense_question", "dense_tags", "dense_answer", "dense_mean",
    "bm25_words", "bm25_grams", "bm25_answer",
    "gram_query", "gram_article", "gram_all", "word_query", "word_article", "word_all",
    "missing", "extra", "same_order", "length_ratio",
    "contradiction", "negation", "asks_both", "asks_apart", "numbers_apart", "latin_apart",
    "dense_gap", "lexical_gap", "blend", "blend_gap",
    "unknown", "query_length", "has_answer", "phrasings",
)  # fmt: skip


class Weights(Protocol):
    """Term weights and knowledge of the base's own words."""

    def idf(self, term: str) -> float: ...
    def knows(self, term: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Measured:
    """A candidate with the scores that the indexes gave.

    texts: canonical phrasings, best first. cosines: of each phrasing, same order.
    everything: question, tags, category and answer as one canonical text.
    """

    texts: tuple[str, ...]
    cosines: tuple[float, ...]
    cosine_question: float
    cosine_tags: float
    cosine_answer: float | None
    bm25_words: float
    bm25_grams: float
    bm25_answer: float
    everything: str


#: Phrasings per candidate that are compared word by word; the rest rank by cosine alone.
COMPARED = 3


@lru_cache(maxsize=8192)
def _gram_set(text: str) -> frozenset[str]:
    return frozenset(grams(text))


@lru_cache(maxsize=8192)
def _word_set(text: str) -> frozenset[str]:
    return frozenset(words(text))


class _Query:
    """A query's terms with their weights in this base."""

    def __init__(self, text: str, words_of: Weights, grams_of: Weights) -> None:
        self.text = text
        self.grams = {term: grams_of.idf(term) for term in _gram_set(text)}
        self.words = {term: words_of.idf(term) for term in _word_set(text)}
        self.grams_of, self.words_of = grams_of, words_of
        self.gram_mass = sum(self.grams.values()) or 1.0
        self.word_mass = sum(self.words.values()) or 1.0
        unknown = sum(w for term, w in self.words.items() if not words_of.knows(term))
        self.unknown = unknown / self.word_mass
        self.top = words_of.idf("\0")


def features(
    query: str, candidates: Sequence[Measured], words_of: Weights, grams_of: Weights
) -> Matrix:
    """float32[candidates, len(NAMES)]; a missing answer's cosine is NaN."""
    seen = _Query(query, words_of, grams_of)
    rows = np.array([_row(seen, candidate) for candidate in candidates], dtype=np.float32)
    return _with_gaps(rows.reshape(len(candidates), len(NAMES)))


def _row(query: _Query, candidate: Measured) -> list[float]:
    compared = candidate.texts[:COMPARED]
    lexical = max((_overlap(query, text) for text in compared), key=sum)
    best = max(compared, key=lambda text: _same_order(query.text, text))
    mine, theirs = asks(query.text), asks(best)
    cosines = candidate.cosines
    everything_grams, everything_words = map(_sets_of, (candidate.everything,) * 2, ("g", "w"))
    answer = candidate.cosine_answer
    return [
        cosines[0], candidate.cosine_question, candidate.cosine_tags,
        float("nan") if answer is None else answer, float(np.mean(cosines[:COMPARED])),
        candidate.bm25_words / query.word_mass, candidate.bm25_grams / query.gram_mass,
        candidate.bm25_answer / query.word_mass,
        lexical[0], lexical[1],
        sum(w for t, w in query.grams.items() if t in everything_grams) / query.gram_mass,
        lexical[2], lexical[3],
        sum(w for t, w in query.words.items() if t in everything_words) / query.word_mass,
        max((w for t, w in query.words.items() if t not in everything_words), default=0.0)
        / query.top,
        min(_extra(query, text) for text in compared),
        _same_order(query.text, best),
        min(len(query.text), len(best)) / max(len(query.text), len(best), 1),
        min(contradictions(query.text, text) for text in compared),
        min(is_negative(query.text) != is_negative(text) for text in compared),
        len(mine & theirs), len(mine ^ theirs),
        min(len(numbers(query.text) ^ numbers(text)) for text in compared),
        len(latin(query.text) - latin(candidate.everything)),
        0.0, 0.0, 0.0, 0.0,
        query.unknown, min(len(query.text), 60), 0.0 if answer is None else 1.0,
        min(len(cosines), 8),
    ]  # fmt: skip


def _sets_of(text: str, kind: str) -> frozenset[str]:
    return _gram_set(text) if kind == "g" else _word_set(text)


def _overlap(query: _Query, text: str) -> tuple[float, float, float, float]:
    """Weighted share of query grams in the text, text grams in the query; the same for words."""
    gram_set, word_set = _gram_set(text), _word_set(text)
    gram_weights = {term: query.grams_of.idf(term) for term in gram_set}
    word_weights = {term: query.words_of.idf(term) for term in word_set}
    shared_grams = sum(w for term, w in gram_weights.items() if term in query.grams)
    shared_words = sum(w for term, w in word_weights.items() if term in query.words)
    return (
        shared_grams / query.gram_mass,
        shared_grams / (sum(gram_weights.values()) or 1.0),
        shared_words / query.word_mass,
        shared_words / (sum(word_weights.values()) or 1.0),
    )


def _extra(query: _Query, text: str) -> float:
    """Weight of the rarest word that the phrasing has and the query lacks, 0…1."""
    lacking = (query.words_of.idf(t) for t in _word_set(text) if t not in query.words)
    return max(lacking, default=0.0) / query.top


@lru_cache(maxsize=8192)
def _same_order(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _with_gaps(rows: Matrix) -> Matrix:
    """Fill in the columns that compare a candidate with the best other one."""
    column = {name: at for at, name in enumerate(NAMES)}
    answer = rows[:, column["dense_answer"]]
    dense = rows[:, column["dense"]]
    lexical = rows[:, column["gram_query"]] + rows[:, column["gram_all"]]
    spoken = np.where(np.isnan(answer), dense, answer)
    blend = dense + 0.5 * rows[:, column["dense_tags"]] + 0.5 * spoken + 0.1 * lexical
    rows[:, column["blend"]] = blend
    for name, values in (("dense_gap", dense), ("lexical_gap", lexical), ("blend_gap", blend)):
        rows[:, column[name]] = _gap(values)
    return rows


def _gap(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Each value less the best of the others; 0.2 when it stands alone."""
    if len(values) < 2:
        return np.full_like(values, 0.2)
    order = np.argsort(-values)
    gaps = values - values[order[0]]
    gaps[order[0]] = values[order[0]] - values[order[1]]
    return np.asarray(gaps, dtype=np.float32)
