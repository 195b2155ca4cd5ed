"""The searchable form of the articles: vectors, words, and the few worth measuring."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from knowledge.articles import ArticleText
from knowledge.encoders import Role, Vectors
from knowledge.features import Measured
from knowledge.index import VectorIndex
from knowledge.lexical import LexicalIndex, Scores, best
from knowledge.synonyms import Synonyms
from knowledge.text import folded_grams, folded_words

#: How many each source proposes; their union is measured.
FROM_QUESTIONS, FROM_ANSWERS, FROM_WORDS, FROM_GRAMS, FROM_ANSWER_WORDS = 20, 6, 8, 8, 5

#: Candidates weighed by their indexes' scores, and those of them that are compared word by word.
WEIGHED, COMPARED = 24, 12


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
    """rows: of the texts, in their order: phrasings, then perhaps one with tags, one answer."""

    plan: Plan
    rows: tuple[int, ...]
    phrasings: tuple[str, ...]
    asked_rows: tuple[int, ...]
    answer_row: int | None
    everything: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """An entry beside the query. cosines: of `asked_rows`, whose vectors begin at `start`."""

    entry: _Entry
    start: int
    cosines: list[float]
    answer: float | None
    lexical: tuple[float, float, float]

    @property
    def tags(self) -> float:
        """Of the question with its tags; the question's own where there are none."""
        has_tags = len(self.cosines) > len(self.entry.phrasings)
        return self.cosines[-1] if has_tags else self.cosines[0]


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
        self._entries[slot] = _entry(plan, rows, everything)

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
        return self._measured(list(wanted)[:WEIGHED], vector, lexical)

    def _measured(
        self, slots: Sequence[int], vector: Vectors, lexical: Sequence[Scores]
    ) -> list[Found]:
        """Those of these articles that are worth comparing, with what the indexes say of them."""
        entries = [self._entries[slot] for slot in slots]
        stored = self._questions.vectors([row for one in entries for row in one.asked_rows])
        answered = [one.answer_row for one in entries if one.answer_row is not None]
        cosines = (stored @ vector).tolist()
        answers = iter((self._answers.vectors(answered) @ vector).tolist() if answered else ())
        scores = zip(*(index[slots].tolist() for index in lexical), strict=True)
        starts = itertools.accumulate((len(one.asked_rows) for one in entries), initial=0)
        seen = [
            _Seen(
                entry,
                start,
                cosines[start : start + len(entry.asked_rows)],
                None if entry.answer_row is None else next(answers),
                found,
            )
            for entry, start, found in zip(entries, starts, scores, strict=False)
        ]
        return [_found(one, stored, vector) for one in _nearest(seen)]

    def _index_of(self, text: FieldText) -> VectorIndex:
        return self._answers if text.field is Field.ANSWER else self._questions


def _entry(plan: Plan, rows: tuple[int, ...], everything: str) -> _Entry:
    texts = plan.texts
    answer_row = rows[-1] if texts[-1].field is Field.ANSWER else None
    return _Entry(
        plan=plan,
        rows=rows,
        phrasings=tuple(text.text for text in texts if text.field is Field.PHRASING),
        asked_rows=rows if answer_row is None else rows[:-1],
        answer_row=answer_row,
        everything=everything,
    )


def _nearest(seen: Sequence[_Seen]) -> list[_Seen]:
    """The COMPARED best by a rough sum, in the order they came."""
    tops = [max(scores) or 1.0 for scores in zip(*(one.lexical for one in seen), strict=True)]

    def rough(at: int) -> float:
        one = seen[at]
        dense = max(one.cosines[: len(one.entry.phrasings)])
        answer = dense if one.answer is None else one.answer
        words = sum(score / top for score, top in zip(one.lexical, tops, strict=True))
        return dense + 0.5 * one.tags + 0.5 * answer + 0.03 * words

    kept = sorted(range(len(seen)), key=rough, reverse=True)[:COMPARED]
    return [seen[at] for at in sorted(kept)]


def _found(one: _Seen, stored: Vectors, vector: Vectors) -> Found:
    phrasings = one.entry.phrasings
    order = sorted(range(len(phrasings)), key=lambda at: -one.cosines[at])
    words, grams, answer_words = one.lexical
    measured = Measured(
        texts=tuple(phrasings[at] for at in order),
        cosines=tuple(one.cosines[at] for at in order),
        cosine_question=one.cosines[0],
        cosine_tags=one.tags,
        cosine_answer=one.answer,
        bm25_words=words,
        bm25_grams=grams,
        bm25_answer=answer_words,
        everything=one.entry.everything,
        apart=stored[one.start + order[0]] - vector,
    )
    return Found(one.entry.plan.article.article_id, measured)
