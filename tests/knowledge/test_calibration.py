from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.calibration import (
    FEWEST_LABELS,
    Labelled,
    assured,
    choose,
    clopper_pearson,
    curve,
    fit,
    refit,
    wilson,
)
from knowledge.growth import recalibrated

labels = st.lists(
    st.builds(
        Labelled,
        confidence=st.floats(0, 1),
        is_right=st.booleans(),
        in_scope=st.just(True),
        category=st.sampled_from(["", "a", "b"]),
    ),
    max_size=120,
)


@given(st.integers(0, 200), st.integers(0, 200))
def test_intervals_lie_in_0_to_1_and_hold_the_share(one: int, other: int) -> None:
    right, total = sorted((one, other))
    for interval in (wilson(right, total), clopper_pearson(right, total)):
        assert 0 <= interval.low <= interval.value + 1e-9
        assert interval.value - 1e-9 <= interval.high <= 1


def test_the_exact_interval_is_the_one_of_the_books() -> None:
    interval = clopper_pearson(8, 10)
    assert interval.low == pytest.approx(0.4439, abs=1e-4)
    assert interval.high == pytest.approx(0.9748, abs=1e-4)
    assert clopper_pearson(60, 60).low == pytest.approx(0.9404, abs=1e-3)


@given(labels)
def test_a_higher_threshold_never_answers_more(found: list[Labelled]) -> None:
    points = curve(found)
    for low, high in itertools.pairwise(points):
        assert low.threshold < high.threshold
        assert low.answers > high.answers
        assert low.coverage >= high.coverage
        assert low.out_of_scope_answered >= high.out_of_scope_answered


@given(labels)
def test_a_refit_is_monotone_and_yields_probabilities(found: list[Labelled]) -> None:
    calibration = fit(found)
    assert calibration.slope > 0
    assert 0 <= calibration.menu <= calibration.answer <= 1
    assert all(0 <= value <= 1 for value in calibration.by_category.values())
    assert calibration.is_own == (len(found) >= FEWEST_LABELS)


def test_few_labels_leave_the_thresholds_in_force() -> None:
    found = [Labelled(0.5, is_right=False)] * (FEWEST_LABELS - 1)
    calibration = fit(found, answer=0.9, menu=0.2)
    assert (calibration.answer, calibration.menu, calibration.is_own) == (0.9, 0.2, False)


def test_the_threshold_keeps_wrong_answers_below_it() -> None:
    good = [Labelled(0.8 + at / 1000, is_right=True) for at in range(150)]
    bad = [Labelled(0.3 + at / 1000, is_right=False) for at in range(150)]
    calibration = fit(good + bad, target=0.98)
    assert calibration.point.precision.value == 1.0
    assert calibration.point.answers >= 140


def test_enough_labels_vouch_for_the_target_and_few_lean_on_what_is_expected() -> None:
    good = [Labelled(0.7 + at / 1000, is_right=True) for at in range(250)]
    bad = [Labelled(0.2 + at / 1000, is_right=False) for at in range(100)]
    many = fit(good + bad, target=0.98)
    assert many.is_assured
    assert many.point.precision.low >= 0.98
    slope, intercept = refit(good + bad)
    again = [recalibrated(label, slope, intercept) for label in good + bad]
    shown = assured(curve(again), 0.98)
    assert shown is not None
    assert shown.threshold == many.answer  # the slider's threshold for this target

    few = fit(good[::5] + bad[::5], target=0.98)
    assert not few.is_assured
    assert few.point.precision.low < 0.98 <= few.point.expected


def test_one_unlucky_label_at_the_top_does_not_silence_the_bot() -> None:
    good = [Labelled(0.97, is_right=True) for _ in range(200)]
    unlucky = [Labelled(0.99, is_right=False)]
    chosen = choose(curve(good + unlucky), 0.95)
    assert chosen is not None
    assert chosen.answers == 201


def test_over_confidence_is_taken_back() -> None:
    found = [Labelled(0.95, is_right=at % 2 == 0) for at in range(200)]
    slope, intercept = refit(found)
    logit = 2.944 * slope + intercept
    assert logit == pytest.approx(0.0, abs=0.5)


def test_a_category_of_its_own_kind_gets_its_own_threshold() -> None:
    easy = [Labelled(0.6 + at / 1000, is_right=True, category="a") for at in range(120)]
    hard = [Labelled(0.6 + at / 1000, is_right=at > 90, category="b") for at in range(120)]
    calibration = fit(easy + hard, target=0.9)
    assert calibration.by_category["a"] < calibration.by_category["b"]
