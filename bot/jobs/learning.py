"""The knowledge base learns from use: gaps once a day, calibration once a week."""

from __future__ import annotations

from datetime import timedelta

from bot.jobs.recurring import Recurring
from core.conversations.queries import servicer_texts
from core.db import UnitOfWork
from knowledge.answerer import Answerer
from knowledge.calibrations import refit_if_taught
from knowledge.embedder import Embedder
from knowledge.gaps import MINING_TIMER
from knowledge.mining import mine


def rounds(uow: UnitOfWork, embedder: Embedder, answerer: Answerer) -> dict[str, Recurring]:
    async def mine_gaps() -> None:
        await mine(uow, embedder, servicer_texts)

    async def calibrate() -> None:
        await refit_if_taught(uow, answerer)

    return {
        MINING_TIMER: Recurring(timedelta(days=1), mine_gaps),
        "knowledge.calibration": Recurring(timedelta(days=7), calibrate),
    }
