"""An in-memory full-text index: words, pairs of characters, pinyin initials. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from pypinyin import Style, lazy_pinyin, load_phrases_dict

from knowledge.lexical import LexicalIndex
from knowledge.text import grams, squeeze, words

_TOPIC_WEIGHT: Final = 3.0
_INITIALS: Final = re.compile(r"[a-z]{2,20}")

#: Words of our trade that the dictionary of readings lacks: 重 is read chóng in them.
_AGAIN: Final = ("重置", "重启", "重装", "重试", "重传", "重发", "重报", "重登", "重推", "重填")
load_phrases_dict({word: [["chóng"], lazy_pinyin(word[1:], style=Style.TONE)] for word in _AGAIN})

Slots = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Wanted:
    """state: of the article, or empty. category: with everything below it."""

    text: str
    state: str = ""
    category: str = ""
    tag: str = ""

    @property
    def is_narrow(self) -> bool:
        return bool(self.state or self.category or self.tag)


@dataclass(frozen=True, slots=True)
class Kind:
    """What filters look at: many documents share one."""

    state: str = ""
    category: str = ""
    tags: frozenset[str] = frozenset()

    def fits(self, wanted: Wanted) -> bool:
        if wanted.state and self.state != wanted.state:
            return False
        if wanted.category and not f"{self.category}/".startswith(f"{wanted.category}/"):
            return False
        return not wanted.tag or wanted.tag in self.tags


@dataclass(frozen=True, slots=True)
class Entry:
    """A document. topics: its question, other wordings, tags …, each a text."""

    article_id: str
    version: int
    topics: tuple[str, ...]
    answer: str = ""
    kind: Kind = Kind()


class FullText:
    """Documents that come and go; equal to an index built afresh from those that remain."""

    def __init__(self) -> None:
        self._topics = LexicalIndex(_topic_terms)
        self._answers = LexicalIndex(words)
        self._slots: dict[str, int] = {}
        self._entries: list[Entry | None] = []
        self._free: list[int] = []
        #: By slot, made when an article comes: 100,000 of them take a second.
        self._lines: list[str] = []
        self._initials: tuple[str, Slots] | None = None
        #: Every kind once with its number, and the numbers by slot.
        self._kinds: dict[Kind, int] = {}
        self._kind_of = np.zeros(1024, dtype=np.int32)

    def __len__(self) -> int:
        return len(self._slots)

    def __getitem__(self, slot: int) -> Entry | None:
        return self._entries[slot]

    def ids(self) -> list[str]:
        return list(self._slots)

    def version(self, article_id: str) -> int | None:
        slot = self._slots.get(article_id)
        entry = self._entries[slot] if slot is not None else None
        return entry.version if entry is not None else None

    def put(self, entry: Entry) -> None:
        """Add a document, or replace the one of the same id."""
        self.remove(entry.article_id)
        if self._free:
            slot = self._free.pop()
            self._entries[slot] = entry
        else:
            slot = len(self._entries)
            self._entries.append(entry)
            self._lines.append("")
        self._lines[slot] = initials(entry.topics[0])
        self._slots[entry.article_id] = slot
        if slot >= len(self._kind_of):
            self._kind_of = np.resize(self._kind_of, 2 * len(self._kind_of))
        self._kind_of[slot] = self._kinds.setdefault(entry.kind, len(self._kinds))
        self._topics.add(slot, entry.topics)
        self._answers.add(slot, [entry.answer])
        self._initials = None

    def remove(self, article_id: str) -> None:
        slot = self._slots.pop(article_id, None)
        entry = self._entries[slot] if slot is not None else None
        if slot is None or entry is None:
            return
        self._topics.remove(slot, entry.topics)
        self._answers.remove(slot, [entry.answer])
        self._entries[slot] = None
        self._lines[slot] = ""
        self._free.append(slot)
        self._initials = None

    def ranked(self, wanted: Wanted) -> tuple[Slots, Scores]:
        """Slots that match, best first, and the scores by slot."""
        size = len(self._entries)
        scores = np.zeros(size, dtype=np.float32)
        for index, weight in ((self._topics, _TOPIC_WEIGHT), (self._answers, 1.0)):
            found = index.scores([wanted.text])[:size]
            scores[: len(found)] += np.float32(weight) * found
        scores[self._by_initials(wanted.text)] += 1.0
        slots = np.flatnonzero(scores > 0)
        if wanted.is_narrow:
            fitting = np.array([kind.fits(wanted) for kind in self._kinds], dtype=np.bool_)
            slots = slots[fitting[self._kind_of[slots]]]
        slots = slots[np.lexsort((slots, -scores[slots]))]
        return slots.astype(np.int64), scores

    def alike(self, text: str, limit: int = 10) -> list[tuple[str, float]]:
        """Ids by shared words; the share of the text's weight that each covers, 0…1."""
        terms = list(dict.fromkeys(words(text)))
        total = sum(self._topics.idf(term) for term in terms) or 1.0
        slots, _ = self.ranked(Wanted(text))
        found = []
        for slot in slots[: limit * 3].tolist():
            entry = self._entries[slot]
            if entry is not None:
                own = {term for topic in entry.topics for term in words(topic)}
                share = sum(self._topics.idf(term) for term in terms if term in own) / total
                found.append((entry.article_id, share))
        return sorted(found, key=lambda pair: -pair[1])[:limit]

    def _by_initials(self, text: str) -> Slots:
        """Slots of first topics whose pinyin initials contain the text (`czmm` → 重置密码)."""
        typed = squeeze(text)
        if not _INITIALS.fullmatch(typed):
            return np.zeros(0, dtype=np.int64)
        if self._initials is None:
            ends = np.cumsum([len(line) + 1 for line in self._lines], dtype=np.int64)
            self._initials = "\n".join(self._lines), ends
        blob, ends = self._initials
        starts = [found.start() for found in re.finditer(re.escape(typed), blob)]
        return np.unique(np.searchsorted(ends, starts, side="right")).astype(np.int64)


def initials(text: str) -> str:
    """First letters of the pinyin, word by word, so that 重置 reads cz and 重要 zy."""
    return "".join(_initials_of(word) for word in words(text))


@lru_cache(maxsize=50_000)
def _initials_of(word: str) -> str:
    if word.isascii():
        return word if word.isalpha() else ""
    return "".join(lazy_pinyin(word, style=Style.FIRST_LETTER, errors="ignore"))


def _topic_terms(text: str) -> tuple[str, ...]:
    return (*words(text), *(gram for gram in grams(text) if len(gram) == 2))
