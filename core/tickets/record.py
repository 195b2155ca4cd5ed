"""What every change of a ticket does beside its own: history, promises, the view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from core.customers.models import CustomerRow, InstitutionRow
from core.db import Base, Tx
from core.errors import NotFound
from core.servicers.models import ServicerRow
from core.sla import service as sla
from core.sla.policies import Facts
from core.sla.service import SlaStep
from core.teams.models import TeamRow
from core.tickets import categories
from core.tickets.access import By, key_of, party_of
from core.tickets.models import TicketCategoryRow, TicketEntryRow, TicketRow
from core.tickets.states import CLOCK_RUNS
from core.views import Party, TicketEntryView, TicketView

#: Columns of the row that a view carries as they are.
PLAIN = tuple(name for name in TicketView.model_fields if not name.endswith("_name"))
_NAMED: Final[
    tuple[
        tuple[type[CustomerRow | InstitutionRow | ServicerRow | TeamRow | TicketCategoryRow], str],
        ...,
    ]
] = (
    (TicketCategoryRow, "category_id"),
    (CustomerRow, "customer_id"),
    (InstitutionRow, "institution_id"),
    (TeamRow, "team_id"),
    (ServicerRow, "servicer_id"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """What is written into the history. at None: it happens now."""

    kind: str
    text: str = ""
    is_public: bool = False
    facts: Mapping[str, str] | None = None
    attachment_ids: Sequence[str] = ()
    at: datetime | None = None


async def add_entry(tx: Tx, row: TicketRow, by: By, line: Line) -> TicketEntryView:
    entry = write_line(tx, row, by, line)
    await tx.db.flush()
    return entry_view(entry)


def write_line(tx: Tx, row: TicketRow, by: By, line: Line) -> TicketEntryRow:
    """The same without waiting: whoever changes many tickets flushes once."""
    entry = TicketEntryRow(
        ticket_id=row.id,
        kind=line.kind,
        at=line.at or tx.now,
        party=party_of(by),
        author_id=key_of(by),
        author_name=by.name,
        is_public=line.is_public,
        text=line.text,
        facts=dict(line.facts or {}),
        attachment_ids=list(line.attachment_ids),
    )
    tx.db.add(entry)
    return entry


async def promise(tx: Tx, row: TicketRow, step: SlaStep) -> None:
    """Tell the SLA clocks, and keep the nearest deadline on the ticket."""
    summary = await sla.record(tx, await facts_of(tx, row), step, tx.now)
    row.due_at, row.is_breached = summary.due_at, summary.is_breached


def responded(tx: Tx, row: TicketRow, by: By) -> bool:
    """Whether this is an answer by a person; the first one is noted on the ticket."""
    if party_of(by) not in (Party.SERVICER, Party.SUPERVISOR):
        return False
    row.first_response_at = row.first_response_at or tx.now
    return True


async def saved(tx: Tx, row: TicketRow) -> TicketView:
    """Count the change, write it, and show what the ticket is now."""
    touch(tx, row)
    await tx.db.flush()
    return await view(tx, row)


def touch(tx: Tx, row: TicketRow) -> None:
    """Count a change; others who began before it will be told of a conflict."""
    row.version += 1
    row.updated_at = tx.now


async def facts_of(tx: Tx, row: TicketRow) -> Facts:
    """What SLA policies look at."""
    team = await tx.db.get(TeamRow, row.team_id) if row.team_id else None
    place = await tx.db.get(InstitutionRow, row.institution_id) if row.institution_id else None
    return Facts(
        ticket_id=row.id,
        created_at=row.created_at,
        priority=row.priority,
        category_ids=await categories.with_ancestors(tx, row.category_id),
        team_id=row.team_id,
        team_calendar_id=team.calendar_id if team else None,
        institution_id=row.institution_id,
        contract_level=place.contract_level if place else "",
        source=row.source,
        is_running=row.state in CLOCK_RUNS,
    )


async def view(tx: Tx, row: TicketRow) -> TicketView:
    return make_view(
        row,
        {
            "category_name": await _name(tx, TicketCategoryRow, row.category_id),
            "customer_name": await _name(tx, CustomerRow, row.customer_id),
            "institution_name": await _name(tx, InstitutionRow, row.institution_id),
            "team_name": await _name(tx, TeamRow, row.team_id),
            "servicer_name": await _name(tx, ServicerRow, row.servicer_id),
        },
    )


def make_view(row: TicketRow, names: Mapping[str, str]) -> TicketView:
    return TicketView.model_validate({key: getattr(row, key) for key in PLAIN} | dict(names))


async def related_rows(tx: Tx, rows: Sequence[TicketRow]) -> list[Base]:
    """What views of these tickets name, read at once. Keep the result while views are made.

    `view` finds them in SQLAlchemy's identity map, which forgets what nobody keeps.
    """
    found: list[Base] = []
    for table, key in _NAMED:
        ids = {getattr(row, key) for row in rows} - {None}
        if ids:
            found += await tx.db.scalars(select(table).where(table.id.in_(ids)))
    return found


def entry_view(row: TicketEntryRow) -> TicketEntryView:
    return TicketEntryView.model_validate(
        {
            name: getattr(row, name)
            for name in TicketEntryView.model_fields
            if name != "attachment_names"
        }
    )


async def require_servicer(tx: Tx, servicer_id: str) -> ServicerRow:
    row = await tx.db.get(ServicerRow, servicer_id)
    if row is None:
        raise NotFound(noun="servicer", id=servicer_id)
    return row


async def _name(tx: Tx, table: type[Base], key: str | None) -> str:
    found = await tx.db.get(table, key) if key else None
    return str(getattr(found, "name", ""))
