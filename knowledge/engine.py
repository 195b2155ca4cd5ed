"""The parts of retrieval that editors and calibrations replace while the process runs."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select

from core.db import Tx
from knowledge.embedder import Embedder
from knowledge.gates import Gates
from knowledge.models import CalibrationRow
from knowledge.retriever import Retriever, Thresholds
from knowledge.scorer import Scorer
from knowledge.synonym_table import load_synonyms
from knowledge.synonyms import Synonyms

log = logging.getLogger(__name__)

#: Key of the event by which every process learns of another calibration.
CALIBRATION_KEY: Final = "knowledge.calibration"


@dataclass(frozen=True, slots=True)
class Engine:
    """calibration_id: the calibration in force, None for the shipped one.

    correction: its slope and intercept over the shipped scorer's log-odds.
    """

    synonyms: Synonyms
    scorer: Scorer
    gates: Gates
    thresholds: Thresholds
    calibration_id: str | None = None
    correction: tuple[float, float] = (1.0, 0.0)

    @classmethod
    def shipped(cls) -> Engine:
        return cls(Synonyms.shipped(), Scorer.shipped(), Gates.shipped(), Thresholds())

    def uncorrected(self, confidence: float) -> float:
        """What the shipped scorer said, before this base's own calibration."""
        slope, intercept = self.correction
        clipped = min(max(confidence, 1e-12), 1 - 1e-12)
        logit = (math.log(clipped / (1 - clipped)) - intercept) / slope
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))

    def retriever(self, embedder: Embedder) -> Retriever:
        return Retriever(embedder, synonyms=self.synonyms, scorer=self.scorer, gates=self.gates)


async def load_engine(tx: Tx) -> Engine:
    """What the database says is in force, over what is shipped."""
    shipped = Engine.shipped()
    engine = replace(shipped, synonyms=await load_synonyms(tx))
    row = await tx.db.scalar(select(CalibrationRow).where(CalibrationRow.is_active))
    if row is None:
        return engine
    if row.scorer != shipped.scorer.version:
        log.warning(
            "The stored calibration belongs to other coefficients; the shipped one is in force.",
            extra={"action": "calibration.outdated", "calibration_id": row.id},
        )
        return engine
    return replace(
        engine,
        scorer=replace(shipped.scorer, slope=row.slope, intercept=row.intercept),
        thresholds=Thresholds(row.answer, row.menu, row.by_category),
        calibration_id=row.id,
        correction=(row.slope, row.intercept),
    )
