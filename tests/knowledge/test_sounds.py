"""Wrong characters of the right sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.features import COLUMN, Measured, features
from knowledge.lexical import LexicalIndex
from knowledge.sounds import sound
from knowledge.text import folded_grams, folded_words

TITLES = ("住酒店能用吗", "忘记登录密码怎么办", "怎么打印报告", "花呗可以提前还款吗")


def _index(terms: object) -> LexicalIndex:
    index = LexicalIndex(terms)  # type: ignore[arg-type]  # either of the two
    for slot, text in enumerate(TITLES):
        index.add(slot, [text])
    return index


def _row(query: str, text: str) -> dict[str, float]:
    one = Measured(
        texts=(text,), cosines=(0.9,), cosine_question=0.9, cosine_tags=0.9, cosine_answer=None,
        bm25_words=0.0, bm25_grams=0.0, bm25_answer=0.0, everything=text,
        apart=np.zeros(384, dtype=np.float32),
    )  # fmt: skip
    (row,) = features(query, [one], _index(folded_words), _index(folded_grams)).rows
    return {name: float(row[at]) for name, at in COLUMN.items()}


@pytest.mark.parametrize(
    ("one", "other"),
    [("酒店", "九点"), ("在哪", "在那"), ("登录", "登陆"), ("自己", "知己"), ("英文", "音文")],
)
def test_what_sounds_alike_is_one(one: str, other: str) -> None:
    assert sound(one) == sound(other)


@pytest.mark.parametrize(("one", "other"), [("迁入", "迁出"), ("还款", "贷款"), ("a1", "a2")])
def test_what_sounds_otherwise_is_not(one: str, other: str) -> None:
    assert sound(one) != sound(other)


@given(st.text(max_size=40))
def test_every_text_has_a_sound_as_long_as_itself(text: str) -> None:
    assert len(sound(text)) == len(text)
    assert [heard for heard, char in zip(sound(text), text, strict=True) if char.isascii()] == [
        char for char in text if char.isascii()
    ]


def test_a_slip_of_the_keyboard_is_heard() -> None:
    slip, right = _row("住九点能用吗", "住酒店能用吗"), _row("住酒店能用吗", "住酒店能用吗")
    assert slip["gram_query"] < 0.7
    assert slip["sound_query"] == pytest.approx(1)
    assert slip["sound_article"] == pytest.approx(1)
    assert slip["soft_query"] > 0.9 * right["soft_query"]


@given(st.sampled_from(TITLES), st.sampled_from(TITLES))
def test_hearing_adds_to_reading(query: str, text: str) -> None:
    row = _row(query, text)
    assert row["sound_query"] >= row["gram_query"] - 1e-6
    assert row["sound_article"] >= row["gram_article"] - 1e-6
