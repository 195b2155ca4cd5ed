"""What is measured of a query against a candidate article. Pure; numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Indel

from knowledge.contrasts import asks, contradictions, is_negative, latin, numbers
from knowledge.text import folded_grams, folded_words
from knowledge.wordvectors import WordVectors, nearness

Matrix = npt.NDArray[np.float32]

#: Column order of the feature matrix; stored with the coefficients and checked on loading.
NAMES: tuple[str, ...] = (
    # vectors: best phrasing, standard question, question with tags, answer
    "dense", "dense_question", "dense_tags", "dense_answer", "dense_mean",
    # BM25 over question and tags by words and characters, over the answer by words
    "bm25_words", "bm25_grams", "bm25_answer",
    # weighted share of the query's or the phrasing's terms found in the other, or anywhere
    "gram_query", "gram_article", "gram_all", "word_query", "word_article", "word_all",
    # the same with near words counting in part; the heaviest word left over
    "soft_query", "soft_article", "soft_both", "soft_all",
    "left_query", "left_article", "left_all",
    "same_order", "length_ratio",
    # contrasts
    "contradiction", "negation", "asks_both", "asks_apart", "numbers_apart", "latin_apart",
    # against the best other candidate
    "blend", "dense_gap", "lexical_gap", "soft_gap", "blend_gap",
    # of the query and the base
    "unknown", "query_length", "has_answer", "phrasings",
)  # fmt: skip
COLUMN: Mapping[str, int] = {name: at for at, name in enumerate(NAMES)}


class Weights(Protocol):
    """Term weights and knowledge of the base's own words."""

    def idf(self, term: str) -> float: ...
    def weights(self, terms: tuple[str, ...]) -> Matrix: ...
    def mass(self, terms: frozenset[str]) -> float: ...
    def knows(self, term: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Measured:
    """A candidate with the scores that the indexes gave.

    texts: folded phrasings, nearest first. cosines: of each phrasing, same order.
    everything: question, tags, category and answer as one folded text.
    apart: the nearest phrasing's vector less the query's.
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
    apart: Matrix


@dataclass(frozen=True, slots=True)
class Features:
    """rows: float32[candidates, len(NAMES)]; a missing answer's cosine is NaN.

    blocks: float32[candidates, width] by name; what each number is worth, a scorer has learned.
    `lacking`, `extra`, `shared`: word vectors summed by weight, of the query's words that the
    nearest phrasing lacks, of that phrasing's that the query lacks, and of the query's that both
    have. `apart`: the nearest phrasing's sentence vector less the query's.
    """

    rows: Matrix
    blocks: Mapping[str, Matrix]


#: Phrasings per candidate that are compared word by word; the rest rank by cosine alone.
COMPARED = 3


@lru_cache(maxsize=8192)
def _gram_set(text: str) -> frozenset[str]:
    return frozenset(folded_grams(text))


@lru_cache(maxsize=8192)
def _word_list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(folded_words(text)))


@lru_cache(maxsize=4096)
def _word_rows(text: str) -> Matrix:
    return WordVectors.shipped().of(text)


class _Query:
    """A query's terms with their weights in this base."""

    def __init__(self, text: str, words_of: Weights, grams_of: Weights) -> None:
        self.text = text
        self.mass, self.weights = grams_of.mass, words_of.weights
        self.grams = {term: grams_of.idf(term) for term in _gram_set(text)}
        self.words = self.weights(_word_list(text))
        self.gram_mass = sum(self.grams.values()) or 1.0
        self.word_mass = float(self.words.sum()) or 1.0
        strange = [not words_of.knows(term) for term in _word_list(text)]
        self.unknown = float(self.words[strange].sum()) / self.word_mass
        self.heaviest = words_of.idf("\0") or 1.0


def features(
    query: str, candidates: Sequence[Measured], words_of: Weights, grams_of: Weights
) -> Features:
    """What is measured of the query against each candidate."""
    if not candidates:
        return nothing()
    seen = _Query(query, words_of, grams_of)
    found = _empty(len(candidates), np.stack([one.apart for one in candidates]))
    for row, candidate in zip(found.rows, candidates, strict=True):
        for name, value in (_indexed(seen, candidate) | _compared(seen, candidate)).items():
            row[COLUMN[name]] = value
    _soften(found, seen, candidates)
    _compare_candidates(found.rows)
    return found


def nothing() -> Features:
    """The features of no candidate."""
    return _empty(0, np.zeros((0, 0), dtype=np.float32))


def _empty(count: int, apart: Matrix) -> Features:
    width = WordVectors.shipped().width
    sums = {name: np.zeros((count, width), dtype=np.float32) for name in _SUMS}
    return Features(np.zeros((count, len(NAMES)), dtype=np.float32), {**sums, "apart": apart})


def _indexed(query: _Query, candidate: Measured) -> dict[str, float]:
    cosines, answer = candidate.cosines, candidate.cosine_answer
    return {
        "dense": cosines[0],
        "dense_question": candidate.cosine_question,
        "dense_tags": candidate.cosine_tags,
        "dense_answer": float("nan") if answer is None else answer,
        "dense_mean": sum(cosines[:COMPARED]) / len(cosines[:COMPARED]),
        "bm25_words": candidate.bm25_words / query.word_mass,
        "bm25_grams": candidate.bm25_grams / query.gram_mass,
        "bm25_answer": candidate.bm25_answer / query.word_mass,
        "unknown": query.unknown,
        "query_length": min(len(query.text), 60),
        "has_answer": answer is not None,
        "phrasings": min(len(cosines), 8),
    }


def _compared(query: _Query, candidate: Measured) -> dict[str, float]:
    texts = candidate.texts[:COMPARED]
    everything = _gram_set(candidate.everything)
    order, best = max((_same_order(query.text, text), text) for text in texts)
    gram_query, gram_article = max((_overlap(query, text) for text in texts), key=sum)
    mine, theirs = asks(query.text), asks(best)
    return {
        "gram_query": gram_query,
        "gram_article": gram_article,
        "gram_all": sum(w for t, w in query.grams.items() if t in everything) / query.gram_mass,
        "same_order": order,
        "length_ratio": min(len(query.text), len(best)) / max(len(query.text), len(best), 1),
        "contradiction": min(contradictions(query.text, text) for text in texts),
        "negation": min(is_negative(query.text) != is_negative(text) for text in texts),
        "asks_both": len(mine & theirs),
        "asks_apart": len(mine ^ theirs),
        "numbers_apart": min(len(numbers(query.text) ^ numbers(text)) for text in texts),
        "latin_apart": len(latin(query.text) - latin(candidate.everything)),
    }


def _overlap(query: _Query, text: str) -> tuple[float, float]:
    """Weighted share of the query's grams in the text, and of the text's in the query."""
    found = _gram_set(text)
    shared = sum(query.grams[term] for term in query.grams.keys() & found)
    mass = query.mass(found)
    return shared / query.gram_mass, shared / (mass or 1.0)


@lru_cache(maxsize=8192)
def _same_order(one: str, other: str) -> float:
    return Indel.normalized_similarity(one, other)


def _soften(found: Features, query: _Query, candidates: Sequence[Measured]) -> None:
    """Fill in the word columns: every query word against every word of every text, at once."""
    mine = _word_rows(query.text)
    if not len(mine):
        return
    texts = [text for c in candidates for text in (*c.texts[:COMPARED], c.everything)]
    texts = [text for text in dict.fromkeys(texts) if len(_word_rows(text))]
    if not texts:
        return
    parts = [_word_rows(text) for text in texts]
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    near = nearness(mine @ np.concatenate(parts).T)
    by_text = {
        text: _Words(query, text, near[:, start : start + len(part)], of_text)
        for text, start, part, of_text in zip(
            texts, starts, parts, np.maximum.reduceat(near, starts, axis=1).T, strict=True
        )
    }
    for at, (row, candidate) in enumerate(zip(found.rows, candidates, strict=True)):
        compared = [by_text[t] for t in candidate.texts[:COMPARED] if t in by_text]
        if compared:
            values, nearest = max(
                ((words.phrase(), words) for words in compared), key=lambda pair: pair[0][2]
            )
            _fill_words(row, values)
            for name, total in zip(_SUMS, nearest.sums(), strict=True):
                found.blocks[name][at] = total
        whole = by_text[candidate.everything].whole()
        row[COLUMN["word_all"]], row[COLUMN["soft_all"]], row[COLUMN["left_all"]] = whole


_SUMS = ("lacking", "extra", "shared")
_PHRASE = (
    "soft_query", "soft_article", "soft_both", "left_query", "left_article",
    "word_query", "word_article",
)  # fmt: skip


def _fill_words(row: npt.NDArray[np.float32], values: Sequence[float]) -> None:
    for name, value in zip(_PHRASE, values, strict=True):
        row[COLUMN[name]] = value


@dataclass(frozen=True, slots=True)
class _Words:
    """The query's words against one text's. near: [query words, text words]; best: its row max."""

    query: _Query
    text: str
    near: Matrix
    best: Matrix

    def weights(self) -> Matrix:
        return self.query.weights(_word_list(self.text))

    def phrase(self) -> tuple[float, ...]:
        query, theirs, weights = self.query, self.near.max(axis=0), self.weights()
        mass = float(weights.sum()) or 1.0
        of_query = float(self.best @ query.words) / query.word_mass
        of_text = float(theirs @ weights) / mass
        return (
            of_query,
            of_text,
            2 * of_query * of_text / (of_query + of_text + 1e-9),
            float((query.words * (1 - self.best)).max()) / query.heaviest,
            float((weights * (1 - theirs)).max()) / query.heaviest,
            float(query.words[self.best >= 1].sum()) / query.word_mass,
            float(weights[theirs >= 1].sum()) / mass,
        )

    def sums(self) -> tuple[Matrix, ...]:
        """What _SUMS names."""
        query, mine, theirs = self.query, _word_rows(self.query.text), _word_rows(self.text)
        missing = query.words * (1 - self.best)
        extra = self.weights() * (1 - self.near.max(axis=0))
        sums = (missing @ mine, extra @ theirs, (query.words - missing) @ mine)
        return tuple(np.asarray(total / query.heaviest, dtype=np.float32) for total in sums)

    def whole(self) -> tuple[float, float, float]:
        query = self.query
        return (
            float(query.words[self.best >= 1].sum()) / query.word_mass,
            float(self.best @ query.words) / query.word_mass,
            float((query.words * (1 - self.best)).max()) / query.heaviest,
        )


def _compare_candidates(rows: Matrix) -> None:
    """Fill in the columns that compare a candidate with the best other one."""
    answer, dense = rows[:, COLUMN["dense_answer"]], rows[:, COLUMN["dense"]]
    lexical = rows[:, COLUMN["gram_query"]] + rows[:, COLUMN["gram_all"]]
    soft = rows[:, COLUMN["soft_both"]] + rows[:, COLUMN["soft_all"]]
    spoken = np.where(np.isnan(answer), dense, answer)
    blend = dense + 0.5 * rows[:, COLUMN["dense_tags"]] + 0.5 * spoken + 0.1 * lexical
    rows[:, COLUMN["blend"]] = blend
    pairs = {"dense": dense, "lexical": lexical, "soft": soft, "blend": blend}
    for name, values in pairs.items():
        rows[:, COLUMN[f"{name}_gap"]] = _gap(values)


def _gap(values: Matrix) -> Matrix:
    """Each value less the best of the others; 0.2 when it stands alone."""
    if len(values) < 2:
        return np.full_like(values, 0.2)
    order = np.argsort(-values)
    gaps = values - values[order[0]]
    gaps[order[0]] = values[order[0]] - values[order[1]]
    return np.asarray(gaps, dtype=np.float32)
