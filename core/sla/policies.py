"""Policies: the only writer, reads, and which one holds for a ticket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from core.actor import Actor
from core.audit import service as audit
from core.calendars.service import rules_changed
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.ids import new_id
from core.permissions import Permission
from core.sla.models import SlaPolicyRow
from core.sla.views import ChainStep, SlaConditions, SlaPolicyView, SlaTargets


@dataclass(frozen=True, slots=True)
class Facts:
    """What policies look at. category_ids: the category and those above it."""

    ticket_id: str
    created_at: datetime
    priority: str
    category_ids: tuple[str, ...] = ()
    team_id: str | None = None
    team_calendar_id: str | None = None
    institution_id: str | None = None
    contract_level: str = ""
    source: str = ""
    #: Whether time counts now; a promise made in a pause begins paused.
    is_running: bool = True


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """chain: steps in any order; they are kept by time."""

    name: str
    targets: SlaTargets
    conditions: SlaConditions = field(default_factory=SlaConditions)
    position: int = 100
    is_active: bool = True
    calendar_id: str | None = None
    warn_percent: int = 80
    warn_before_s: int = 0
    chain: tuple[ChainStep, ...] = ()


def matches(conditions: SlaConditions, facts: Facts) -> bool:
    """Whether every list that says something holds."""
    found: tuple[tuple[tuple[str, ...], Iterable[str]], ...] = (
        (conditions.contract_levels, (facts.contract_level,)),
        (conditions.category_ids, facts.category_ids),
        (conditions.priorities, (facts.priority,)),
        (conditions.team_ids, (facts.team_id or "",)),
        (conditions.sources, (facts.source,)),
        (conditions.institution_ids, (facts.institution_id or "",)),
    )
    return all(not wanted or set(wanted) & set(have) for wanted, have in found)


async def policy_for(tx: Tx, facts: Facts) -> SlaPolicyView | None:
    """The first active policy, by position, whose conditions hold."""
    active = (policy for policy in await list_policies(tx) if policy.is_active)
    return next((policy for policy in active if matches(policy.conditions, facts)), None)


async def list_policies(tx: Tx) -> tuple[SlaPolicyView, ...]:
    """In the order in which they are tried."""
    order = (SlaPolicyRow.position, SlaPolicyRow.created_at, SlaPolicyRow.id)
    return tuple(
        policy_view(row) for row in await tx.db.scalars(select(SlaPolicyRow).order_by(*order))
    )


async def get(tx: Tx, policy_id: str) -> SlaPolicyView:
    """Raises: NotFound."""
    return policy_view(await _row(tx, policy_id))


async def create(tx: Tx, draft: PolicyDraft, *, by: Actor) -> SlaPolicyView:
    by.require(Permission.SLA_MANAGE)
    row = SlaPolicyRow(id=new_id(), created_at=tx.now, version=1, **_columns(draft))
    tx.db.add(row)
    await rules_changed(tx)
    await audit.append(tx, by=by, action="sla_policy.created", target=row.id)
    return policy_view(row)


async def change(
    tx: Tx, policy_id: str, draft: PolicyDraft, *, version: int, by: Actor
) -> SlaPolicyView:
    """Open deadlines are computed anew soon after, in steps.

    Raises: NotFound; Invalid; Conflict when somebody changed it first.
    """
    by.require(Permission.SLA_MANAGE)
    row = await _row(tx, policy_id)
    if row.version != version:
        raise Conflict(version=row.version)
    for name, value in _columns(draft).items():
        setattr(row, name, value)
    row.version = version + 1
    await rules_changed(tx)
    await audit.append(tx, by=by, action="sla_policy.changed", target=row.id)
    return policy_view(row)


async def _row(tx: Tx, policy_id: str) -> SlaPolicyRow:
    row = await tx.db.get(SlaPolicyRow, policy_id)
    if row is None:
        raise NotFound(noun="sla_policy", id=policy_id)
    return row


def _columns(draft: PolicyDraft) -> dict[str, Any]:
    if not draft.name.strip():
        raise Invalid("required", field="name")
    if not 1 <= draft.warn_percent <= 100:
        raise Invalid("bad_percent", field="warn_percent")
    if not any(draft.targets.model_dump().values()):
        raise Invalid("required", field="targets")
    steps = sorted(draft.chain, key=lambda step: step.after_s)
    return {
        "name": draft.name.strip(),
        "position": draft.position,
        "is_active": draft.is_active,
        "calendar_id": draft.calendar_id,
        "conditions": draft.conditions.model_dump(mode="json"),
        "targets": draft.targets.model_dump(mode="json"),
        "warn_percent": draft.warn_percent,
        "warn_before_s": draft.warn_before_s,
        "chain": [step.model_dump(mode="json") for step in steps],
    }


def policy_view(row: SlaPolicyRow) -> SlaPolicyView:
    return SlaPolicyView(
        id=row.id,
        name=row.name,
        position=row.position,
        is_active=row.is_active,
        calendar_id=row.calendar_id,
        conditions=SlaConditions.model_validate(row.conditions),
        targets=SlaTargets.model_validate(row.targets),
        warn_percent=row.warn_percent,
        warn_before_s=row.warn_before_s,
        chain=tuple(ChainStep.model_validate(step) for step in row.chain),
        version=row.version,
    )
