"""Who gets the next session: pure choice among people who may have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A servicer who is there, permitted, accepting and below their limit."""

    servicer_id: str
    name: str
    open_sessions: int
    capacity: int
    idle_since: datetime | None

    @property
    def load(self) -> float:
        """Share of their own limit that is in use, 0…1."""
        return self.open_sessions / self.capacity


@dataclass(frozen=True, slots=True)
class Choice:
    """because: why this person, in words that the desk shows."""

    servicer_id: str
    because: str


def least_busy(candidates: Sequence[Candidate]) -> Choice | None:
    """Fewest open ÷ limit; a tie goes to whoever has been idle longest."""
    if not candidates:
        return None
    best = min(
        candidates, key=lambda one: (one.load, one.idle_since or _LONG_AGO, one.servicer_id)
    )
    tied = sum(1 for one in candidates if one.load == best.load)
    because = f"负载最低（{best.open_sessions}/{best.capacity}）"
    return Choice(best.servicer_id, because + ("、空闲最久" if tied > 1 else ""))
