"""Thresholds and calibration from few labels: intervals, a prior, shared strength."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

#: A labelled set this small says nothing; the shipped thresholds stay.
FEWEST_LABELS = 30
#: A category needs this many labels for a threshold of its own.
FEWEST_IN_CATEGORY = 40
#: Below this calibrated probability nothing is answered, whatever the few labels say.
LOWEST_ANSWER = 0.5
#: How many answers the prior weighs: what the model, or the whole base, expects.
PRIOR_ANSWERS = 30.0
#: Labels that the prior on slope 1 and intercept 0 weighs in a refit.
_PRIOR_SLOPE, _PRIOR_INTERCEPT = 20.0, 5.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with a known outcome.

    confidence: what the scorer said, 0…1. is_right: the first article answers it.
    in_scope: some article answers it. category: of the first article.
    """

    confidence: float
    is_right: bool
    in_scope: bool = True
    category: str = ""


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with the bounds of its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Point:
    """One threshold and what follows from it on the labelled set.

    answers: questions answered; coverage: share of in-scope questions answered rightly;
    expected: precision after the prior, the figure thresholds are chosen by.
    """

    threshold: float
    answers: int
    precision: Interval
    coverage: float
    out_of_scope_answered: float
    expected: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a fit on labels yields. Store it with the labels it came from.

    slope, intercept: applied to the scorer's log-odds. answer: threshold on the result.
    is_own: False when there were too few labels and the defaults stand.
    is_assured: the labels alone vouch for the target; else the prior helped to choose.
    """

    slope: float
    intercept: float
    answer: float
    menu: float
    by_category: Mapping[str, float]
    point: Point
    is_own: bool
    is_assured: bool


def wilson(right: int, given: int, z: float = 1.959964) -> Interval:
    """Wilson's interval; (0, 0, 1) when nothing was given."""
    if given == 0:
        return Interval(0.0, 0.0, 1.0)
    share = right / given
    centre = (share + z * z / (2 * given)) / (1 + z * z / given)
    half = z / (1 + z * z / given) * math.sqrt(share * (1 - share) / given + (z / 2 / given) ** 2)
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half))


def clopper_pearson(right: int, given: int, confidence: float = 0.95) -> Interval:
    """The exact interval: never covers less than it says."""
    if given == 0:
        return Interval(0.0, 0.0, 1.0)
    tail = (1 - confidence) / 2
    low = 0.0 if right == 0 else _solve(lambda p: 1 - _at_most(right - 1, given, p) - tail)
    high = 1.0 if right == given else _solve(lambda p: tail - _at_most(right, given, p))
    return Interval(right / given, low, high)


def _solve(rising: object) -> float:
    assert callable(rising)  # noqa: S101 - narrows the type for the bisection below
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def _at_most(successes: int, trials: int, chance: float) -> float:
    """P(X ≤ successes) of a binomial."""
    if chance <= 0:
        return 1.0
    if chance >= 1:
        return 1.0 if successes >= trials else 0.0
    counts = np.arange(successes + 1)
    logs = np.array([math.lgamma(n + 1) for n in range(trials + 1)])
    choose = logs[trials] - logs[counts] - logs[trials - counts]
    terms = choose + counts * math.log(chance) + (trials - counts) * math.log1p(-chance)
    return float(min(1.0, np.exp(terms).sum()))


def curve(labels: Sequence[Labelled], most: int = 200) -> list[Point]:
    """Precision and coverage for the thresholds that the labels can tell apart, rising.

    What is shown is what is chosen from: of very many labels, `most` points.
    """
    expected = [label.confidence for label in labels]
    points = _curve(labels, expected, PRIOR_ANSWERS)
    return points[:: max(1, math.ceil(len(points) / most))]


def _curve(labels: Sequence[Labelled], prior: Sequence[float], weight: float) -> list[Point]:
    order = sorted(range(len(labels)), key=lambda at: -labels[at].confidence)
    in_scope = sum(label.in_scope for label in labels)
    points: list[Point] = []
    right = outside = 0
    hoped = 0.0
    for given, at in enumerate(order, start=1):
        label = labels[at]
        right += label.is_right
        outside += not label.in_scope
        hoped += prior[at]
        following = labels[order[given]].confidence if given < len(order) else None
        if following == label.confidence:
            continue
        points.append(
            Point(
                threshold=label.confidence,
                answers=given,
                precision=wilson(right, given),
                coverage=right / max(in_scope, 1),
                out_of_scope_answered=outside / max(len(labels) - in_scope, 1),
                expected=(right + weight * hoped / given) / (given + weight),
            )
        )
    return points[::-1]


def assured(points: Sequence[Point], target: float) -> Point | None:
    """The threshold of the widest coverage whose precision is, at 95 %, at least the target.

    The rule of the console's slider. Nothing below LOWEST_ANSWER is chosen.
    """
    good = [p for p in points if p.threshold >= LOWEST_ANSWER and p.precision.low >= target]
    return max(good, key=lambda point: point.coverage, default=None)


def choose(points: Sequence[Point], target: float) -> Point | None:
    """The lowest threshold that is expected to hold the target, and so do all above it.

    For labels too few to vouch for the target by themselves.

    A single unlucky label at the very top must not silence the bot: points with fewer answers
    than the prior weighs are passed over. Nothing below LOWEST_ANSWER is chosen.
    """
    chosen: Point | None = None
    for point in sorted(points, key=lambda point: -point.threshold):
        if point.threshold < LOWEST_ANSWER:
            break
        if point.expected >= target:
            chosen = point
        elif point.answers > PRIOR_ANSWERS:
            break
    return chosen


def fit(
    labels: Sequence[Labelled], *, target: float = 0.98, answer: float = 0.95, menu: float = 0.05
) -> Calibration:
    """Refit the calibration and choose thresholds for a target precision.

    answer, menu: the thresholds in force, kept where the labels cannot say better.
    """
    if len(labels) < FEWEST_LABELS:
        point = point_at(labels, answer)
        return Calibration(1.0, 0.0, answer, menu, {}, point, is_own=False, is_assured=False)
    slope, intercept = refit(labels)
    refitted = [_again(label, slope, intercept) for label in labels]
    points = curve(refitted)
    vouched = assured(points, target)
    chosen = vouched or choose(points, target)
    needed = chosen.threshold if chosen else 1.0
    return Calibration(
        slope=slope,
        intercept=intercept,
        answer=needed,
        menu=min(menu, needed),
        by_category=_by_category(refitted, target),
        point=point_at(refitted, needed),
        is_own=True,
        is_assured=vouched is not None,
    )


def _by_category(labels: Sequence[Labelled], target: float) -> dict[str, float]:
    """Own thresholds of well-labelled categories; the whole base is the prior of each."""
    whole = {point.threshold: point.expected for point in curve(labels, len(labels))}
    thresholds: dict[str, float] = {}
    for category in sorted({label.category for label in labels if label.category}):
        own = [label for label in labels if label.category == category]
        if len(own) < FEWEST_IN_CATEGORY:
            continue
        chosen = choose(_curve(own, [whole[o.confidence] for o in own], PRIOR_ANSWERS), target)
        thresholds[category] = chosen.threshold if chosen else 1.0
    return thresholds


def refit(labels: Sequence[Labelled]) -> tuple[float, float]:
    """Slope > 0 and intercept of confidence's log-odds, drawn towards 1 and 0 by a prior."""
    logit = np.array([_logit(label.confidence) for label in labels])
    right = np.array([float(label.is_right) for label in labels])
    theta, centre = np.array([1.0, 0.0]), np.array([1.0, 0.0])
    prior = np.diag([_PRIOR_SLOPE, _PRIOR_INTERCEPT])
    design = np.stack([logit, np.ones_like(logit)], axis=1)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(design @ theta, -30, 30)))
        gradient = design.T @ (chance - right) + prior @ (theta - centre)
        hessian = (design * (chance * (1 - chance))[:, None]).T @ design + prior
        step = np.linalg.solve(hessian, gradient)
        theta = theta - np.clip(step, -0.5, 0.5)
        if float(np.abs(step).max()) < 1e-8:
            break
    return max(float(theta[0]), 0.05), float(theta[1])


def _logit(confidence: float) -> float:
    clipped = min(max(confidence, 1e-6), 1 - 1e-6)
    return math.log(clipped / (1 - clipped))


def _again(label: Labelled, slope: float, intercept: float) -> Labelled:
    logit = slope * _logit(label.confidence) + intercept
    confidence = 1 / (1 + math.exp(-logit))
    return Labelled(confidence, label.is_right, label.in_scope, label.category)


def point_at(labels: Sequence[Labelled], threshold: float) -> Point:
    """What a threshold does on the labels."""
    given = [label for label in labels if label.confidence >= threshold]
    right = sum(label.is_right for label in given)
    in_scope = sum(label.in_scope for label in labels)
    outside = sum(not label.in_scope for label in given)
    hoped = sum(label.confidence for label in given) / len(given) if given else threshold
    return Point(
        threshold=threshold,
        answers=len(given),
        precision=wilson(right, len(given)),
        coverage=right / max(in_scope, 1),
        out_of_scope_answered=outside / max(len(labels) - in_scope, 1),
        expected=(right + PRIOR_ANSWERS * hoped) / (len(given) + PRIOR_ANSWERS),
    )
