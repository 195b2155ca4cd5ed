"""Fetching the OA's changes comes round, as often as the settings say."""

from __future__ import annotations

import logging
from datetime import timedelta

from core.db import UnitOfWork
from core.oa.pull import PULL_KEY, PULL_TIMER, pull
from core.ports import OaSource, SendFailure
from core.sealing import KeyRing
from core.settings.live import LiveSettings
from core.settings.oa import Oa
from core.timers import service as timers
from core.timers.service import Timer

log = logging.getLogger(__name__)


async def fetch(
    uow: UnitOfWork, live: LiveSettings, keys: KeyRing, source: OaSource, timer: Timer
) -> None:
    """What fails is noted for people and tried again when its turn comes."""
    try:
        await pull(uow, keys, source)
    except SendFailure as error:
        log.warning("The OA could not be read.", extra={"action": "oa.failed", "why": error.kind})
    async with uow.write() as tx:
        await timers.finish(tx, timer)
        due_at = tx.now + timedelta(seconds=live.get(Oa).pull_every_s)
        await timers.set_timer(tx, PULL_TIMER, PULL_KEY, due_at)


async def ensure(uow: UnitOfWork) -> None:
    """The first round begins at once; one that waits is left alone."""
    async with uow.write() as tx:
        if not await timers.is_set(tx, PULL_TIMER, PULL_KEY):
            await timers.set_timer(tx, PULL_TIMER, PULL_KEY, tx.now)
