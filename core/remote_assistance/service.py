"""Remote assistance (M5.13): asked in words that are kept, agreed, begun, ended with a result."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from core.actor import Actor
from core.audit import service as audit
from core.clock import LOCAL_ZONE
from core.conversations.threads import hold_thread
from core.db import Tx
from core.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from core.events import TicketUpdated
from core.ids import new_id
from core.remote_assistance import consent
from core.remote_assistance.consent import CONSENT_LASTS
from core.remote_assistance.models import RemoteAssistanceRow, VpnProfileRow
from core.remote_assistance.states import OPEN, TOOL_NAMES, RemoteState, RemoteTool
from core.servicers.models import ServicerRow
from core.tickets import queries
from core.tickets.access import By, CustomerActor, locked, staff
from core.tickets.customer_page import conversation_of
from core.tickets.models import TicketRow
from core.tickets.record import Line, add_entry
from core.tickets.record import view as ticket_view
from core.tickets.states import FINAL
from core.views import TicketState, View

_MAX_NAME = 64


class RemoteAssistanceView(View):
    id: str
    ticket_id: str
    servicer_id: str
    servicer_name: str
    tool: RemoteTool
    vpn_profile_id: str | None
    vpn_profile_name: str
    purpose: str
    state: RemoteState
    consent_text: str
    asked_at: datetime
    answered_at: datetime | None
    answered_by: str
    started_at: datetime | None
    ended_at: datetime | None
    duration_s: int | None
    result: str


@dataclass(frozen=True, slots=True)
class Request:
    tool: RemoteTool
    purpose: str
    vpn_profile_id: str | None = None


async def ask(tx: Tx, ticket_id: str, request: Request, *, by: By) -> RemoteAssistanceView:
    """Ask the customer for consent, in the chat in which they wrote last.

    Raises: NotFound, Forbidden, Invalid; Conflict when one is open already.
    """
    actor = staff(by)
    ticket = await queries.get(tx, ticket_id, by=by)
    conversation_id = await conversation_of(tx, ticket)
    if conversation_id is not None:
        await hold_thread(tx, conversation_id)  # before the ticket, as in the customer's turn
    row = await locked(tx, ticket_id, by=by)
    if actor.servicer_id is None:
        raise Forbidden("not_a_servicer")
    await _check(tx, row, request)
    made = RemoteAssistanceRow(
        id=new_id(),
        ticket_id=ticket_id,
        servicer_id=actor.servicer_id,
        tool=request.tool,
        vpn_profile_id=request.vpn_profile_id,
        purpose=request.purpose.strip(),
        state=RemoteState.ASKED,
        asked_at=tx.now,
        consent_text=consent_text(actor.name, request),
        answered_by="",
        result="",
    )
    tx.db.add(made)
    await tx.db.flush()
    facts = {"id": made.id, "tool": made.tool}
    await add_entry(tx, row, by, Line("remote_asked", made.consent_text, True, facts))
    await _announce(tx, row, by)
    if conversation_id is not None:
        with suppress(Conflict):  # the platform's client has the session: people ask there
            await consent.send(tx, conversation_id, made.id, made.consent_text)
    return await _view(tx, made)


async def answer(
    tx: Tx, assistance_id: str, *, agrees: bool, by: CustomerActor
) -> RemoteAssistanceView:
    """The customer's answer. A second answer changes nothing.

    Raises: NotFound for somebody else's; Conflict `consent_expired`.
    """
    made = await _get(tx, assistance_id)
    row = await locked(tx, made.ticket_id, by=by)
    if made.state != RemoteState.ASKED:
        return await _view(tx, made)
    if tx.now - made.asked_at > CONSENT_LASTS:
        raise Conflict("consent_expired")
    made.state = RemoteState.AGREED if agrees else RemoteState.REFUSED
    made.answered_at, made.answered_by = tx.now, by.name
    await add_entry(tx, row, by, Line(f"remote_{made.state}", "", True, {"id": made.id}))
    await _announce(tx, row, by)
    return await _view(tx, made)


async def record_oral(
    tx: Tx, assistance_id: str, given_by: str, *, by: By, given_at: datetime | None = None
) -> RemoteAssistanceView:
    """The customer agreed on the telephone: who, when, and who of us wrote it down.

    Raises: Forbidden for another's request; Invalid; InvalidTransition when it was answered.
    """
    actor = staff(by)
    made = await _own(tx, assistance_id, by=by)
    row = await locked(tx, made.ticket_id, by=by)
    if made.state != RemoteState.ASKED:
        raise InvalidTransition(state=made.state, action="agree")
    who, at = given_by.strip(), given_at or tx.now
    if not 1 <= len(who) <= _MAX_NAME:
        raise Invalid("bad_length", field="given_by", max=_MAX_NAME)
    if not tx.now - CONSENT_LASTS <= at <= tx.now:
        raise Invalid("bad_value", field="given_at")
    made.state, made.answered_at = RemoteState.AGREED, at
    made.answered_by = f"{who}（口头，{actor.name} 记录）"
    facts = {"id": made.id, "given_by": who, "given_at": at.isoformat(), "oral": "true"}
    told = at.astimezone(LOCAL_ZONE).strftime("%m-%d %H:%M")
    said = f"{who} 于 {told} 口头同意，{actor.name} 记录"
    await add_entry(tx, row, by, Line("remote_agreed", said, True, facts))
    await audit.append(tx, by=actor, action="remote.oral_consent", target=made.id, facts=facts)
    await _announce(tx, row, by)
    return await _view(tx, made)


async def unanswered(tx: Tx, ticket_id: str) -> tuple[RemoteAssistanceView, ...]:
    """What a customer can still agree to, on the page of their ticket."""
    found = await of_ticket(tx, ticket_id)
    return tuple(one for one in found if one.state is RemoteState.ASKED)


async def start(tx: Tx, assistance_id: str, *, by: By) -> RemoteAssistanceView:
    """Begin; only what was agreed within a day. Raises: InvalidTransition; Forbidden."""
    made = await _own(tx, assistance_id, by=by)
    row = await locked(tx, made.ticket_id, by=by)
    is_fresh = made.answered_at is not None and tx.now - made.answered_at <= CONSENT_LASTS
    if made.state != RemoteState.AGREED or not is_fresh:
        raise InvalidTransition(state=made.state, action="start")
    made.state, made.started_at = RemoteState.RUNNING, tx.now
    await add_entry(tx, row, by, Line("remote_started", "", True, {"id": made.id}))
    await _announce(tx, row, by)
    return await _view(tx, made)


async def end(tx: Tx, assistance_id: str, result: str, *, by: By) -> RemoteAssistanceView:
    """End with what was done; also withdraws a request that nobody answered."""
    made = await _own(tx, assistance_id, by=by)
    row = await locked(tx, made.ticket_id, by=by)
    if made.state not in OPEN:
        raise InvalidTransition(state=made.state, action="end")
    was_running = made.state == RemoteState.RUNNING
    if was_running and not result.strip():
        raise Invalid("required", field="result")
    made.state = RemoteState.ENDED if was_running else RemoteState.EXPIRED
    made.ended_at, made.result = tx.now, result.strip()
    facts = {"id": made.id, "duration_s": str(_duration_s(made) or 0)}
    await add_entry(tx, row, by, Line(f"remote_{made.state}", made.result, was_running, facts))
    await _announce(tx, row, by)
    return await _view(tx, made)


async def of_ticket(tx: Tx, ticket_id: str) -> tuple[RemoteAssistanceView, ...]:
    """Newest first; requests that were never answered appear as expired."""
    query = select(RemoteAssistanceRow).where(RemoteAssistanceRow.ticket_id == ticket_id)
    rows = await tx.db.scalars(query.order_by(RemoteAssistanceRow.asked_at.desc()))
    return tuple([await _view(tx, row) for row in rows])


def consent_text(servicer: str, request: Request) -> str:
    """What the customer reads before agreeing; stored with the answer."""
    return (
        f"客服 {servicer} 申请远程协助您的电脑（方式：{TOOL_NAMES[request.tool]}）。\n"
        f"目的：{request.purpose.strip()}\n"
        "协助期间请您在场并关闭无关窗口，您可随时终止。全过程的起止时间与结果会被记录。是否同意？"
    )


async def _check(tx: Tx, row: TicketRow, request: Request) -> None:
    if TicketState(row.state) in FINAL:
        raise Conflict("ticket_closed", state=row.state)
    if not 1 <= len(request.purpose.strip()) <= 1000:
        raise Invalid("required", field="purpose")
    if request.vpn_profile_id is not None:
        profile = await tx.db.get(VpnProfileRow, request.vpn_profile_id)
        if profile is None or profile.retired_at is not None:
            raise NotFound(noun="vpn_profile", id=request.vpn_profile_id)
        if profile.institution_id != row.institution_id:
            raise Invalid("other_institution", field="vpn_profile_id")
    if any(one.state in OPEN for one in await of_ticket(tx, row.id)):
        raise Conflict("remote_assistance_open")


async def _announce(tx: Tx, row: TicketRow, by: By) -> None:
    ticket = await ticket_view(tx, row)
    tx.emit(TicketUpdated(ticket=ticket, changed=("remote_assistance",), by=by.name))


async def _get(tx: Tx, assistance_id: str) -> RemoteAssistanceRow:
    row = await tx.db.get(RemoteAssistanceRow, assistance_id, with_for_update=True)
    if row is None:
        raise NotFound(noun="remote_assistance", id=assistance_id)
    return row


async def _own(tx: Tx, assistance_id: str, *, by: By) -> RemoteAssistanceRow:
    actor: Actor = staff(by)
    row = await _get(tx, assistance_id)
    if row.servicer_id != actor.servicer_id and actor.role is not None:
        raise Forbidden(reason="not_yours")
    return row


def _duration_s(row: RemoteAssistanceRow) -> int | None:
    if row.started_at is None or row.ended_at is None:
        return None
    return int((row.ended_at - row.started_at).total_seconds())


async def _view(tx: Tx, row: RemoteAssistanceRow) -> RemoteAssistanceView:
    servicer = await tx.db.get(ServicerRow, row.servicer_id)
    profile = await tx.db.get(VpnProfileRow, row.vpn_profile_id) if row.vpn_profile_id else None
    state = RemoteState(row.state)
    if state is RemoteState.ASKED and tx.now - row.asked_at > CONSENT_LASTS:
        state = RemoteState.EXPIRED
    plain = {
        name: getattr(row, name)
        for name in RemoteAssistanceView.model_fields
        if name not in ("servicer_name", "vpn_profile_name", "state", "duration_s")
    }
    return RemoteAssistanceView.model_validate(
        plain
        | {
            "state": state,
            "servicer_name": servicer.name if servicer else "",
            "vpn_profile_name": profile.name if profile else "",
            "duration_s": _duration_s(row),
        }
    )
