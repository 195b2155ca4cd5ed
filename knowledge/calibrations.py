"""Calibration from this base's own labels: measured, fitted, stored with its data, rolled back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update

from core.actor import Actor
from core.db import Tx, UnitOfWork
from core.errors import Conflict, NotFound
from core.events import SettingChanged
from core.ids import new_id
from core.permissions import Permission
from core.views import View
from knowledge.answerer import Answerer
from knowledge.calibration import FEWEST_LABELS, Calibration, Labelled, Point, curve, fit
from knowledge.engine import CALIBRATION_KEY
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


class CalibrationView(View):
    """A stored fit. answer, menu: thresholds. point: what they do on the labels. labels: how many.

    is_own: False when there were too few labels and the shipped values stand.
    """

    id: str
    is_active: bool
    is_own: bool
    slope: float
    intercept: float
    answer: float
    menu: float
    by_category: dict[str, float]
    target: float
    labels: int
    point: PointView
    curve: tuple[PointView, ...]
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
    return view(row)


async def deactivate(tx: Tx, *, by: Actor) -> None:
    """Back to the shipped calibration.

    Raises: Forbidden.
    """
    by.require(Permission.ARTICLE_PUBLISH)
    await _clear(tx)
    tx.emit(SettingChanged(key=CALIBRATION_KEY, by=by.key))


async def list_calibrations(tx: Tx, *, limit: int = 50) -> list[CalibrationView]:
    """Stored fits, newest first."""
    rows = await tx.db.scalars(
        select(CalibrationRow)
        .order_by(CalibrationRow.created_at.desc(), CalibrationRow.id.desc())
        .limit(limit)
    )
    return [view(row) for row in rows]


async def _clear(tx: Tx) -> None:
    await tx.db.execute(update(CalibrationRow).values(is_active=False))


def _row(
    tx: Tx,
    result: Calibration,
    measured: Sequence[tuple[str, Labelled]],
    target: float,
    by: Actor,
) -> CalibrationRow:
    refitted = [_again(label, result) for _, label in measured]
    report = {
        "is_own": result.is_own,
        "point": _point(result.point),
        "curve": [_point(point) for point in _thinned(curve(refitted))],
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


def _again(label: Labelled, result: Calibration) -> Labelled:
    clipped = min(max(label.confidence, 1e-9), 1 - 1e-9)
    logit = result.slope * math.log(clipped / (1 - clipped)) + result.intercept
    return dataclasses.replace(label, confidence=1 / (1 + math.exp(-logit)))


def _thinned(points: Sequence[Point], most: int = 200) -> Sequence[Point]:
    step = max(1, math.ceil(len(points) / most))
    return points[::step]


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
        slope=row.slope,
        intercept=row.intercept,
        answer=row.answer,
        menu=row.menu,
        by_category=row.by_category,
        target=row.target,
        labels=len(row.labels),
        point=PointView.model_validate(row.report["point"]),
        curve=tuple(PointView.model_validate(point) for point in row.report["curve"]),
        model=row.model,
        scorer=row.scorer,
        by=row.by,
        created_at=row.created_at,
    )
