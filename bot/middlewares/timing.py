"""One log line and one measurement per update."""

from __future__ import annotations

import logging
import time

from prometheus_client import Histogram

from bot.context import Context
from bot.middlewares.base import Next
from channels.update import Update

log = logging.getLogger(__name__)

_SECONDS = Histogram("wenqu_update_seconds", "Handling of one update", ["type"])


async def timing(update: Update, ctx: Context, inner: Next) -> None:
    started = time.perf_counter()
    await inner(update, ctx)
    elapsed = time.perf_counter() - started
    _SECONDS.labels(update.type).observe(elapsed)
    log.debug(
        "An update was handled.",
        extra={"action": "update.handled", "elapsed_ms": round(elapsed * 1000, 1), **ctx.log},
    )
