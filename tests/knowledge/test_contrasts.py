from __future__ import annotations

import pytest

from knowledge.contrasts import asks, contradictions, is_negative, latin, numbers


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("外地儿童怎么迁入", "档案怎么迁出", 1),
        ("导入报错", "导出报错", 1),
        ("迁入还是迁出", "怎么迁出", 0),
        ("怎么导出报表", "导出的报表在哪", 0),
        ("开通花呗", "关闭花呗", 1),
    ],
)
def test_texts_on_different_sides_contradict(one: str, other: str, count: int) -> None:
    assert contradictions(one, other) == contradictions(other, one) == count


def test_the_longest_question_word_counts() -> None:
    assert asks("咳嗽怎么回事") == {"why"}
    assert asks("咳嗽怎么办") == {"how"}
    assert asks("多久能到账") == {"when"}


def test_a_question_form_is_no_negation() -> None:
    assert not is_negative("能不能导出")
    assert is_negative("不能导出")
    assert is_negative("连接失败")


def test_numbers_and_latin_words_are_told_apart() -> None:
    assert numbers("第2针打了3个月") == {"2", "3"}
    assert latin("vpn提示error 0x80070005") >= {"vpn", "error"}
