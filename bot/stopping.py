"""Running until Ctrl-C or SIGTERM, then leaving within seconds and without a traceback."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

log = logging.getLogger(__name__)

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def run_until_stopped(work: Coroutine[Any, Any, None], patience_s: float) -> None:
    """Run to the end, or until a signal. What `work` raises is raised here.

    patience_s: what is not done by then is left to the next start, which is safe at any moment.
    """
    with suppress(KeyboardInterrupt):
        if asyncio.run(_until_stopped(work, patience_s)):
            _leave()


def _give_up() -> None:
    log.warning("Work did not end in time; it is left.", extra={"action": "process.gave_up"})
    _leave()


def _leave() -> None:
    """Everything is closed by now; freeing the models object by object takes seconds."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


async def _until_stopped(work: Coroutine[Any, Any, None], patience_s: float) -> bool:
    """True when a signal ended it."""
    task = asyncio.ensure_future(work)
    stopping = threading.Event()

    def stop() -> None:
        if stopping.is_set():
            return
        stopping.set()
        log.info("The process is stopping.", extra={"action": "process.stopping"})
        last_word = threading.Timer(patience_s, _give_up)
        last_word.daemon = True
        last_word.start()
        task.cancel()

    loop = asyncio.get_running_loop()
    for one in _SIGNALS:
        with suppress(NotImplementedError):  # Windows: KeyboardInterrupt does it
            loop.add_signal_handler(one, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
    finally:
        for one in _SIGNALS:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(one)
    return stopping.is_set()
