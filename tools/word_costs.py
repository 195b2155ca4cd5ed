"""What a difference costs: learned for `knowledge.scorer`, part of tools/train_scorer.py.

Pairs of a question and one of its nearest articles are told apart by all that is known of them;
what the logistic model then gives to each number of a block is that number's cost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from knowledge import features
from knowledge.scorer import AXES_UNIT, BLOCKS

Matrix = npt.NDArray[np.float64]
Costs = Mapping[str, Matrix]

#: Candidates of a question that are weighed, and the weight of all but the first.
NEAREST, LESSER = 4, 0.5
INVERSE_RIDGE = 0.01
AXES = 64
#: Weight of a question by where it comes from.
WEIGHT = {"real": 1.0, "lent": 0.5, "foreign": 0.5}


@dataclasses.dataclass(frozen=True)
class Example:
    """home: what an example shares with others, so that folds do not split it.

    written: by us, for training. answered: the articles of its base have answers.
    rows: `features.NAMES`, and once costs are known `scorer.COLUMNS`.
    """

    set_name: str
    home: str
    origin: str
    written: bool
    answered: bool
    query: str
    in_scope: bool
    rows: npt.NDArray[np.float32]
    blocks: Mapping[str, npt.NDArray[np.float32]]
    right: npt.NDArray[np.bool_]
    vector: npt.NDArray[np.float32]
    factor: float = 1.0

    def found(self) -> features.Features:
        return features.Features(self.rows, self.blocks)

    def along(self, axes: Matrix) -> Example:
        """With `apart` squared along the axes, as a scorer sees it."""
        squared = ((self.blocks["apart"] @ axes.T) ** 2).astype(np.float32)
        return dataclasses.replace(self, blocks={**self.blocks, "apart": squared})

    def costed(self, costs: Costs) -> Example:
        learned = [self.blocks[name] @ costs[name] for name in BLOCKS]
        return dataclasses.replace(self, rows=np.column_stack([self.rows, *learned]))


def axes_of(examples: Sequence[Example]) -> npt.NDArray[np.int64]:
    """The directions in which questions differ most, in whole numbers."""
    vectors = np.stack([e.vector for e in examples]).astype(np.float64)
    _, _, axes = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    return np.round(axes[:AXES] * AXES_UNIT).astype(np.int64)


def fit_costs(examples: Sequence[Example]) -> Costs:
    nearest = [_nearest(example) for example in examples]
    rows = np.concatenate([e.rows[at] for e, at in zip(examples, nearest, strict=True)])
    spread = np.nanstd(rows, axis=0) + 1e-6
    parts = [np.clip(np.nan_to_num((rows - np.nanmean(rows, axis=0)) / spread), -4, 4)]
    scales = []
    for name in BLOCKS:
        block = np.concatenate(
            [e.blocks[name][at] for e, at in zip(examples, nearest, strict=True)]
        )
        scales.append(float(np.sqrt((block.astype(np.float64) ** 2).mean())))
        parts.append((block - block.mean(axis=0)) / scales[-1])
    right = np.concatenate([e.right[at] for e, at in zip(examples, nearest, strict=True)])
    weight = np.concatenate(
        [_weights(e, len(at)) for e, at in zip(examples, nearest, strict=True)]
    )
    model = LogisticRegression(C=INVERSE_RIDGE, max_iter=300, tol=1e-3)
    found = model.fit(np.hstack(parts), right, weight).coef_[0]
    widths = np.cumsum([part.shape[1] for part in parts])
    cut = np.split(found, widths[:-1])[1:]
    return {n: part / scale for n, part, scale in zip(BLOCKS, cut, scales, strict=True)}


def costed(examples: Sequence[Example], parts: int) -> list[Example]:
    """Examples with costs from models that never saw their home."""
    homes = sorted({e.home for e in examples})
    drawn = np.random.default_rng(7).integers(0, parts, len(homes)).tolist()
    part_of = dict(zip(homes, drawn, strict=True))
    costs = [fit_costs([e for e in examples if part_of[e.home] != at]) for at in range(parts)]
    return [example.costed(costs[part_of[example.home]]) for example in examples]


def _nearest(example: Example) -> npt.NDArray[np.int64]:
    blend = example.rows[:, features.COLUMN["blend"]]
    return np.argsort(-blend, kind="stable")[:NEAREST]


def _weights(example: Example, count: int) -> Matrix:
    weight = np.full(count, example.factor * WEIGHT[example.origin] * LESSER)
    weight[0] /= LESSER
    return weight
