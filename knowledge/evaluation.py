"""How good the answers are on a labelled set: what `wenqu faq eval DIR` prints."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge.articles import ArticleText, split_list
from knowledge.calibration import Interval, Labelled, wilson
from knowledge.embedder import Embedder, Progress
from knowledge.retriever import Band, Decision, Retriever

#: Base and questions that belong together in a folder, in the order they are looked for.
PAIRS: tuple[tuple[str, str, str], ...] = (
    ("general", "dev_kb.jsonl", "dev_queries.jsonl"),
    ("domain", "domain_kb.jsonl", "domain_dev_queries.jsonl"),
    ("set", "kb.jsonl", "queries.jsonl"),
    ("demo", "demo_faq.jsonl", "demo_queries.jsonl"),
)


class EvaluationError(ValueError):
    """A folder without labelled questions, or a line that cannot be read."""


@dataclass(frozen=True, slots=True)
class Question:
    """A labelled question.

    gold: ids of acceptable articles; empty means out of scope. near: the article that an
    out-of-scope question resembles, where somebody noted it.
    """

    query_id: str
    query: str
    gold: frozenset[str]
    kind: str = ""
    near: str = ""


@dataclass(frozen=True, slots=True)
class LabelledSet:
    name: str
    articles: tuple[ArticleText, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question and what was decided. rank: of the first acceptable article, from 0; or None."""

    question: Question
    decision: Decision
    rank: int | None
    elapsed_ms: float

    @property
    def is_right(self) -> bool:
        return self.rank == 0

    @property
    def label(self) -> Labelled:
        return Labelled(self.decision.confidence, self.is_right, bool(self.question.gold))


@dataclass(frozen=True, slots=True)
class Report:
    """Figures of one labelled set; shares lie in 0…1, times in milliseconds.

    answered_or_offered: in-scope questions answered rightly, or with the right article among the
    first three of a menu. precision: of the answers actually given.
    """

    name: str
    articles: int
    in_scope: int
    out_of_scope: int
    top1: Interval
    recall_at_3: Interval
    mrr: float
    auroc: float
    coverage_95: Interval
    coverage_98: Interval
    precision: Interval
    coverage: Interval
    answered_or_offered: Interval
    out_of_scope_answered: Interval
    ms_p50: float
    ms_p99: float


def read_sets(folder: Path) -> list[LabelledSet]:
    """The labelled sets of a folder. Raises: EvaluationError when there is none."""
    found = [
        LabelledSet(name, read_articles(folder / base), read_questions(folder / asked))
        for name, base, asked in PAIRS
        if (folder / base).is_file() and (folder / asked).is_file()
    ]
    if not found:
        raise EvaluationError(f"no kb.jsonl with queries.jsonl in {folder.name}")
    return found


def read_articles(file: Path) -> tuple[ArticleText, ...]:
    return tuple(
        ArticleText(
            article_id=str(row["id"]),
            question=str(row["question"]),
            answer=None if row.get("answer") is None else str(row["answer"]),
            category=str(row.get("category") or ""),
            tags=split_list(row.get("tags")),
            similar=split_list(row.get("similar")),
        )
        for row in _rows(file, ("id", "question"))
    )


def read_questions(file: Path) -> tuple[Question, ...]:
    return tuple(
        Question(
            query_id=str(row.get("query_id", number)),
            query=str(row["query"]),
            gold=frozenset(split_list(row["gold"])),
            kind=str(row.get("type") or ""),
            near=str(row.get("near") or ""),
        )
        for number, row in enumerate(_rows(file, ("query", "gold")))
    )


def _rows(file: Path, needed: Sequence[str]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise EvaluationError(f"{file.name}, line {number}: not JSON") from error
        if not isinstance(row, dict) or any(name not in row for name in needed):
            raise EvaluationError(f"{file.name}, line {number}: needs {', '.join(needed)}")
        rows.append(row)
    return rows


async def evaluate(
    labelled: LabelledSet, embedder: Embedder, *, progress: Progress | None = None
) -> Report:
    """Build a base with the shipped settings and ask it every question."""
    retriever = await Retriever.build(labelled.articles, embedder, progress=progress)
    return report(labelled, await outcomes(retriever, labelled.questions))


async def outcomes(retriever: Retriever, questions: Sequence[Question]) -> list[Outcome]:
    """Ask each question once. The order of articles is judged whatever was decided."""
    found: list[Outcome] = []
    for question in questions:
        started = time.perf_counter()
        decision = await retriever.decide(question.query)
        elapsed = 1000 * (time.perf_counter() - started)
        ranked = [candidate.article_id for candidate in decision.candidates]
        rank = next((at for at, id_ in enumerate(ranked) if id_ in question.gold), None)
        found.append(Outcome(question, decision, rank, elapsed))
    return found


def report(labelled: LabelledSet, found: Sequence[Outcome]) -> Report:
    inside = [outcome for outcome in found if outcome.question.gold]
    outside = [outcome for outcome in found if not outcome.question.gold]
    given = [outcome for outcome in found if outcome.decision.band is Band.ANSWER]
    times = [outcome.elapsed_ms for outcome in found] or [0.0]
    labels = [outcome.label for outcome in found]
    right = [outcome for outcome in given if outcome.is_right]
    return Report(
        name=labelled.name,
        articles=len(labelled.articles),
        in_scope=len(inside),
        out_of_scope=len(outside),
        top1=wilson(sum(o.is_right for o in inside), len(inside)),
        recall_at_3=wilson(sum(_within(o, 3) for o in inside), len(inside)),
        mrr=sum(1 / (o.rank + 1) for o in inside if o.rank is not None) / max(len(inside), 1),
        auroc=auroc(labels),
        coverage_95=coverage_at(labels, 0.95),
        coverage_98=coverage_at(labels, 0.98),
        precision=wilson(len(right), len(given)),
        coverage=wilson(len(right), len(inside)),
        answered_or_offered=wilson(sum(map(_helps, inside)), len(inside)),
        out_of_scope_answered=wilson(
            sum(o.decision.band is Band.ANSWER for o in outside), len(outside)
        ),
        ms_p50=float(np.percentile(times, 50)),
        ms_p99=float(np.percentile(times, 99)),
    )


def auroc(labels: Sequence[Labelled]) -> float:
    """Chance that a right in-scope answer is more confident than an out-of-scope question."""
    right = [label.confidence for label in labels if label.in_scope and label.is_right]
    outside = np.sort([label.confidence for label in labels if not label.in_scope])
    if not right or not len(outside):
        return float("nan")
    below = np.searchsorted(outside, right, side="left")
    equal = np.searchsorted(outside, right, side="right") - below
    return float((below + equal / 2).sum() / (len(right) * len(outside)))


def coverage_at(labels: Sequence[Labelled], target: float) -> Interval:
    """The largest coverage over all thresholds whose precision is at least the target."""
    inside = sum(label.in_scope for label in labels)
    ordered = sorted(labels, key=lambda label: -label.confidence)
    best = right = 0
    for given, label in enumerate(ordered, start=1):
        right += label.is_right
        is_boundary = given == len(ordered) or ordered[given].confidence < label.confidence
        if is_boundary and right / given >= target:
            best = right
    return wilson(best, inside)


def _within(outcome: Outcome, places: int) -> bool:
    return outcome.rank is not None and outcome.rank < places


def _helps(outcome: Outcome) -> bool:
    if outcome.decision.band is Band.ANSWER:
        return outcome.is_right
    return outcome.decision.band is Band.MENU and _within(outcome, 3)


def lines(figures: Report) -> list[str]:
    """The report as lines of text, for a terminal."""
    shares = {
        "top-1": figures.top1,
        "recall@3": figures.recall_at_3,
        "coverage at 95 %": figures.coverage_95,
        "coverage at 98 %": figures.coverage_98,
        "precision (answers given)": figures.precision,
        "coverage (answers given)": figures.coverage,
        "answered or in the menu": figures.answered_or_offered,
        "out of scope answered": figures.out_of_scope_answered,
    }
    counts = (
        f"{figures.articles} articles, {figures.in_scope} in scope, {figures.out_of_scope} not"
    )
    return [
        f"{figures.name}: {counts}",
        *(f"  {name:26} {s.value:.3f}  [{s.low:.3f}, {s.high:.3f}]" for name, s in shares.items()),
        f"  {'MRR':26} {figures.mrr:.3f}",
        f"  {'AUROC':26} {figures.auroc:.3f}",
        f"  {'ms per query':26} p50 {figures.ms_p50:.1f}, p99 {figures.ms_p99:.1f}",
    ]
