"""SLA policies and clocks as they leave the core."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from core.views import View


class Measure(StrEnum):
    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    VOID = "void"


EscalateTo = Literal["servicer", "leader", "supervisor"]


class SlaConditions(View):
    """An empty list means any; all lists must hold."""

    contract_levels: tuple[str, ...] = ()
    category_ids: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    team_ids: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    institution_ids: tuple[str, ...] = ()


class SlaTargets(View):
    """Working seconds; None: not promised."""

    first_response_s: int | None = Field(None, ge=1, le=366 * 86400)
    next_response_s: int | None = Field(None, ge=1, le=366 * 86400)
    resolution_s: int | None = Field(None, ge=1, le=366 * 86400)

    def of(self, measure: Measure) -> int | None:
        value: int | None = getattr(self, f"{measure}_s")
        return value


class ChainStep(View):
    """after_s: working seconds after the breach."""

    after_s: int = Field(ge=0, le=30 * 86400)
    to: EscalateTo


class SlaPolicyView(View):
    id: str
    name: str
    position: int
    is_active: bool
    calendar_id: str | None
    conditions: SlaConditions
    targets: SlaTargets
    warn_percent: int
    warn_before_s: int
    chain: tuple[ChainStep, ...]
    version: int


class SlaClockView(View):
    """used_s: working seconds so far; left_s: until the deadline, negative past it."""

    measure: Measure
    round: int
    policy_id: str
    policy_name: str
    state: ClockState
    target_s: int
    used_s: int
    left_s: int
    started_at: datetime
    due_at: datetime | None
    warned_at: datetime | None
    breached_at: datetime | None
    ended_at: datetime | None
