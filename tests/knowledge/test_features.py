"""The word columns, worked out for all texts at once, against one text at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.features import COLUMN, Features, Measured, features
from knowledge.lexical import LexicalIndex
from knowledge.text import folded_grams, folded_words
from knowledge.wordvectors import WordVectors, nearness

TEXTS = (
    "密码忘了怎么办", "怎么重置登录密码", "报表导出不了", "疫苗入库单怎么打印", "打印机连不上",
    "ora-12154怎么处理", "甪端兽怎么登记", "？", "密码密码密码",
)  # fmt: skip
texts = st.sampled_from(TEXTS)


def _index(terms: object) -> LexicalIndex:
    index = LexicalIndex(terms)  # type: ignore[arg-type]  # either of the two
    for slot, text in enumerate(TEXTS):
        index.add(slot, [text])
    return index


WORDS, GRAMS = _index(folded_words), _index(folded_grams)


def _candidate(phrasings: tuple[str, ...], answer: str) -> Measured:
    return Measured(
        texts=phrasings,
        cosines=tuple(0.9 - 0.1 * at for at in range(len(phrasings))),
        cosine_question=0.9,
        cosine_tags=0.9,
        cosine_answer=0.5,
        bm25_words=1.0,
        bm25_grams=1.0,
        bm25_answer=0.0,
        everything=" ".join((*phrasings, answer)),
        apart=np.zeros(384, dtype=np.float32),
    )


def _aligned(query: str, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """How near each word of one comes to the other, and the weights of both."""
    near = nearness(WordVectors.shipped().of(query) @ WordVectors.shipped().of(text).T)
    weights = [
        np.array([WORDS.idf(word) for word in dict.fromkeys(folded_words(one))])
        for one in (query, text)
    ]
    return near.max(axis=1), near.max(axis=0), weights[0], weights[1]


def _phrase(query: str, text: str) -> dict[str, float]:
    mine, theirs, weights, of_text = _aligned(query, text)
    covered, used = mine @ weights / weights.sum(), theirs @ of_text / of_text.sum()
    return {
        "soft_query": covered,
        "soft_article": used,
        "soft_both": 2 * covered * used / (covered + used + 1e-9),
        "left_query": (weights * (1 - mine)).max() / WORDS.idf("\0"),
        "left_article": (of_text * (1 - theirs)).max() / WORDS.idf("\0"),
        "word_query": weights[mine >= 1].sum() / weights.sum(),
        "word_article": of_text[theirs >= 1].sum() / of_text.sum(),
    }


def _extra(query: str, text: str) -> np.ndarray:
    _, theirs, _, of_text = _aligned(query, text)
    rows = WordVectors.shipped().of(text)
    return np.asarray((of_text * (1 - theirs)) @ rows / WORDS.idf("\0"))


def _asked(query: str, candidates: list[Measured]) -> Features:
    return features(query, candidates, WORDS, GRAMS)


@given(texts, st.lists(st.tuples(st.lists(texts, min_size=1, max_size=4), texts), min_size=1))
def test_word_columns_at_once_equal_those_of_one_text_at_a_time(
    query: str, wanted: list[tuple[list[str], str]]
) -> None:
    candidates = [_candidate(tuple(phrasings), answer) for phrasings, answer in wanted]
    found = _asked(query, candidates)
    for at, candidate in enumerate(candidates):
        if folded_words(query) and folded_words(candidate.everything):
            whole = _phrase(query, candidate.everything)["soft_query"]
            assert found.rows[at, COLUMN["soft_all"]] == pytest.approx(whole, abs=1e-4)
        compared = [text for text in candidate.texts[:3] if folded_words(text)]
        if not compared or not folded_words(query):
            assert not found.rows[at, COLUMN["soft_both"]]
            continue
        nearest = max(compared, key=lambda text: round(_phrase(query, text)["soft_both"], 5))
        for name, value in _phrase(query, nearest).items():
            assert found.rows[at, COLUMN[name]] == pytest.approx(value, abs=1e-4)
        assert found.blocks["extra"][at] == pytest.approx(_extra(query, nearest), abs=1e-4)


def test_a_candidate_is_measured_alike_in_any_company() -> None:
    one, other = _candidate((TEXTS[1], TEXTS[0]), TEXTS[3]), _candidate((TEXTS[2],), "")
    alone, both = _asked(TEXTS[0], [one]), _asked(TEXTS[0], [other, one])
    own = [at for name, at in COLUMN.items() if not name.endswith("_gap")]
    assert both.rows[1, own] == pytest.approx(alone.rows[0, own], abs=1e-6)
    assert both.blocks["lacking"][1] == pytest.approx(alone.blocks["lacking"][0], abs=1e-6)
