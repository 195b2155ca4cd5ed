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
from knowledge.sounds import sound
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
    # the shares of terms again, where what sounds alike is the same
    "sound_query", "sound_article",
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


#: How near words are that sound alike.
_HEARD = 0.9
#: Phrasings per candidate that are compared word by word; the rest rank by cosine alone.
COMPARED = 3


@lru_cache(maxsize=8192)
def _gram_set(text: str) -> frozenset[str]:
    return frozenset(folded_grams(text))


@lru_cache(maxsize=8192)
def _word_list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(folded_words(text)))


@lru_cache(maxsize=8192)
def _word_sounds(text: str) -> npt.NDArray[np.int64]:
    """A number for the sound of each word; 0 for one character, which sounds like too many."""
    found = [hash(sound(word)) if len(word) > 1 else 0 for word in _word_list(text)]
    return np.array(found, dtype=np.int64)


@lru_cache(maxsize=4096)
def _word_rows(text: str) -> Matrix:
    return WordVectors.shipped().of(text)


class _Query:
    """A query's terms with their weights in this base."""

    def __init__(self, text: str, words_of: Weights, grams_of: Weights) -> None:
        self.text = text
        self.idf, self.mass, self.weights = grams_of.idf, grams_of.mass, words_of.weights
        self.grams = {term: grams_of.idf(term) for term in _gram_set(text)}
        self.sounds = {term: sound(term) for term in self.grams}
        self.words = self.weights(_word_list(text))
        self.gram_mass = sum(self.grams.values()) or 1.0
        self.word_mass = float(self.words.sum()) or 1.0
        strange = [not words_of.knows(term) for term in _word_list(text)]
        self.unknown = float(self.words[strange].sum()) / self.word_mass
        self.heaviest = words_of.idf("\0") or 1.0
        self.asks, self.is_negative = asks(text), is_negative(text)
        self.numbers, self.latin = numbers(text), latin(text)


def features(
    query: str, candidates: Sequence[Measured], words_of: Weights, grams_of: Weights
) -> Features:
    """What is measured of the query against each candidate."""
    if not candidates:
        return nothing()
    seen = _Query(query, words_of, grams_of)
    found = _empty(len(candidates), np.stack([one.apart for one in candidates]))
    found.rows[:, _PLAIN] = [(*_indexed(seen, one), *_compared(seen, one)) for one in candidates]
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


_INDEXED = (
    "dense", "dense_question", "dense_tags", "dense_answer", "dense_mean", "bm25_words",
    "bm25_grams", "bm25_answer", "unknown", "query_length", "has_answer", "phrasings",
)  # fmt: skip


def _indexed(query: _Query, candidate: Measured) -> tuple[float, ...]:
    """What _INDEXED names."""
    cosines, answer = candidate.cosines, candidate.cosine_answer
    return (
        cosines[0],
        candidate.cosine_question,
        candidate.cosine_tags,
        float("nan") if answer is None else answer,
        sum(cosines[:COMPARED]) / len(cosines[:COMPARED]),
        candidate.bm25_words / query.word_mass,
        candidate.bm25_grams / query.gram_mass,
        candidate.bm25_answer / query.word_mass,
        query.unknown,
        min(len(query.text), 60),
        answer is not None,
        min(len(cosines), 8),
    )


_COMPARED = (
    "gram_query", "gram_article", "gram_all", "sound_query", "sound_article", "same_order",
    "length_ratio", "contradiction", "negation", "asks_both", "asks_apart", "numbers_apart",
    "latin_apart",
)  # fmt: skip
_PLAIN = [COLUMN[name] for name in (*_INDEXED, *_COMPARED)]


def _compared(query: _Query, candidate: Measured) -> tuple[float, ...]:
    """What _COMPARED names."""
    texts = candidate.texts[:COMPARED]
    everything = _gram_set(candidate.everything)
    order, best = max((_same_order(query.text, text), text) for text in texts)
    overlaps = [_overlap(query, text) for text in texts]
    gram_query, gram_article = max((plain for plain, _ in overlaps), key=sum)
    sound_query, sound_article = max((heard for _, heard in overlaps), key=sum)
    theirs = asks(best)
    return (
        gram_query,
        gram_article,
        sum([query.grams[term] for term in query.grams if term in everything]) / query.gram_mass,
        sound_query,
        sound_article,
        order,
        min(len(query.text), len(best)) / max(len(query.text), len(best), 1),
        min([contradictions(query.text, text) for text in texts]),
        min([query.is_negative != is_negative(text) for text in texts]),
        len(query.asks & theirs),
        len(query.asks ^ theirs),
        min([len(query.numbers ^ numbers(text)) for text in texts]),
        len(query.latin - latin(candidate.everything)),
    )


_Shares = tuple[float, float]


def _overlap(query: _Query, text: str) -> tuple[_Shares, _Shares]:
    """Weighted share of the query's grams in the text and of the text's in the query.

    First by writing; then with those added that only sound like one on the other side.
    """
    found = _gram_set(text)
    same = query.grams.keys() & found
    shared = sum([query.grams[term] for term in same])
    mass = query.mass(found) or 1.0
    plain = shared / query.gram_mass, shared / mass
    missed = {query.sounds[term] for term in query.grams.keys() - same}
    alike = [term for term in found - same if sound(term) in missed]
    if not alike:
        return plain, plain
    heard = {sound(term) for term in alike}
    mine = sum([query.grams[t] for t in query.grams.keys() - same if query.sounds[t] in heard])
    theirs = sum([query.idf(term) for term in alike])
    return plain, ((shared + mine) / query.gram_mass, (shared + theirs) / mass)


@lru_cache(maxsize=8192)
def _same_order(one: str, other: str) -> float:
    return Indel.normalized_similarity(one, other)


_SUMS = ("lacking", "extra", "shared")
_PHRASE = (
    "soft_query", "soft_article", "soft_both", "left_query", "left_article",
    "word_query", "word_article",
)  # fmt: skip
_WHOLE = ("word_all", "soft_all", "left_all")
_PHRASE_AT, _WHOLE_AT = ([COLUMN[name] for name in names] for names in (_PHRASE, _WHOLE))


def _soften(found: Features, query: _Query, candidates: Sequence[Measured]) -> None:
    """Fill in the word columns: every query word against every word of every text, at once."""
    texts = [text for c in candidates for text in (*c.texts[:COMPARED], c.everything)]
    texts = [text for text in dict.fromkeys(texts) if _word_list(text)]
    if not texts or not _word_list(query.text):
        return
    words = _Words(query, texts)
    at = {text: number for number, text in enumerate(texts)}
    nearest: dict[int, int] = {}
    whole: dict[int, int] = {}
    for number, candidate in enumerate(candidates):
        compared = [at[text] for text in candidate.texts[:COMPARED] if text in at]
        if compared:
            nearest[number] = max(compared, key=words.soft_both.__getitem__)
        if candidate.everything in at:
            whole[number] = at[candidate.everything]
    found.rows[np.ix_(list(whole), _WHOLE_AT)] = words.whole[list(whole.values())]
    if nearest:
        rows, chosen = list(nearest), list(nearest.values())
        found.rows[np.ix_(rows, _PHRASE_AT)] = words.phrase[chosen]
        for name, totals in zip(_SUMS, words.sums(chosen), strict=True):
            found.blocks[name][rows] = totals


class _Words:
    """The query's words against those of some texts, laid end to end.

    best: [texts, query words], how near the text comes to each; theirs: the same the other way,
    of every word of every text. phrase, whole: by text, what _PHRASE and _WHOLE name.
    """

    def __init__(self, query: _Query, texts: Sequence[str]) -> None:
        self._query = query
        parts = [_word_rows(text) for text in texts]
        self._rows = np.concatenate(parts)
        self._starts = np.cumsum([0, *(len(part) for part in parts)])
        near = nearness(_word_rows(query.text) @ self._rows.T)
        heard = np.concatenate([_word_sounds(text) for text in texts])
        same = (_word_sounds(query.text)[:, None] == heard) & (heard != 0)
        near[same] = np.maximum(near[same], _HEARD)
        starts = self._starts[:-1]
        self._best = np.maximum.reduceat(near, starts, axis=1).T
        self._theirs = near.max(axis=0)
        self._weights = np.concatenate([query.weights(_word_list(text)) for text in texts])
        mass = np.add.reduceat(self._weights, starts)
        mass[mass == 0] = 1.0

        of_query = self._best @ query.words / query.word_mass
        of_text = np.add.reduceat(self._theirs * self._weights, starts) / mass
        left = (query.words * (1 - self._best)).max(axis=1) / query.heaviest
        self._extra = self._weights * (1 - self._theirs)
        left_over = np.maximum.reduceat(self._extra, starts) / query.heaviest
        same = (self._best >= 1) @ query.words / query.word_mass
        same_words = np.add.reduceat(np.where(self._theirs >= 1, self._weights, 0), starts) / mass
        both = 2 * of_query * of_text / (of_query + of_text + 1e-9)
        columns = (of_query, of_text, both, left, left_over, same, same_words)
        self.phrase = np.stack(columns, axis=1)
        self.soft_both: list[float] = both.tolist()
        self.whole = np.stack((same, of_query, left), axis=1)

    def sums(self, texts: Sequence[int]) -> tuple[Matrix, ...]:
        """What _SUMS names, of these texts."""
        query, mine = self._query, _word_rows(self._query.text)
        missing = query.words * (1 - self._best[texts])
        spans = [slice(*self._starts[text : text + 2]) for text in texts]
        extra = np.stack([self._extra[span] @ self._rows[span] for span in spans])
        sums = (missing @ mine, extra, (query.words - missing) @ mine)
        return tuple(np.asarray(total / query.heaviest, dtype=np.float32) for total in sums)


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
