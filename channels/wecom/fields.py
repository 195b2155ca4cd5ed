"""Reading documents of the platform without trusting their shape."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

_MAX_ID = 120
_MAX_RAW = 4000


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON or XML object. What is missing or of another type reads as empty."""

    raw: Mapping[str, object]

    def text(self, name: str) -> str:
        value = self.raw.get(name)
        return str(value) if isinstance(value, str | int | float) else ""

    def optional_text(self, name: str) -> str | None:
        return self.text(name) or None

    def integer(self, name: str) -> int:
        number = self.decimal(name)
        return int(number)

    def decimal(self, name: str) -> float:
        try:
            number = float(self.text(name) or 0)
        except ValueError:
            return 0.0
        return number if math.isfinite(number) else 0.0

    def object(self, name: str) -> Fields:
        value = self.raw.get(name)
        return Fields(value if isinstance(value, dict) else {})

    def objects(self, name: str) -> list[Fields]:
        """A list of objects; XML gives a single one without the list."""
        value = self.raw.get(name)
        rows = value if isinstance(value, list) else [value]
        return [Fields(row) for row in rows if isinstance(row, dict)]

    def texts(self, name: str) -> list[str]:
        value = self.raw.get(name)
        rows = value if isinstance(value, list) else [value]
        return [row for row in rows if isinstance(row, str) and row]

    def moment(self, name: str) -> datetime:
        """Unix seconds as UTC; the epoch where they are missing or absurd."""
        try:
            return datetime.fromtimestamp(self.integer(name), UTC)
        except (ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(0, UTC)

    def as_json(self) -> str:
        """The object as JSON text, cut to 4,000 characters."""
        return json.dumps(self.raw, ensure_ascii=False, default=str)[:_MAX_RAW]


def stable_id(*parts: str) -> str:
    """A short id that is equal for equal parts: the parts themselves where they are short."""
    joined = ":".join(parts)
    if len(joined) <= _MAX_ID:
        return joined
    return hashlib.sha256(joined.encode()).hexdigest()
