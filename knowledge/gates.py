"""What must never reach retrieval: health red lines, a wish for a person, small talk."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

from knowledge.text import fold


class GateKind(StrEnum):
    REDLINE = "redline"
    """Fixed approved text, and people are alarmed. Stands whatever the base holds."""
    HUMAN = "human"
    MEDICAL = "medical"
    CHITCHAT = "chitchat"


@dataclass(frozen=True, slots=True)
class Gate:
    """One row of the gate table.

    text: the approved answer, empty where the bot's own wording serves.
    """

    name: str
    kind: GateKind
    text: str
    found: re.Pattern[str] | None
    whole: re.Pattern[str] | None
    unless: re.Pattern[str] | None

    def matches(self, folded: str) -> bool:
        if self.unless is not None and self.unless.search(folded):
            return False
        if self.found is not None and self.found.search(folded):
            return True
        return self.whole is not None and self.whole.fullmatch(_bare(folded)) is not None


@dataclass(frozen=True, slots=True)
class Gates:
    """The table in its order; the first gate that matches decides."""

    rows: tuple[Gate, ...]

    @classmethod
    def parse(cls, text: str) -> Gates:
        """Read the TOML form of data/gates.toml.

        Raises: ValueError (TOMLDecodeError, re.error among them) for a table that cannot be read.
        """
        try:
            return cls(tuple(_gate(row) for row in tomllib.loads(text).get("gate", ())))
        except (re.error, KeyError, TypeError) as error:
            raise ValueError(f"unreadable gate: {error}") from error

    @classmethod
    def shipped(cls) -> Gates:
        file = resources.files("knowledge") / "data" / "gates.toml"
        return cls.parse(file.read_text(encoding="utf-8"))

    def check(self, text: str) -> Gate | None:
        folded = fold(text)
        return next((gate for gate in self.rows if gate.matches(folded)), None)


_EDGES = re.compile(r"[^0-9a-z\u4e00-\u9fff+]+")


def _bare(folded: str) -> str:
    return _EDGES.sub("", folded)


def _gate(row: dict[str, object]) -> Gate:
    return Gate(
        name=str(row["name"]),
        kind=GateKind(str(row["kind"])),
        text=str(row.get("text", "")),
        found=_any_of(row.get("patterns")),
        whole=_any_of(row.get("whole")),
        unless=_any_of(row.get("unless")),
    )


def _any_of(patterns: object) -> re.Pattern[str] | None:
    if not isinstance(patterns, Sequence) or isinstance(patterns, str) or not patterns:
        return None
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
