"""Who gets the next session: pure choice among people who may have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class Candidate:
    """A servicer who is there, permitted, accepting and below their limit.

    skill: sum of their levels in the skills that are asked for. last_assigned_at: their
    place in the team's ring.
    """

    servicer_id: str
    name: str
    open_sessions: int
    capacity: int
    idle_since: datetime
    skill: int
    last_assigned_at: datetime

    @property
    def load(self) -> float:
        """Share of their own limit that is in use, 0…1."""
        return self.open_sessions / self.capacity


@dataclass(frozen=True, slots=True)
class Choice:
    """because: why this person, in words that the desk shows."""

    servicer_id: str
    because: str

    def also(self, reason: str) -> Choice:
        return replace(self, because=f"{reason}、{self.because}") if reason else self


def least_busy(candidates: Sequence[Candidate]) -> Choice | None:
    """Fewest open ÷ limit; a tie goes to whoever has been idle longest."""
    if not candidates:
        return None
    best = min(
        candidates,
        key=lambda one: (one.load, one.idle_since, one.servicer_id),
    )
    tied = sum(1 for one in candidates if one.load == best.load)
    because = f"负载最低（{best.open_sessions}/{best.capacity}）"
    return Choice(best.servicer_id, because + ("、空闲最久" if tied > 1 else ""))


def round_robin(candidates: Sequence[Candidate]) -> Choice | None:
    """Whoever the ring came to longest ago."""
    if not candidates:
        return None
    best = min(candidates, key=lambda one: (one.last_assigned_at, one.servicer_id))
    return Choice(best.servicer_id, "轮流分配")


def best_skilled(candidates: Sequence[Candidate]) -> Choice | None:
    """The highest level in what is asked for; among equals the least busy."""
    if not candidates:
        return None
    highest = max(one.skill for one in candidates)
    choice = least_busy([one for one in candidates if one.skill == highest])
    return choice.also(f"技能等级最高（{highest}）") if choice and highest else choice


STRATEGIES: Final[dict[str, Callable[[Sequence[Candidate]], Choice | None]]] = {
    "least_busy": least_busy,
    "round_robin": round_robin,
    "skill": best_skilled,
}


def last_one(candidates: Sequence[Candidate], servicer_id: str | None) -> Choice | None:
    """Whoever served this customer before, when they may take it."""
    for one in candidates:
        if one.servicer_id == servicer_id:
            return Choice(one.servicer_id, "上次由TA接待")
    return None
