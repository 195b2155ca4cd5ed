"""Fit knowledge/data/scorer.json on labelled folders. Needs the dependency group `train`.

    python -m tools.train_scorer DIR [DIR …] [--vectors FILE] [--seeds N] [--out FILE]

A folder holds the pairs that `wenqu faq eval` reads. Only coefficients are stored. Beside the
labelled questions, each article lends two more: one of its similar questions asked while that
wording is hidden (in scope), and its question asked while the article is away (out of scope).
What we wrote ourselves (tools/training) is added with less weight: it is harder than what
customers ask, but knows more fields than the labelled sets. Its bases with answers are also asked
what people ask in everyday life (out of scope).
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from knowledge import evaluation
from knowledge.calibration import Labelled, point_at, wilson
from knowledge.gates import Gates
from knowledge.scorer import (
    AXES_UNIT,
    BLOCKS,
    COLUMNS,
    CONTEXT,
    Coefficients,
    Forest,
    Linear,
    Scorer,
    context,
    parse_model,
)
from tools.train_data import ENCODER, measure
from tools.word_costs import Example, axes_of, costed, fit_costs

Matrix = npt.NDArray[np.float64]
FOLDS, INNER = 5, 4
#: Weight of one example in the ranking and the trust model, by origin.
RANK_WEIGHT = {"real": 1.0, "lent": 0.5, "foreign": 0.0}
TRUST_WEIGHT = {"real": 1.0, "lent": 0.3, "foreign": 1.0}
#: The coefficients of a scorer, and whether they are for articles with answers.
KINDS = {"answered": True, "bare": False}
#: Weight of what we wrote, by kind of coefficients and whether its articles have answers.
WRITTEN = {
    ("answered", True): 0.5,
    ("answered", False): 0.15,
    ("bare", True): 0.0,
    ("bare", False): 0.15,
}
#: Weight in the calibration.
CALIBRATION = {"real": 1.0, "written": 0.02}
RIDGE = 3.0
#: Share of the logistic model in the trust blend; trees have the rest.
LOGISTIC_SHARE = 0.3
TREES, DEPTH, RATE, SMALLEST_LEAF = 120, 4, 0.08, 20

_RISING = (
    "dense", "dense_tags", "dense_answer", "bm25_words", "bm25_grams", "gram_query",
    "gram_article", "gram_all", "word_query", "word_article", "word_all", "soft_query",
    "soft_article", "soft_both", "soft_all", "sound_query", "sound_article", "same_order",
    "blend", "dense_gap", "lexical_gap", "soft_gap", "blend_gap", "score", "score_gap", "share",
    *BLOCKS,
)  # fmt: skip
_FALLING = (
    "left_query", "left_article", "left_all", "contradiction", "negation", "asks_apart",
    "numbers_apart", "latin_apart", "unknown",
)  # fmt: skip


def weighed(examples: Iterable[Example], kind: str) -> list[Example]:
    """What coefficients of a kind are fitted on, each with its weight."""
    found = [
        dataclasses.replace(e, factor=WRITTEN[kind, e.answered] if e.written else 1.0)
        for e in examples
    ]
    return [example for example in found if example.factor]


def fit_rank(examples: Sequence[Example]) -> dict[str, object]:
    """Conditional logit: the right article against the others of its list."""
    lists = [e for e in examples if e.right.any()]
    rows = np.concatenate([e.rows for e in lists]).astype(np.float64)
    rows[:, COLUMNS.index("apart")] = 0.0  # the order must not hang on one encoder
    mean, scale = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0) + 1e-6
    z = np.clip(np.nan_to_num((rows - mean) / scale), -4, 4)
    right = np.concatenate([e.right for e in lists])
    starts = np.cumsum([0, *(len(e.right) for e in lists[:-1])])
    segment = np.repeat(np.arange(len(lists)), [len(e.right) for e in lists])
    weight = np.array([e.factor * RANK_WEIGHT[e.origin] for e in lists])

    def loss(beta: Matrix) -> tuple[float, Matrix]:
        u = z @ beta
        u = np.exp(u - np.maximum.reduceat(u, starts)[segment])
        total, good = np.add.reduceat(u, starts), np.add.reduceat(u * right, starts) + 1e-300
        slope = z.T @ (weight[segment] * (u / total[segment] - u * right / good[segment]))
        value = float((weight * np.log(total / good)).sum()) + RIDGE * float(beta @ beta) / 2
        return value, slope + RIDGE * beta

    beta = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B").x
    return linear(mean, scale, beta, 0.0, 1.0)


def linear(
    mean: Matrix, scale: Matrix, beta: Matrix, base: float, weight: float
) -> dict[str, object]:
    return {
        "kind": "linear", "weight": weight, "base": round(base, 5),
        "mean": mean.round(6).tolist(), "scale": scale.round(6).tolist(),
        "coefficients": beta.round(5).tolist(),
    }  # fmt: skip


def trust_rows(examples: Sequence[Example]) -> tuple[Matrix, npt.NDArray[np.bool_]]:
    """First candidates as a ranking that never saw their home puts them."""
    homes = {home: at % INNER for at, home in enumerate(sorted({e.home for e in examples}))}
    rows = np.zeros((len(examples), len(COLUMNS) + len(CONTEXT)))
    right = np.zeros(len(examples), dtype=bool)
    for part in range(INNER):
        rank = parse_model(fit_rank([e for e in examples if homes[e.home] != part]))
        for at, example in enumerate(examples):
            if homes[example.home] == part:
                rows[at], right[at] = first(example, rank)
    return rows, right


def first(example: Example, rank: Forest | Linear) -> tuple[Matrix, bool]:
    raw = rank(example.rows)
    order = np.argsort(-raw, kind="stable")
    row = np.concatenate([example.rows[order[0]], context(raw[order])])
    return row, bool(example.right[order[0]])


def fit_trust(examples: Sequence[Example]) -> list[dict[str, object]]:
    rows, right = trust_rows(examples)
    weight = np.array([e.factor * TRUST_WEIGHT[e.origin] for e in examples])
    real = np.array([e.origin == "real" for e in examples])
    mean, scale = np.nanmean(rows[real], axis=0), np.nanstd(rows[real], axis=0) + 1e-6
    z = np.clip(np.nan_to_num((rows - mean) / scale), -4, 4)
    line = LogisticRegression(C=0.3, max_iter=3000).fit(z[real], right[real], weight[real])
    names = (*COLUMNS, *CONTEXT)
    trees = HistGradientBoostingClassifier(
        max_iter=TREES, learning_rate=RATE, max_depth=DEPTH, max_leaf_nodes=2 ** (DEPTH - 1),
        min_samples_leaf=SMALLEST_LEAF, l2_regularization=5.0, early_stopping=False,
        monotonic_cst=[(name in _RISING) - (name in _FALLING) for name in names], random_state=0,
    ).fit(rows, right, weight)  # fmt: skip
    return [
        linear(mean, scale, line.coef_[0], float(line.intercept_[0]), LOGISTIC_SHARE),
        forest(trees, 1 - LOGISTIC_SHARE),
    ]


def heap(
    nodes: npt.NDArray[np.void],
) -> tuple[list[int], list[float], list[int], list[float]]:
    """feature, threshold, missing_left of the inner nodes and the leaves, in heap order."""
    inner = 2**DEPTH - 1
    feature, threshold = [0] * inner, [0.0] * inner
    missing, leaf = [1] * inner, [0.0] * (inner + 1)

    def walk(at: int, number: int) -> None:
        node = nodes[number]
        if at >= inner:
            leaf[at - inner] = round(float(node["value"]), 5)
            return
        left = right = number
        if not node["is_leaf"]:
            feature[at] = int(node["feature_idx"])
            threshold[at] = float(f"{node['num_threshold']:.7g}")
            missing[at] = int(node["missing_go_to_left"])
            left, right = int(node["left"]), int(node["right"])
        walk(2 * at + 1, left)
        walk(2 * at + 2, right)

    walk(0, 0)
    return feature, threshold, missing, leaf


def forest(model: HistGradientBoostingClassifier, weight: float) -> dict[str, object]:
    """Trees in heap order, all of one depth; a leaf above the last level is repeated below."""
    data: dict[str, list[Sequence[float]]] = {
        "feature": [],
        "threshold": [],
        "missing_left": [],
        "leaf": [],
    }
    for (tree,) in model._predictors:
        columns: tuple[Sequence[float], ...] = heap(tree.nodes)
        for name, values in zip(data, columns, strict=True):
            data[name].append(values)
    base = round(float(model._baseline_prediction.ravel()[0]), 5)
    return {"kind": "forest", "weight": weight, "base": base, **data}


def fit(examples: Sequence[Example]) -> dict[str, object]:
    """Coefficients of one kind, not calibrated yet."""
    axes = axes_of(examples)
    examples = [example.along(axes / AXES_UNIT) for example in examples]
    costs = {name: cost.round(5).tolist() for name, cost in fit_costs(examples).items()}
    seen = costed(examples, INNER)
    return {
        "axes": axes.tolist(), "costs": costs,
        "rank": [fit_rank(seen)], "trust": fit_trust(seen), "slope": 1.0, "intercept": 0.0,
    }  # fmt: skip


def folds(examples: Sequence[Example], seed: int) -> dict[str, int]:
    homes = sorted({e.home for e in examples})
    drawn = np.random.default_rng(seed).integers(0, FOLDS, len(homes)).tolist()
    return dict(zip(homes, drawn, strict=True))


Held = tuple[Example, float, int | None]


def held_out(examples: Sequence[Example], seed: int, kind: str) -> list[Held]:
    """(example, log-odds, rank of the right article), from models that never saw its home."""
    of_home = folds(examples, seed)
    found: list[Held] = []
    for fold in range(FOLDS):
        rest = [e for e in examples if of_home[e.home] != fold]
        fitted = Coefficients.of(fit(weighed(rest, kind)))
        scorer = Scorer("", ENCODER, fitted, fitted)
        for example in examples:
            is_asked = example.answered == KINDS[kind] and example.origin != "lent"
            if is_asked and of_home[example.home] == fold:
                scored = scorer.score(scorer.columns(example.found(), ENCODER))
                places = np.flatnonzero(example.right[scored.order])
                odds = float(np.log(scored.confidence / (1 - scored.confidence + 1e-12) + 1e-12))
                found.append((example, odds, int(places[0]) if len(places) else None))
    return found


def show(found: Sequence[Held]) -> None:
    gates = Gates.shipped()
    for name in sorted({e.set_name for e, _, _ in found}):
        own = [
            (e, -30.0 if gates.check(e.query) and name != "general" else odds, rank)
            for e, odds, rank in found
            if e.set_name == name
        ]
        labels = [
            Labelled(1 / (1 + np.exp(-odds)), rank == 0, e.in_scope) for e, odds, rank in own
        ]
        inside = [rank for e, _, rank in own if e.in_scope]
        figures = {
            "top-1": wilson(sum(rank == 0 for rank in inside), len(inside)),
            "recall@3": wilson(sum(rank is not None and rank < 3 for rank in inside), len(inside)),
            "coverage at 95 %": evaluation.coverage_at(labels, 0.95),
            "coverage at 98 %": evaluation.coverage_at(labels, 0.98),
        }
        shares = "  ".join(
            f"{k} {v.value:.3f} [{v.low:.3f}, {v.high:.3f}]" for k, v in figures.items()
        )
        print(f"{name}: {shares}  AUROC {evaluation.auroc(labels):.3f}")


def helped(labels: Sequence[Labelled], own: Sequence[Held], menu: float) -> float:
    """Share of in-scope questions answered rightly or with the right article in the menu."""
    good = [
        rank == 0 if label.confidence >= 0.93 else label.confidence >= menu and (rank or 0) < 3
        for label, (_, _, rank) in zip(labels, own, strict=True)
        if label.in_scope and rank is not None
    ]
    return sum(good) / sum(label.in_scope for label in labels)


def recalibrated(data: dict[str, object], found: Sequence[Held]) -> dict[str, object]:
    """Slope and intercept from held-out odds, so that the shipped probability is honest."""
    odds = np.array([[value] for _, value, _ in found])
    right = np.array([rank == 0 for _, _, rank in found])
    weight = np.array([CALIBRATION["written" if e.written else "real"] for e, _, _ in found])
    line = LogisticRegression(C=100.0).fit(np.clip(odds, -12, 12), right, weight)
    return data | {
        "slope": round(float(line.coef_[0][0]), 4),
        "intercept": round(float(line.intercept_[0]), 4),
    }


def show_thresholds(data: dict[str, object], found: Sequence[Held]) -> None:
    """What each answer threshold would have done to the held-out questions."""
    gates = Gates.shipped()
    slope, intercept = float(str(data["slope"])), float(str(data["intercept"]))
    for name in sorted({e.set_name for e, _, _ in found}):
        own = [(e, odds, rank) for e, odds, rank in found if e.set_name == name]
        labels = [
            Labelled(
                0.0
                if name != "general" and gates.check(e.query)
                else 1 / (1 + float(np.exp(-slope * odds - intercept))),
                rank == 0,
                e.in_scope,
            )
            for e, odds, rank in own
        ]
        for menu in (0.02, 0.05, 0.1, 0.2):
            print(f"{name}: menu from {menu}: {helped(labels, own, menu):.3f} helped")
        for threshold in (0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97):
            point = point_at(labels, threshold)
            print(
                f"{name} at {threshold}: precision {point.precision.value:.3f} "
                f"[{point.precision.low:.3f}, {point.precision.high:.3f}], "
                f"coverage {point.coverage:.3f}, "
                f"out of scope answered {point.out_of_scope_answered:.3f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--vectors", type=Path, help="a file that keeps vectors between runs")
    parser.add_argument("--seeds", type=int, default=1, help="cross-validations to print")
    parser.add_argument("--version", default="1")
    parser.add_argument("--out", type=Path, default=Path("knowledge/data/scorer.json"))
    given = parser.parse_args()
    examples = asyncio.run(measure(given.folders, given.vectors))
    data: dict[str, object] = {
        "version": given.version, "features": list(COLUMNS), "encoder": ENCODER,
    }  # fmt: skip
    for kind in KINDS:
        for seed in reversed(range(given.seeds)):
            found = held_out(examples, seed, kind)
            show(found)
        fitted = recalibrated(fit(weighed(examples, kind)), found)
        show_thresholds(fitted, found)
        data[kind] = fitted
    given.out.write_text(json.dumps(data, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
