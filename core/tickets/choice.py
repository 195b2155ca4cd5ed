"""Which member of a team gets the next ticket: pure choice by the team's strategy."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member as the choice sees it.

    skill_gap: levels that are missing of what the category asks for. skill: sum of the levels in
    it. last_assigned_at: their place in the team's ring.
    """

    servicer_id: str
    name: str
    open_tickets: int
    skill_gap: int
    last_assigned_at: datetime
    skill: int = 0

    @property
    def waited(self) -> float:
        """The smaller, the longer without a new one."""
        return self.last_assigned_at.timestamp()

    @property
    def load_words(self) -> str:
        return f"待办 {self.open_tickets} 张最少"


@dataclass(frozen=True, slots=True)
class Strategy:
    """rank: the smallest is chosen. because: why, in words that the desk shows."""

    rank: Callable[[Candidate], tuple[Any, ...]]
    because: Callable[[Candidate], str]


#: Whoever lacks the least of the skills comes first, whatever the strategy.
STRATEGIES: Final[dict[str, Strategy]] = {
    "least_busy": Strategy(
        lambda one: (one.skill_gap, one.open_tickets, one.waited, one.servicer_id),
        lambda one: one.load_words,
    ),
    "round_robin": Strategy(
        lambda one: (one.skill_gap, one.waited, one.servicer_id),
        lambda _: "轮流分配",
    ),
    "skill": Strategy(
        lambda one: (one.skill_gap, -one.skill, one.open_tickets, one.waited, one.servicer_id),
        lambda one: f"技能等级最高（{one.skill}）" if one.skill else one.load_words,
    ),
}


def choose(candidates: Collection[Candidate], strategy: str = "least_busy") -> Candidate | None:
    """The member who comes first by the strategy; None where nobody is there."""
    return min(candidates, key=_strategy(strategy).rank, default=None)


def because(chosen: Candidate, strategy: str) -> str:
    return _strategy(strategy).because(chosen)


def _strategy(name: str) -> Strategy:
    return STRATEGIES.get(name, STRATEGIES["least_busy"])
