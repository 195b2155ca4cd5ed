"""The searchable form of the articles: vectors, words, and the few worth measuring."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from knowledge.articles import ArticleText
from knowledge.encoders import Role, Vectors
from knowledge.features import Measured
from knowledge.index import VectorIndex
from knowledge.lexical import LexicalIndex, best
from knowledge.synonyms import Synonyms
from knowledge.text import folded_grams, folded_words

#: How many each source proposes; their union is measured.
FROM_QUESTIONS, FROM_ANSWERS, FROM_WORDS, FROM_GRAMS, FROM_ANSWER_WORDS = 20, 6, 8, 8, 5

#: Candidates weighed by their indexes' scores, and those of them that are compared word by word.
WEIGHED, COMPARED = 24, 12


_LEXICAL = ("bm25_words", "bm25_grams", "bm25_answer")


class Field(StrEnum):
    PHRASING = "phrasing"
    TAGGED = "tagged"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class FieldText:
    """One text of an article that gets a vector of its own."""

    field: Field
    text: str

    @property
    def role(self) -> Role:
        return Role.PASSAGE if self.field is Field.ANSWER else Role.QUERY


@dataclass(frozen=True, slots=True)
class Plan:
    """An article prepared for the corpus in the terms of the synonym table, and what to embed."""

    article: ArticleText
    texts: tuple[FieldText, ...]
    topics: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class _Entry:
    plan: Plan
    rows: tuple[int, ...]
    everything: str


@dataclass(frozen=True, slots=True)
class _Near:
    """A stored vector against the query's: cosine and difference."""

    cosine: float
    apart: Vectors


@dataclass(frozen=True, slots=True)
class Found:
    article_id: str
    measured: Measured


class Corpus:
    """Articles by id, kept in step in the vector and word indexes."""

    def __init__(self, synonyms: Synonyms) -> None:
        self._synonyms = synonyms
        self._terms: Counter[str] = Counter()
        self._slots: dict[str, int] = {}
        self._entries: dict[int, _Entry] = {}
        self._free: list[int] = []
        self._slot_of_row: dict[int, int] = {}
        self._next_row = 0
        self._questions, self._answers = VectorIndex(), VectorIndex()
        self.words, self.grams = LexicalIndex(folded_words), LexicalIndex(folded_grams)
        self._answer_words = LexicalIndex(folded_words)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, article_id: str) -> ArticleText | None:
        slot = self._slots.get(article_id)
        return None if slot is None else self._entries[slot].plan.article

    def in_base_words(self, text: str) -> str:
        """Folded text with customers' words replaced by those that this base uses."""
        return self._synonyms.apply(text, lambda term: self._terms[term] > 0)

    def plan(self, article: ArticleText) -> Plan:
        phrasings = [self._synonyms.apply(text) for text in article.phrasings]
        tags = [self._synonyms.apply(tag) for tag in article.tags]
        answer = self._synonyms.apply(article.answer or "")
        texts = [FieldText(Field.PHRASING, text) for text in dict.fromkeys(phrasings)]
        if tags:
            texts.append(FieldText(Field.TAGGED, " ".join((phrasings[0], *tags))))
        if answer:
            texts.append(FieldText(Field.ANSWER, answer))
        topics = (*phrasings, *tags, self._synonyms.apply(article.category))
        return Plan(article, tuple(texts), topics, answer)

    def put(self, plan: Plan, vectors: Sequence[Vectors]) -> None:
        """Add or replace. `vectors` in the order of `plan.texts`."""
        self.remove(plan.article.article_id)
        slot = self._free.pop() if self._free else len(self._entries)
        rows = tuple(range(self._next_row, self._next_row + len(vectors)))
        self._next_row += len(rows)
        for row, text, vector in zip(rows, plan.texts, vectors, strict=True):
            self._index_of(text).add([row], vector[None, :])
            self._slot_of_row[row] = slot
        self.words.add(slot, plan.topics)
        self.grams.add(slot, plan.topics)
        self._answer_words.add(slot, [plan.answer])
        everything = " ".join(filter(None, (*dict.fromkeys(plan.topics), plan.answer)))
        self._terms.update(self._synonyms.terms_in(everything))
        self._slots[plan.article.article_id] = slot
        self._entries[slot] = _Entry(plan, rows, everything)

    def remove(self, article_id: str) -> None:
        slot = self._slots.pop(article_id, None)
        if slot is None:
            return
        entry = self._entries.pop(slot)
        for row, text in zip(entry.rows, entry.plan.texts, strict=True):
            self._index_of(text).remove([row])
            del self._slot_of_row[row]
        self.words.remove(slot, entry.plan.topics)
        self.grams.remove(slot, entry.plan.topics)
        self._answer_words.remove(slot, [entry.plan.answer])
        self._terms.subtract(self._synonyms.terms_in(entry.everything))
        self._free.append(slot)

    def candidates(self, query: str, vector: Vectors) -> list[Found]:
        """The articles worth measuring, each with what the indexes say of it."""
        lexical = [index.scores([query]) for index in (self.words, self.grams, self._answer_words)]
        limits = (FROM_WORDS, FROM_GRAMS, FROM_ANSWER_WORDS)
        rows = [row for row, _ in self._questions.search(vector, FROM_QUESTIONS)]
        answers = [row for row, _ in self._answers.search(vector, FROM_ANSWERS)]
        proposals = [
            [self._slot_of_row[row] for row in rows],
            *(best(scores, limit) for scores, limit in zip(lexical, limits, strict=True)),
            [self._slot_of_row[row] for row in answers],
        ]
        turns = itertools.zip_longest(*proposals)
        wanted = dict.fromkeys(slot for turn in turns for slot in turn if slot is not None)
        slots = list(wanted)[:WEIGHED]
        near = self._near(slots, vector)
        found = [
            Found(
                self._entries[slot].plan.article.article_id,
                _measured(self._entries[slot], near, [float(s[slot]) for s in lexical]),
            )
            for slot in slots
        ]
        return _nearest(found)

    def _near(self, slots: Sequence[int], vector: Vectors) -> dict[int, _Near]:
        """How near the query is to every row of these articles, by row."""
        near: dict[int, _Near] = {}
        for index in (self._questions, self._answers):
            rows = [
                row
                for slot in slots
                for row, text in zip(
                    self._entries[slot].rows, self._entries[slot].plan.texts, strict=True
                )
                if self._index_of(text) is index
            ]
            stored = index.vectors(rows)
            if rows:
                apart = stored - vector
                near |= zip(rows, map(_Near, (stored @ vector).tolist(), apart), strict=True)
        return near

    def _index_of(self, text: FieldText) -> VectorIndex:
        return self._answers if text.field is Field.ANSWER else self._questions


def _nearest(found: Sequence[Found]) -> list[Found]:
    """The COMPARED best by a rough sum, in the order they came."""
    best = [
        max((getattr(one.measured, name) for one in found), default=0.0) or 1.0
        for name in _LEXICAL
    ]

    def rough(at: int) -> float:
        one = found[at].measured
        answer = one.cosines[0] if one.cosine_answer is None else one.cosine_answer
        words = sum(getattr(one, name) / top for name, top in zip(_LEXICAL, best, strict=True))
        return one.cosines[0] + 0.5 * one.cosine_tags + 0.5 * answer + 0.03 * float(words)

    kept = sorted(range(len(found)), key=rough, reverse=True)[:COMPARED]
    return [found[at] for at in sorted(kept)]


def _measured(entry: _Entry, near: Mapping[int, _Near], lexical: Sequence[float]) -> Measured:
    by_field: dict[Field, list[tuple[_Near, str]]] = {kind: [] for kind in Field}
    for row, text in zip(entry.rows, entry.plan.texts, strict=True):
        by_field[text.field].append((near[row], text.text))
    question = by_field[Field.PHRASING][0][0].cosine
    phrasings = sorted(by_field[Field.PHRASING], key=lambda pair: -pair[0].cosine)
    tagged, answer = by_field[Field.TAGGED], by_field[Field.ANSWER]
    return Measured(
        texts=tuple(text for _, text in phrasings),
        cosines=tuple(one.cosine for one, _ in phrasings),
        cosine_question=question,
        cosine_tags=tagged[0][0].cosine if tagged else question,
        cosine_answer=answer[0][0].cosine if answer else None,
        bm25_words=lexical[0],
        bm25_grams=lexical[1],
        bm25_answer=lexical[2],
        everything=entry.everything,
        apart=phrasings[0][0].apart,
    )
