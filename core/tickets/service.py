"""Tickets: open, move along the state table, change, nudge, escalate. The only writer of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from core.customers.models import CustomerRow
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.events import TicketMoved, TicketNudged, TicketOpened, TicketUpdated
from core.fields import checked_fields
from core.ids import id_at
from core.settings.queries import get as setting
from core.settings.sections import Tickets
from core.sla.service import SlaStep
from core.tickets import assignment, categories, words
from core.tickets.access import By, key_of, locked, party_of, staff
from core.tickets.categories import TicketCategoryView
from core.tickets.models import TicketRow
from core.tickets.numbers import next_number
from core.tickets.record import Line, add_entry, promise, responded, saved, view
from core.tickets.states import UNRESOLVED, Action, next_state
from core.timers import service as timers
from core.views import FieldValue, Party, Priority, TicketSource, TicketState, TicketView

#: Timer that closes a resolved ticket; its key is the ticket's id.
CLOSE_TIMER: Final = "ticket.close"
EDITABLE: Final = ("title", "description", "priority", "category_id", "fields", "tags")
_MAX_TITLE, _MAX_TEXT = 200, 20_000
_PRIORITIES: Final = tuple(Priority)

#: Where a ticket comes from, by what its author is asked to fill in.
_ASKS_ALL: Final = frozenset({"session", "console", "api"})
_ASKS_PUBLIC: Final = frozenset({"h5", "bot"})

#: What an action means for the promises that were made.
_SLA: Final[Mapping[Action, SlaStep]] = {
    Action.AWAIT: SlaStep.PAUSED,
    Action.SUSPEND: SlaStep.PAUSED,
    Action.RESUME: SlaStep.RESUMED,
    Action.RESOLVE: SlaStep.RESOLVED,
    Action.CLOSE: SlaStep.RESOLVED,
    Action.REOPEN: SlaStep.REOPENED,
    Action.CANCEL: SlaStep.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class TicketDraft:
    """priority None: the category's. team_id / servicer_id None: routed."""

    title: str
    customer_id: str
    description: str = ""
    category_id: str | None = None
    priority: Priority | None = None
    source: TicketSource = "console"
    session_id: str | None = None
    team_id: str | None = None
    servicer_id: str | None = None
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    tags: Sequence[str] = ()
    attachment_ids: Sequence[str] = ()


async def create(tx: Tx, draft: TicketDraft, *, by: By) -> TicketView:
    """Open a ticket, number it, promise deadlines and route it.

    Raises: NotFound for an unknown customer or category; Invalid; Forbidden.
    """
    party_of(by)
    customer = await tx.db.get(CustomerRow, draft.customer_id)
    if customer is None:
        raise NotFound(noun="customer", id=draft.customer_id)
    row = await _new_row(tx, draft, customer, by=by)
    tx.db.add(row)
    await tx.db.flush()
    await words.index(tx, row)
    line = Line("created", draft.description, True, None, draft.attachment_ids)
    await add_entry(tx, row, by, line)
    target = assignment.Target(draft.team_id, draft.servicer_id)
    routed = await assignment.route(tx, row, target)
    await promise(tx, row, SlaStep.OPENED)
    await tx.db.flush()
    tx.emit(TicketOpened(ticket=await view(tx, row)))
    if routed:
        await assignment.announce(tx, row, by=by)
    return await view(tx, row)


async def move(
    tx: Tx,
    ticket_id: str,
    action: Action,
    *,
    by: By,
    text: str = "",
    version: int | None = None,
) -> TicketView:
    """Move a ticket along its state table and record who did it. text: the customer sees it.

    Raises: NotFound, Forbidden; InvalidTransition when the table has no such row; Conflict when
    `version` is not the present one.
    """
    if action is Action.NUDGE:
        return await nudge(tx, ticket_id, by=by, text=text)
    if action is Action.ESCALATE:
        return await assignment.escalate(tx, ticket_id, by=by, reason=text)
    row = await locked(tx, ticket_id, by=by)
    if version is not None:
        await _same_version(tx, row, version, {"action": action.value})
    before = TicketState(row.state)
    target = next_state(before, action, party_of(by))
    await _check_reopen(tx, row, action)
    row.state = target
    _stamp(tx, row, action, by=by)
    await _timers(tx, row)
    if text or action is Action.RESOLVE:
        responded(tx, row, by)
    for step in _steps(action, before, party_of(by), has_text=bool(text)):
        await promise(tx, row, step)
    facts = {"action": action.value, "from": before.value, "to": target.value}
    await add_entry(tx, row, by, Line("moved", text, True, facts))
    result = await saved(tx, row)
    event = TicketMoved(
        ticket=result, action=action, before=before, party=party_of(by), by=by.name, text=text
    )
    tx.emit(event)
    return result


async def change(
    tx: Tx, ticket_id: str, changes: Mapping[str, object], *, version: int, by: By
) -> TicketView:
    """Change editable fields. A change to what it is already emits nothing.

    Raises: Conflict with `current` (the ticket as it is) and `yours`; Invalid; Forbidden.
    """
    staff(by)
    row = await locked(tx, ticket_id, by=by)
    await _same_version(tx, row, version, changes)
    unknown = [name for name in changes if name not in EDITABLE]
    if unknown:
        raise Invalid("not_editable", field=unknown[0])
    before = {name: getattr(row, name) for name in EDITABLE}
    await _apply(tx, row, changes)
    changed = tuple(name for name in EDITABLE if getattr(row, name) != before[name])
    if not changed:
        return await view(tx, row)
    facts = {
        name: f"{before[name]} → {getattr(row, name)}"
        for name in changed
        if name not in ("description", "fields")
    }
    if {"priority", "category_id"} & set(changed):
        await promise(tx, row, SlaStep.REMATCHED)
    await add_entry(tx, row, by, Line("changed", facts={"changed": ",".join(changed)} | facts))
    if {"title", "tags"} & set(changed):
        await words.index(tx, row)
    result = await saved(tx, row)
    tx.emit(TicketUpdated(ticket=result, changed=changed, by=by.name))
    return result


async def nudge(tx: Tx, ticket_id: str, *, by: By, text: str = "") -> TicketView:
    """催单. The priority rises one step, at most once per interval; every nudge is recorded.

    Raises: NotFound, Forbidden; InvalidTransition when nothing is owed any more.
    """
    row = await locked(tx, ticket_id, by=by)
    next_state(TicketState(row.state), Action.NUDGE, party_of(by))
    every = timedelta(seconds=(await setting(tx, Tickets)).nudge_every_s)
    has_effect = row.nudged_at is None or tx.now - row.nudged_at >= every
    row.nudges += 1
    if has_effect:
        row.nudged_at = tx.now
        row.priority = raised(Priority(row.priority))
        await promise(tx, row, SlaStep.REMATCHED)
    facts = {"effect": str(has_effect).lower(), "priority": row.priority}
    await add_entry(tx, row, by, Line("nudged", text, True, facts))
    result = await saved(tx, row)
    tx.emit(TicketNudged(ticket=result, party=party_of(by), has_effect=has_effect))
    return result


def raised(priority: Priority) -> Priority:
    """One step up; urgent stays urgent."""
    return _PRIORITIES[min(_PRIORITIES.index(priority) + 1, len(_PRIORITIES) - 1)]


async def _new_row(tx: Tx, draft: TicketDraft, customer: CustomerRow, *, by: By) -> TicketRow:
    category = await categories.get(tx, draft.category_id) if draft.category_id else None
    usual = category.default_priority if category else Priority.NORMAL
    row = TicketRow(
        id=id_at(tx.now),
        number=await next_number(tx),
        title=_title(draft.title),
        description=_text(draft.description),
        state=TicketState.NEW,
        priority=draft.priority or usual,
        source=draft.source,
        category_id=draft.category_id,
        customer_id=customer.id,
        institution_id=customer.institution_id,
        session_id=draft.session_id,
        fields=_first_fields(category, draft),
        tags=_tags(list(draft.tags)),
        created_at=tx.now,
        created_by=key_of(by),
        updated_at=tx.now,
        version=1,
    )
    row.nudges = row.reopens = row.escalation_level = 0
    row.is_breached, row.assigned_because = False, ""
    return row


def _first_fields(
    category: TicketCategoryView | None, draft: TicketDraft
) -> dict[str, FieldValue]:
    """What was given over what the category's first template begins with.

    Nobody is refused for what they were not asked: customers see public fields only, and a button
    in the app asks nothing.
    """
    specs = category.fields if category else ()
    usual = category.templates[0].fields if category and category.templates else {}
    if draft.source not in _ASKS_ALL:
        asks_public = draft.source in _ASKS_PUBLIC
        specs = tuple(
            spec.model_copy(
                update={"is_required": spec.is_required and spec.is_public and asks_public}
            )
            for spec in specs
        )
    return checked_fields(specs, {**usual, **draft.fields})


async def _check_reopen(tx: Tx, row: TicketRow, action: Action) -> None:
    if action is not Action.REOPEN or row.closed_at is None:
        return
    within = timedelta(seconds=(await setting(tx, Tickets)).reopen_within_s)
    if tx.now - row.closed_at > within:
        raise Conflict("reopen_too_late", closed_at=row.closed_at.isoformat())


def _stamp(tx: Tx, row: TicketRow, action: Action, *, by: By) -> None:
    """Moments of the ticket's life, dated by the event."""
    match action:
        case Action.ACCEPT:
            row.accepted_at = row.accepted_at or tx.now
            row.servicer_id = row.servicer_id or staff(by).servicer_id
        case Action.RESOLVE:
            row.resolved_at = tx.now
            row.first_resolved_at = row.first_resolved_at or tx.now
        case Action.CONFIRM | Action.CLOSE | Action.CANCEL:
            row.closed_at = tx.now
        case Action.REOPEN:
            row.resolved_at = row.closed_at = None
            row.reopens += 1
        case _:
            pass


def _steps(
    action: Action, before: TicketState, party: Party, *, has_text: bool
) -> tuple[SlaStep, ...]:
    """What an action means for the promises, in the order in which it is recorded."""
    steps = [_SLA[action]] if action in _SLA else []
    if action is Action.CLOSE and before not in UNRESOLVED:
        steps = []
    if party in (Party.SERVICER, Party.SUPERVISOR) and has_text:
        steps.insert(0, SlaStep.RESPONDED)
    if party is Party.CUSTOMER and action in (Action.REOPEN, Action.RESUME):
        steps.append(SlaStep.ASKED)
    return tuple(steps)


async def _timers(tx: Tx, row: TicketRow) -> None:
    """A resolved ticket closes itself after a while; any other move calls that off."""
    after = (await setting(tx, Tickets)).auto_close_s
    if row.state == TicketState.RESOLVED and after:
        await timers.set_timer(tx, CLOSE_TIMER, row.id, tx.now + timedelta(seconds=after))
    else:
        await timers.cancel(tx, CLOSE_TIMER, row.id)


async def _apply(tx: Tx, row: TicketRow, changes: Mapping[str, object]) -> None:
    setters: dict[str, Callable[[object], object]] = {
        "title": _title,
        "description": _text,
        "priority": _priority,
        "tags": _tags,
    }
    for name, setter in setters.items():
        if name in changes:
            setattr(row, name, setter(changes[name]))
    if not {"category_id", "fields"} & set(changes):
        return
    category_id = changes.get("category_id", row.category_id)
    if category_id is not None and not isinstance(category_id, str):
        raise Invalid("bad_value", field="category_id")
    specs = (await categories.get(tx, category_id)).fields if category_id else ()
    values = changes.get("fields", row.fields)
    if not isinstance(values, Mapping):
        raise Invalid("bad_value", field="fields")
    if "fields" not in changes:
        values = {key: values[key] for key in values if key in {spec.key for spec in specs}}
    row.category_id, row.fields = category_id, checked_fields(specs, values)


async def _same_version(tx: Tx, row: TicketRow, version: int, yours: Mapping[str, object]) -> None:
    if row.version != version:
        current = (await view(tx, row)).model_dump(mode="json")
        raise Conflict(version=row.version, current=current, yours=dict(yours))


def _title(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not 1 <= len(text) <= _MAX_TITLE:
        raise Invalid("bad_length", field="title", max=_MAX_TITLE)
    return text


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise Invalid("bad_length", field="description", max=_MAX_TEXT)
    return value.strip()


def _priority(value: object) -> Priority:
    if value not in _PRIORITIES:
        raise Invalid("bad_value", field="priority")
    return Priority(str(value))


def _tags(value: object) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > 20:
        raise Invalid("bad_value", field="tags")
    return sorted({str(tag).strip()[:32] for tag in value} - {""})
