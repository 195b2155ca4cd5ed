"""Text out of pictures: one short-lived process per picture, few at once, none for long."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import sys
from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter, ValidationError

from core.ports import refuse_inside_write_block

log = logging.getLogger(__name__)

OCR_COMMAND: Final = (sys.executable, "-m", "bot.pictures.ocr")
_AT_ONCE: Final = 2
_PATIENCE_S: Final = 20.0
_LINES: Final = TypeAdapter(tuple[str, ...])


def is_installed() -> bool:
    """Was the extra `ocr` installed?"""
    return importlib.util.find_spec("rapidocr") is not None


class PictureReader:
    """command: takes a picture on stdin, writes a JSON list of lines to stdout."""

    def __init__(
        self, command: Sequence[str] = OCR_COMMAND, *, patience_s: float = _PATIENCE_S
    ) -> None:
        self._command = tuple(command)
        self._patience_s = patience_s
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def read(self, data: bytes) -> tuple[str, ...]:
        """The lines of text in a picture, top to bottom; none when it cannot be read."""
        refuse_inside_write_block("Reading a picture")
        async with self._places:
            try:
                return _LINES.validate_json(await self._run(data))
            except (OSError, TimeoutError, ValidationError, json.JSONDecodeError) as error:
                log.warning(
                    "A picture was not read.",
                    extra={"action": "picture.unread", "reason": type(error).__name__},
                )
                return ()

    async def _run(self, data: bytes) -> bytes:
        """What the process wrote; it is gone when this returns, whatever happened."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(self._patience_s):
                written, _ = await process.communicate(data)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return written
