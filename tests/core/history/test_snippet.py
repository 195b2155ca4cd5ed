from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.history.postings import BLOCK, by_block, common, numbers, pack
from core.history.snippet import found_in, snippet
from core.words import fold


def test_a_hit_is_shown_with_what_stands_around_it() -> None:
    text = "您好。" * 40 + "请问ＶＰＮ连不上怎么办\n谢谢" + "。" * 100
    shown, ranges = snippet(text, ["vpn", "连不上"])
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert [shown[a:b] for a, b in ranges] == ["ＶＰＮ连不上"]
    assert snippet("短句", ["短"]) == ("短句", ((0, 1),))


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=4), max_size=3))
def test_ranges_are_ordered_apart_and_inside(text: str, words: list[str]) -> None:
    ranges = found_in(text, [fold(word) for word in words])
    ends = [-1, *(end for _, end in ranges)]
    assert all(last < start < end for last, (start, end) in zip(ends, ranges, strict=False))
    assert all(end <= len(text) for _, end in ranges)


@given(st.lists(st.sets(st.integers(0, BLOCK - 1)), min_size=1, max_size=4))
def test_what_packed_lists_have_in_common(lists: list[set[int]]) -> None:
    offsets = set.intersection(*lists)
    assert common([pack(one) for one in lists]) == offsets
    assert common([pack(offsets)]) == offsets
    assert numbers(3, offsets) == sorted((3 * BLOCK + one for one in offsets), reverse=True)


def test_messages_are_kept_by_block() -> None:
    kept = by_block({5: "上报", BLOCK + 5: "上报失败"})
    assert kept[0] == {"上报": {5}}
    assert set(kept[1]) == {"上报", "报失", "失败"}
