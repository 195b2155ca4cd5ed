"""Calibration from this base's own labels: measured, fitted, stored with its data, rolled back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx, UnitOfWork
from core.errors import Conflict, NotFound
from core.events import SettingChanged
from core.ids import new_id
from core.permissions import Permission
from core.views import View
from knowledge.answerer import Answerer
from knowledge.calibration import FEWEST_LABELS, Calibration, Labelled, Point, curve, fit, point_at
from knowledge.engine import CALIBRATION_KEY
from knowledge.growth import GrowthView, growth, recalibrated
from knowledge.known import Known, everything_known
from knowledge.models import CalibrationRow

TARGET: Final = 0.98


class PointView(View):
    """One threshold and what follows from it on the labelled questions (shares in 0…1)."""

    threshold: float
    answers: int
    precision: float
    precision_low: float
    precision_high: float
    coverage: float
    out_of_scope_answered: float
    expected: float


class CategoryPointView(View):
    """What answering does in one category. is_own: its own threshold, else the shared one."""

    category: str
    labels: int
    threshold: float
    is_own: bool
    point: PointView


class LabelView(View):
    """A known question as it was measured. confidence: with the calibration applied."""

    question: str
    confidence: float
    is_right: bool
    in_scope: bool
    category: str


class CalibrationView(View):
    """A stored fit. answer, menu: thresholds. point: what they do on the labels. labels: how many.

    is_own: False when there were too few labels and the shipped values stand.
    is_assured: the labels alone vouch for the target; else `expected` was what chose `answer`.
    categories: the best labelled first. growth: what more known questions brought.
    """

    id: str
    is_active: bool
    is_own: bool
    is_assured: bool
    slope: float
    intercept: float
    answer: float
    menu: float
    by_category: dict[str, float]
    target: float
    labels: int
    point: PointView
    curve: tuple[PointView, ...]
    categories: tuple[CategoryPointView, ...]
    growth: tuple[GrowthView, ...]
    model: str
    scorer: str
    by: str
    created_at: datetime


async def measure(answerer: Answerer, known: Sequence[Known]) -> list[tuple[str, Labelled]]:
    """Ask every known question; what gates hold back or what cannot be judged is left out."""
    labels: list[tuple[str, Labelled]] = []
    for item in known:
        found = await answerer.guess(item.question)
        if found is None:
            continue
        first, category, confidence = found
        if item.article_id is None and item.wrong_article_id is not None:
            if first != item.wrong_article_id:
                continue  # another article comes first now: nobody has judged it yet
            label = Labelled(confidence, is_right=False, in_scope=True, category=category)
        else:
            in_scope = item.article_id is not None
            label = Labelled(confidence, first == item.article_id, in_scope, category)
        labels.append((item.question, label))
    return labels


async def refit(
    uow: UnitOfWork,
    answerer: Answerer,
    *,
    by: Actor,
    target: float = TARGET,
    activate_own: bool = True,
) -> CalibrationView:
    """Measure, fit and store; a fit of our own labels is put in force unless told otherwise.

    Raises: Forbidden.
    """
    by.require(Permission.ARTICLE_PUBLISH)
    async with uow.read() as tx:
        known = await everything_known(tx)
    measured = await measure(answerer, known)
    shipped = answerer.shipped_thresholds
    labels = [label for _, label in measured]
    result = fit(labels, target=target, answer=shipped.answer, menu=shipped.menu)
    async with uow.write() as tx:
        row = _row(tx, result, measured, target, by)
        grown = growth(measured, target=target, answer=shipped.answer, menu=shipped.menu)
        row.report = row.report | {"growth": [one.model_dump() for one in grown]}
        row.model, row.scorer = answerer.model, answerer.scorer_version
        tx.db.add(row)
        await tx.db.flush()
        if activate_own and result.is_own:
            return await activate(tx, row.id, by=by)
        return view(row)


async def refit_if_taught(uow: UnitOfWork, answerer: Answerer) -> CalibrationView | None:
    """The scheduled refit: nothing is stored while there are too few known questions."""
    async with uow.read() as tx:
        known = await everything_known(tx)
    if len(known) < FEWEST_LABELS:
        return None
    return await refit(uow, answerer, by=Actor.system("schedule"))


async def activate(tx: Tx, calibration_id: str, *, by: Actor) -> CalibrationView:
    """Put a stored fit in force; every process follows. This is also the way back.

    Raises: Forbidden; NotFound; Conflict `not_own` for one without labels enough.
    """
    by.require(Permission.ARTICLE_PUBLISH)
    row = await tx.db.get(CalibrationRow, calibration_id)
    if row is None:
        raise NotFound("calibration_not_found", calibration_id=calibration_id)
    if not row.report.get("is_own"):
        raise Conflict("not_own", calibration_id=calibration_id)
    await _clear(tx)
    row.is_active = True
    await tx.db.flush()
    tx.emit(SettingChanged(key=CALIBRATION_KEY, by=by.key))
    facts = {"answer": f"{row.answer:.4f}", "target": row.target, "labels": len(row.labels)}
    await audit.append(tx, by=by, action="calibration.activated", target=row.id, facts=facts)
    return view(row)


async def deactivate(tx: Tx, *, by: Actor) -> None:
    """Back to the shipped calibration.

    Raises: Forbidden.
    """
    by.require(Permission.ARTICLE_PUBLISH)
    await _clear(tx)
    tx.emit(SettingChanged(key=CALIBRATION_KEY, by=by.key))
    await audit.append(tx, by=by, action="calibration.shipped_restored")


async def list_calibrations(tx: Tx, *, limit: int = 50) -> list[CalibrationView]:
    """Stored fits, newest first."""
    rows = await tx.db.scalars(
        select(CalibrationRow)
        .order_by(CalibrationRow.created_at.desc(), CalibrationRow.id.desc())
        .limit(limit)
    )
    return [view(row) for row in rows]


async def labels_between(
    tx: Tx, calibration_id: str, threshold: float, *, limit: int = 50
) -> list[LabelView]:
    """Known questions that another shared threshold would answer, or no longer answer.

    The surest first. Categories with a threshold of their own are left out.
    Raises: NotFound.
    """
    row = await tx.db.get(CalibrationRow, calibration_id)
    if row is None:
        raise NotFound("calibration_not_found", calibration_id=calibration_id)
    low, high = sorted((threshold, row.answer))
    views = [_label(stored, row) for stored in row.labels]
    between = [one for one in views if low <= one.confidence < high]
    shared = [one for one in between if one.category not in row.by_category]
    return sorted(shared, key=lambda one: -one.confidence)[:limit]


async def _clear(tx: Tx) -> None:
    await tx.db.execute(update(CalibrationRow).values(is_active=False))


def _row(
    tx: Tx,
    result: Calibration,
    measured: Sequence[tuple[str, Labelled]],
    target: float,
    by: Actor,
) -> CalibrationRow:
    refitted = [recalibrated(label, result.slope, result.intercept) for _, label in measured]
    report = {
        "is_own": result.is_own,
        "point": _point(result.point),
        "is_assured": result.is_assured,
        "curve": [_point(point) for point in curve(refitted)],
        "categories": _categories(refitted, result),
    }
    return CalibrationRow(
        id=new_id(),
        is_active=False,
        slope=result.slope,
        intercept=result.intercept,
        answer=result.answer,
        menu=result.menu,
        by_category=dict(result.by_category),
        target=target,
        labels=[{"question": question, **asdict(label)} for question, label in measured],
        report=report,
        by=by.key,
        created_at=tx.now,
    )


def _categories(labels: Sequence[Labelled], result: Calibration) -> list[dict[str, Any]]:
    counts = Counter(label.category for label in labels if label.category)
    return [
        {
            "category": category,
            "labels": count,
            "threshold": (needed := result.by_category.get(category, result.answer)),
            "is_own": category in result.by_category,
            "point": _point(point_at([o for o in labels if o.category == category], needed)),
        }
        for category, count in counts.most_common()
    ]


def _label(stored: Mapping[str, Any], row: CalibrationRow) -> LabelView:
    fields = {name: stored[name] for name in ("is_right", "in_scope", "category")}
    label = Labelled(stored["confidence"], **fields)
    confidence = recalibrated(label, row.slope, row.intercept).confidence
    return LabelView(question=stored["question"], confidence=confidence, **fields)


def _point(point: Point) -> dict[str, Any]:
    return {
        "threshold": point.threshold,
        "answers": point.answers,
        "precision": point.precision.value,
        "precision_low": point.precision.low,
        "precision_high": point.precision.high,
        "coverage": point.coverage,
        "out_of_scope_answered": point.out_of_scope_answered,
        "expected": point.expected,
    }


def view(row: CalibrationRow) -> CalibrationView:
    return CalibrationView(
        id=row.id,
        is_active=row.is_active,
        is_own=bool(row.report.get("is_own")),
        is_assured=bool(row.report.get("is_assured")),
        slope=row.slope,
        intercept=row.intercept,
        answer=row.answer,
        menu=row.menu,
        by_category=row.by_category,
        target=row.target,
        labels=len(row.labels),
        point=PointView.model_validate(row.report["point"]),
        curve=tuple(PointView.model_validate(point) for point in row.report["curve"]),
        categories=tuple(map(CategoryPointView.model_validate, row.report["categories"])),
        growth=tuple(GrowthView.model_validate(one) for one in row.report["growth"]),
        model=row.model,
        scorer=row.scorer,
        by=row.by,
        created_at=row.created_at,
    )
