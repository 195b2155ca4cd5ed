"""The parts of retrieval that editors and calibrations replace while the process runs."""

from __future__ import annotations

from dataclasses import dataclass

from core.db import Tx
from knowledge.embedder import Embedder
from knowledge.gates import Gates
from knowledge.retriever import Retriever, Thresholds
from knowledge.scorer import Scorer
from knowledge.synonym_table import load_synonyms
from knowledge.synonyms import Synonyms


@dataclass(frozen=True, slots=True)
class Engine:
    """calibration_id: the calibration in force, None for the shipped one."""

    synonyms: Synonyms
    scorer: Scorer
    gates: Gates
    thresholds: Thresholds
    calibration_id: str | None = None

    @classmethod
    def shipped(cls) -> Engine:
        return cls(Synonyms.shipped(), Scorer.shipped(), Gates.shipped(), Thresholds())

    def retriever(self, embedder: Embedder) -> Retriever:
        return Retriever(embedder, synonyms=self.synonyms, scorer=self.scorer, gates=self.gates)


async def load_engine(tx: Tx) -> Engine:
    """What the database says is in force, over what is shipped."""
    shipped = Engine.shipped()
    return Engine(await load_synonyms(tx), shipped.scorer, shipped.gates, shipped.thresholds)
