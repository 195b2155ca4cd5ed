from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.calibration import Labelled
from knowledge.embedder import Embedder
from knowledge.evaluation import (
    EvaluationError,
    auroc,
    coverage_at,
    evaluate,
    lines,
    read_sets,
)


def write(file: Path, *rows: dict[str, object]) -> None:
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(
        tmp_path / "kb.jsonl",
        {"id": 1, "question": "忘记密码怎么重置", "answer": None, "similar": ["密码忘了"]},
        {"id": 2, "question": "发票怎么开", "answer": "联系商务", "tags": "发票|开票"},
    )
    write(
        tmp_path / "queries.jsonl",
        {"query_id": "a", "query": "密码忘了怎么办", "gold": ["1"]},
        {"query_id": "b", "query": "开发票", "gold": ["2"]},
        {"query_id": "c", "query": "转人工", "gold": []},
        {"query_id": "d", "query": "明天下雨", "gold": []},
    )
    return tmp_path


async def test_a_folder_is_measured(folder: Path, embedder: Embedder) -> None:
    (labelled,) = read_sets(folder)
    assert [article.article_id for article in labelled.articles] == ["1", "2"]
    assert labelled.articles[1].tags == ("发票", "开票")
    figures = await evaluate(labelled, embedder)
    assert (figures.in_scope, figures.out_of_scope) == (2, 2)
    assert figures.top1.value == figures.recall_at_3.value == figures.mrr == 1.0
    assert figures.out_of_scope_answered.value <= 0.5
    assert any("recall@3" in line for line in lines(figures))


@pytest.mark.parametrize("line", ["not json", "[]", '{"query": "x"}'])
def test_a_broken_line_is_named(folder: Path, line: str) -> None:
    (folder / "queries.jsonl").write_text(f'{{"query": "x", "gold": []}}\n{line}\n')
    with pytest.raises(EvaluationError, match=r"queries\.jsonl, line 2"):
        read_sets(folder)


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError):
        read_sets(tmp_path)


def test_coverage_counts_only_thresholds_that_can_be_told_apart() -> None:
    labels = [
        Labelled(0.9, is_right=True),
        Labelled(0.8, is_right=True),
        Labelled(0.8, is_right=False),
        Labelled(0.7, is_right=True),
    ]
    assert coverage_at(labels, 0.95).value == 0.25
    assert coverage_at(labels, 0.75).value == 0.75


def test_auroc_sets_right_answers_against_out_of_scope_questions() -> None:
    labels = [
        Labelled(0.9, is_right=True),
        Labelled(0.5, is_right=True),
        Labelled(0.99, is_right=False),
        Labelled(0.5, is_right=False, in_scope=False),
        Labelled(0.1, is_right=False, in_scope=False),
    ]
    assert auroc(labels) == pytest.approx((2 + 1.5) / 4)
