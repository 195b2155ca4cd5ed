"""Teams as they leave the core."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from core.views import Presence, ServiceMode, View

SubjectKind = Literal["customer", "institution"]
Rank = Literal["primary", "secondary"]


class Strategy(StrEnum):
    LEAST_BUSY = "least_busy"
    ROUND_ROBIN = "round_robin"
    SKILL = "skill"


class SkillLevelView(View):
    """level: 1 (beginner) … 5 (expert)."""

    skill_id: str
    name: str
    level: int


class MemberView(View):
    servicer_id: str
    name: str
    presence: Presence
    capacity: int
    open_sessions: int
    open_tickets: int = 0
    is_leader: bool
    skills: tuple[SkillLevelView, ...] = ()


class TeamView(View):
    id: str
    name: str
    about: str = ""
    leader_id: str | None
    leader_name: str = ""
    calendar_id: str | None
    strategy: Strategy
    mode: ServiceMode | None = None
    is_active: bool
    category_ids: tuple[str, ...] = ()
    member_ids: tuple[str, ...] = ()
    version: int


class SkillView(View):
    id: str
    name: str


class BindingView(View):
    """inherited_from: the institution whose binding holds because this subject has none."""

    id: str
    subject_kind: SubjectKind
    subject_id: str
    team_id: str
    team_name: str
    rank: Rank
    reason: str = ""
    created_at: datetime
    created_by: str
    ended_at: datetime | None = None
    inherited_from: str | None = None


class RecommendationView(View):
    """A team that would fit, and why in stable codes: scope, region, history, load."""

    team_id: str
    team_name: str
    score: float
    reasons: tuple[str, ...]
