"""Logging: text for people in development, one JSON object a line in production."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, Final

from typing_extensions import override

from bot.config import LogSettings

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_QUIET: Final = (
    "aiohttp.access",
    "aiosqlite",
    "alembic",
    "faiss.loader",
    "httpx",
    "telegram",
)


def set_up(settings: LogSettings) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if settings.is_json else TextLines())
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s  %(message)s", "%H:%M:%S")

    @override
    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{name}={value}" for name, value in _extra(record).items())
        first, *rest = super().format(record).split("\n")
        return "\n".join([f"{first}  {facts}".rstrip(), *rest])


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
