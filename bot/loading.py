"""The articles are loaded before this process is ready; a model that is away is waited for."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import Final

from knowledge.answerer import Answerer
from knowledge.encoders import EncoderError

log = logging.getLogger(__name__)

#: Before a model that was away is asked again.
_AGAIN_S: Final = 10


async def load(answerer: Answerer) -> None:
    """Ready is who has also put aside what stays: looking it through stops the loop for 0.3 s."""
    while True:
        if await _is_loaded(answerer):
            break
        await asyncio.sleep(_AGAIN_S)
    gc.collect()
    gc.freeze()


async def _is_loaded(answerer: Answerer) -> bool:
    """A model that is away at the start must not keep people from serving."""
    try:
        await answerer.start()
    except (TimeoutError, EncoderError) as error:
        log.error(  # noqa: TRY400 - its reason says all
            "The articles could not be loaded; they are tried again.",
            extra={"action": "answerer.not_loaded", "reason": str(error)},
        )
        return False
    return True
