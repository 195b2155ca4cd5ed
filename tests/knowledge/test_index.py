from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.encoders import normalised
from knowledge.index import VectorIndex
from knowledge.lexical import LexicalIndex, best
from knowledge.text import words

DIM = 8


def _vectors(count: int, seed: int = 0) -> np.ndarray:
    return normalised(np.random.default_rng(seed).standard_normal((count, DIM)))


VECTORS = _vectors(64)
TEXTS = (
    "密码忘了",
    "密码怎么重置",
    "报表导出",
    "疫苗入库",
    "疫苗库存盘点",
    "导出报表",
    "打印机",
    "",
)

#: (row, is an addition): additions of present rows and removals of absent ones are skipped.
history = st.lists(st.tuples(st.integers(0, 63), st.booleans()), max_size=150)


@given(history)
@settings(deadline=None)
def test_an_exact_index_equals_a_rebuilt_one_after_any_history(
    steps: list[tuple[int, bool]],
) -> None:
    index, present = VectorIndex(), set[int]()
    for row, adds in steps:
        if adds and row not in present:
            index.add([row], VECTORS[row : row + 1])
            present.add(row)
        elif not adds:
            index.remove([row])
            present.discard(row)
    rebuilt = VectorIndex()
    rebuilt.add(sorted(present), VECTORS[sorted(present)])
    assert len(index) == len(rebuilt) == len(present)
    for query in VECTORS[:3]:
        assert index.search(query, 10) == rebuilt.search(query, 10)
    assert all(np.array_equal(index.vectors([row])[0], VECTORS[row]) for row in present)


@given(history)
@settings(deadline=None, max_examples=30)
def test_a_dealt_index_finds_every_live_row_and_no_other(steps: list[tuple[int, bool]]) -> None:
    index, present = VectorIndex(exact_up_to=20, cells=4), set[int]()
    for row, adds in steps:
        if adds and row not in present:
            index.add([row], VECTORS[row : row + 1])
            present.add(row)
        elif not adds:
            index.remove([row])
            present.discard(row)
    for row in range(64):
        found = index.search(VECTORS[row], 64)
        assert {other for other, _ in found} <= present
        if row in present:
            assert found[0][0] == row


def test_a_large_base_is_dealt_into_cells_once() -> None:
    vectors = _vectors(400, seed=2)
    index = VectorIndex(exact_up_to=300, cells=16)
    index.add(range(300), vectors[:300])
    states = [(index.is_exact, len(index))]
    index.add(range(300, 400), vectors[300:])
    states.append((index.is_exact, len(index)))
    index.remove(range(150))
    states.append((index.is_exact, len(index)))
    assert states == [(True, 300), (False, 400), (False, 250)]
    assert np.array_equal(index.vectors([399]), vectors[399:])


def test_an_empty_index_answers_nothing() -> None:
    index = VectorIndex()
    index.remove([1])
    assert index.search(VECTORS[0], 5) == []
    index.add([1], VECTORS[:1])
    index.remove([1])
    assert index.search(VECTORS[0], 5) == []


#: (slot, its new text or None): what was in the slot is taken out first.
word_history = st.lists(
    st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 7))), max_size=60
)


@given(word_history)
def test_a_word_index_equals_a_rebuilt_one_after_any_history(
    steps: list[tuple[int, int | None]],
) -> None:
    index, texts = LexicalIndex(words), dict[int, list[str]]()
    for slot, text in steps:
        if slot in texts:
            index.remove(slot, texts.pop(slot))
        if text is not None:
            texts[slot] = [TEXTS[text], "怎么办"]
            index.add(slot, texts[slot])
    rebuilt = LexicalIndex(words)
    for slot, of_slot in texts.items():
        rebuilt.add(slot, of_slot)
    assert len(index) == len(rebuilt)
    for query in TEXTS:
        one, other = index.scores([query]), rebuilt.scores([query])
        assert best(one, 6) == best(other, 6)
        assert np.allclose(one[: len(other)], other[: len(one)])
        assert index.idf(query) == rebuilt.idf(query)


@given(st.dictionaries(st.integers(0, 4095), st.integers(1, 4), max_size=60), st.integers(1, 9))
def test_the_best_slots_are_those_of_a_full_sort(scored: dict[int, int], limit: int) -> None:
    scores = np.zeros(4096, dtype=np.float32)
    scores[list(scored)] = list(scored.values())
    wanted = sorted(scored, key=lambda slot: (-scored[slot], slot))[:limit]
    assert best(scores, limit) == wanted


def test_the_rarer_word_decides() -> None:
    index = LexicalIndex(words)
    for slot, text in enumerate(["疫苗入库", "疫苗盘点", "疫苗报损", "疫苗召回"]):
        index.add(slot, [text])
    scores = index.scores(["疫苗盘点"])
    assert best(scores, 4)[0] == 1
    assert index.idf("盘点") > index.idf("疫苗") > 0
    assert not index.knows("打印")
