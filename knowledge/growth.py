"""What each further known question brought: the learning curve of a base."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Sequence
from typing import Final

from core.views import View
from knowledge.calibration import Labelled, fit, point_at

_STEPS: Final = 10


class GrowthView(View):
    """Had only so many questions been known: the threshold chosen from them, tried on all."""

    labels: int
    threshold: float
    coverage: float
    precision: float
    precision_low: float
    precision_high: float


def growth(
    known: Sequence[tuple[str, Labelled]], *, target: float, answer: float, menu: float
) -> list[GrowthView]:
    """The learning curve. Questions are taken in an order that is theirs, not that of time."""
    labels = [label for _, label in sorted(known, key=lambda item: _place(item[0]))]
    counts = sorted({math.ceil(len(labels) * step / _STEPS) for step in range(1, _STEPS + 1)})
    points = []
    for count in filter(None, counts):
        result = fit(labels[:count], target=target, answer=answer, menu=menu)
        again = [recalibrated(label, result.slope, result.intercept) for label in labels]
        point = point_at(again, result.answer)
        points.append(
            GrowthView(
                labels=count,
                threshold=result.answer,
                coverage=point.coverage,
                precision=point.precision.value,
                precision_low=point.precision.low,
                precision_high=point.precision.high,
            )
        )
    return points


def recalibrated(label: Labelled, slope: float, intercept: float) -> Labelled:
    """The label with the confidence that a calibration gives it."""
    clipped = min(max(label.confidence, 1e-9), 1 - 1e-9)
    logit = slope * math.log(clipped / (1 - clipped)) + intercept
    return dataclasses.replace(label, confidence=1 / (1 + math.exp(-logit)))


def _place(question: str) -> bytes:
    return hashlib.blake2b(question.encode(), digest_size=8).digest()
