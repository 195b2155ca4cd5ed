"""Features → order of candidates and calibrated probability that the first is right.

Coefficients are data (data/scorer.json): trees and numbers, nothing executable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge import features

Column = npt.NDArray[np.float64]

#: Blocks of `features.Features` that become one column each, by learned costs.
BLOCKS: tuple[str, ...] = ("lacking", "extra", "shared", "apart")

#: The axes are stored as whole numbers, so many to one.
AXES_UNIT = 1000.0

#: What the models see of a candidate.
COLUMNS: tuple[str, ...] = (*features.NAMES, *BLOCKS)
_HAS_ANSWER = features.COLUMN["has_answer"]

#: Columns the confidence model sees beside the first candidate's features.
CONTEXT: tuple[str, ...] = ("score", "score_gap", "share", "second", "third")


class ScorerError(ValueError):
    """Coefficients that do not fit this version's features."""


@dataclass(frozen=True, slots=True)
class Forest:
    """A sum of small trees, all of one depth, evaluated together.

    feature, threshold: int and float[trees, inner nodes], nodes in heap order; a row goes left
    when its value is ≤ threshold, and `missing_left` says where a NaN goes.
    leaf: float[trees, 2 ** depth]. The result is base + the sum of the reached leaves.
    """

    base: float
    feature: npt.NDArray[np.int64]
    threshold: Column
    missing_left: npt.NDArray[np.bool_]
    leaf: Column

    def __call__(self, rows: npt.NDArray[np.floating]) -> Column:
        trees, inner = self.feature.shape
        at = np.zeros((len(rows), trees), dtype=np.int64)
        number = np.arange(trees)
        for _ in range(inner.bit_length()):
            value = np.take_along_axis(rows, self.feature[number, at], axis=1)
            missing = np.isnan(value)
            left = np.where(
                missing, self.missing_left[number, at], value <= self.threshold[number, at]
            )
            at = 2 * at + np.where(left, 1, 2)
        reached: Column = self.leaf[number, at - inner].sum(axis=1)
        return reached + self.base


@dataclass(frozen=True, slots=True)
class Linear:
    """Standardised features, clipped, weighted; NaN counts as the mean."""

    mean: Column
    scale: Column
    weight: Column
    base: float

    def __call__(self, rows: npt.NDArray[np.floating]) -> Column:
        z = np.clip((np.nan_to_num(rows - self.mean, nan=0.0)) / self.scale, -4.0, 4.0)
        result: Column = z @ self.weight + self.base
        return result


@dataclass(frozen=True, slots=True)
class Blend:
    """Weighted sum of models."""

    parts: tuple[tuple[float, Forest | Linear], ...]

    def __call__(self, rows: npt.NDArray[np.floating]) -> Column:
        total: Column = np.sum([w * part(rows) for w, part in self.parts], axis=0)
        return total


@dataclass(frozen=True, slots=True)
class Scored:
    """order: candidate positions, best first. scores: log-odds in that order.

    confidence: probability that the first is right, 0…1.
    """

    order: npt.NDArray[np.int64]
    scores: Column
    confidence: float


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Two models: which candidate is best, and whether the best is right.

    costs: by block, what each of its numbers is worth. axes: float[n, dim], the directions along
    which `apart` is squared.
    slope, intercept: the monotone calibration of the second model's log-odds.
    """

    rank: Blend
    trust: Blend
    costs: Mapping[str, Column]
    axes: Column
    slope: float
    intercept: float

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Coefficients:
        """From their JSON form. Raises: KeyError, TypeError, ValueError."""
        axes = np.asarray(data["axes"], dtype=np.float64) / AXES_UNIT
        costs = {name: np.asarray(data["costs"][name], dtype=np.float64) for name in BLOCKS}
        slope, intercept = float(data["slope"]), float(data["intercept"])
        return cls(_blend(data["rank"]), _blend(data["trust"]), costs, axes, slope, intercept)


@dataclass(frozen=True, slots=True)
class Scorer:
    """Coefficients by what the candidates are, and a base's own calibration on top.

    answered, bare: for candidates that have answers, and for bare questions: what an answer says
    is a third of what is known of the former.
    encoder: in the name of the models whose vectors the axes are of; another model's are left out.
    slope, intercept: applied last, to the log-odds.
    """

    version: str
    encoder: str
    answered: Coefficients
    bare: Coefficients
    slope: float = 1.0
    intercept: float = 0.0

    def columns(self, found: features.Features, model: str) -> features.Matrix:
        """float32[candidates, len(COLUMNS)]; NaN where a block says nothing."""
        fitted = self._fitted(found.rows)
        blocks: dict[str, npt.NDArray[np.floating]] = {**found.blocks}
        if self.encoder in model and len(found.rows):
            blocks["apart"] = (blocks["apart"] @ fitted.axes.T) ** 2
        else:
            blocks["apart"] = np.full((len(found.rows), len(fitted.axes)), np.nan)
        learned = [blocks[name] @ fitted.costs[name] for name in BLOCKS]
        return np.column_stack([found.rows, *learned]).astype(np.float32)

    def score(self, rows: features.Matrix) -> Scored:
        """Order candidates and weigh the first; columns as COLUMNS. At least one row."""
        fitted = self._fitted(rows)
        raw = fitted.rank(rows)
        order = np.argsort(-raw, kind="stable")
        scores = raw[order]
        seen = np.concatenate([rows[order[0]], context(scores)])[None, :]
        logit = fitted.slope * float(fitted.trust(seen)[0]) + fitted.intercept
        return Scored(order, scores, sigmoid(self.slope * logit + self.intercept))

    def _fitted(self, rows: features.Matrix) -> Coefficients:
        return self.answered if rows[:, _HAS_ANSWER].any() else self.bare

    @classmethod
    def shipped(cls) -> Scorer:
        """The default coefficients."""
        file = resources.files("knowledge") / "data" / "scorer.json"
        return cls.parse(file.read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, text: str) -> Scorer:
        """Read coefficients. Raises: ScorerError."""
        try:
            data = json.loads(text)
            if tuple(data["features"]) != COLUMNS:
                raise ScorerError("coefficients were fitted on other features")
            return cls(
                str(data["version"]),
                str(data["encoder"]),
                Coefficients.of(data["answered"]),
                Coefficients.of(data["bare"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ScorerError(f"unreadable coefficients: {error}") from error


def context(scores: Column) -> Column:
    """How the first candidate stands against the next: the columns CONTEXT names."""
    padded = np.concatenate([scores[:3], np.full(3, -8.0)])[:3]
    odds = np.exp(np.clip(scores[:10] - scores[0], -30, 0))
    return np.array(
        [padded[0], padded[0] - padded[1], 1 / odds.sum(), padded[1], padded[2]], dtype=np.float64
    )


def sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


def _blend(parts: Sequence[Mapping[str, object]]) -> Blend:
    return Blend(tuple((float(str(part["weight"])), parse_model(part)) for part in parts))


def parse_model(part: Mapping[str, object]) -> Forest | Linear:
    """One model from its JSON form. Raises: KeyError, TypeError, ValueError."""

    def floats(name: str) -> Column:
        return np.asarray(part[name], dtype=np.float64)

    base = float(str(part["base"]))
    if part["kind"] == "linear":
        return Linear(floats("mean"), floats("scale"), floats("coefficients"), base)
    feature = np.asarray(part["feature"], dtype=np.int64)
    missing = np.asarray(part["missing_left"], dtype=np.bool_)
    return Forest(base, feature, floats("threshold"), missing, floats("leaf"))
