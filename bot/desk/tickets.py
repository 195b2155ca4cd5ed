"""Tickets that want somebody: new, nearly late, late, escalated, followed up; told in the app.

A batch tells each servicer once about each ticket; where many come together, lines replace cards.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from bot.desk.news import News, TicketNote
from bot.desk.ticket_words import MEASURES, PRIORITIES, STATES, buttons_for
from bot.desk.words import clock, shortened
from core.actor import Actor
from core.desk import cards
from core.desk.service import Desk, actor_of_member
from core.errors import NotFound
from core.events import (
    FollowUpDue,
    SlaBreached,
    SlaWarned,
    TicketAssigned,
    TicketEntryAdded,
    TicketEscalated,
    TicketMoved,
    TicketNudged,
    TicketUpdated,
)
from core.ports import CardMessage
from core.remote_assistance.service import of_ticket
from core.remote_assistance.states import RemoteState
from core.tickets import queries
from core.tickets.assignment import recipients
from core.tickets.states import UNRESOLVED, Action
from core.views import TicketState, TicketView

#: So many cards about tickets within a minute; what comes beyond is told in joined lines.
MOST_CARDS: Final = 5
_MINUTE: Final = timedelta(minutes=1)
_READER: Final = Actor.system("desk")
_ENDED: Final[Mapping[TicketState, str]] = {
    TicketState.RESOLVED: "已解决",
    TicketState.CLOSED: "已关闭",
    TicketState.CANCELLED: "已作废",
}
_BY_CUSTOMER: Final[Mapping[TicketState, str]] = {
    TicketState.RESOLVED: "客户说已经解决",
    TicketState.CLOSED: "客户已确认解决，工单关闭",
    TicketState.CANCELLED: "客户撤回了工单",
}
_CONSENT: Final[Mapping[RemoteState, str]] = {
    RemoteState.AGREED: "客户已同意远程协助，可以开始。",
    RemoteState.REFUSED: "客户没有同意远程协助。",
}


async def assigned(news: News, event: TicketAssigned) -> None:
    """Whoever has it now, or who leads the team when nobody has it."""
    ticket = event.ticket
    if event.previous_servicer_id not in (None, ticket.servicer_id):
        label = f"已转给{ticket.servicer_name or ticket.team_name}"[:32]
        await cards.close_ticket(news.tx, ticket.id, label, servicer_id=event.previous_servicer_id)
    if event.how == "claimed":
        return
    why = event.note or ticket.assigned_because
    for servicer_id in await recipients(news.tx, ticket.id, "servicer"):
        news.note(servicer_id, ticket.id, TicketNote("新工单", why, by=event.by))


async def moved(news: News, event: TicketMoved) -> None:
    """What is settled wants nobody any more."""
    ticket = event.ticket
    if ticket.state in _ENDED:
        await cards.close_ticket(news.tx, ticket.id, _ENDED[ticket.state])
        desk = await news.desk_of(ticket.servicer_id) if event.party == "customer" else None
        if desk is not None:
            await desk.notify(f"工单 {ticket.number}：{_BY_CUSTOMER[ticket.state]}。")
    elif event.action == Action.ACCEPT and ticket.servicer_id is not None:
        await cards.close_ticket(news.tx, ticket.id, "已受理", servicer_id=ticket.servicer_id)
    elif event.action == Action.REOPEN and ticket.servicer_id is not None:
        news.note(ticket.servicer_id, ticket.id, TicketNote("已重开", event.text, by=event.by))


async def warned(news: News, event: SlaWarned) -> None:
    detail = f"{MEASURES[event.measure]}应在 {clock(event.due_at)} 前"
    await _tell(news, event.ticket.id, TicketNote("即将超时", detail))


async def breached(news: News, event: SlaBreached) -> None:
    detail = f"{MEASURES[event.measure]}应在 {clock(event.breached_at)} 前"
    await _tell(news, event.ticket.id, TicketNote("已超时", detail))


async def escalated(news: News, event: TicketEscalated) -> None:
    reason = "超时升级" if event.reason.startswith("sla:") else event.reason
    for servicer_id in event.recipients:
        news.note(servicer_id, event.ticket.id, TicketNote("已升级", reason))


async def nudged(news: News, event: TicketNudged) -> None:
    await _tell(news, event.ticket.id, TicketNote("催单", f"第 {event.ticket.nudges} 次"))


async def follow_up_due(news: News, event: FollowUpDue) -> None:
    found = event.follow_up
    note = TicketNote("跟进到点", found.text, follow_up_id=found.id)
    news.note(found.servicer_id, event.ticket.id, note)


async def spoken(news: News, event: TicketEntryAdded) -> None:
    """What the customer added: whoever works on it goes on."""
    if event.entry.party == "customer":
        detail = event.entry.text or f"{len(event.entry.attachment_ids)} 个文件"
        await _tell(news, event.ticket.id, TicketNote("客户补充", detail))


async def updated(news: News, event: TicketUpdated) -> None:
    """The customer rated, or answered whether we may help remotely."""
    if "rating_score" in event.changed:
        await _rated(news, event.ticket)
    if "remote_assistance" not in event.changed:
        return
    found = await of_ticket(news.tx, event.ticket.id)
    if not found or found[0].state not in _CONSENT:
        return
    desk = await news.desk_of(found[0].servicer_id)
    if desk is not None:
        await desk.notify(f"工单 {event.ticket.number}：{_CONSENT[found[0].state]}")


async def _rated(news: News, ticket: TicketView) -> None:
    desk = await news.desk_of(ticket.servicer_id)
    if desk is not None:
        await desk.notify(f"工单 {ticket.number}：客户评价 {ticket.rating_score} 分。")


async def _tell(news: News, ticket_id: str, note: TicketNote) -> None:
    for servicer_id in await recipients(news.tx, ticket_id, "servicer"):
        news.note(servicer_id, ticket_id, note)


async def deal(news: News) -> None:
    """Show what the batch collected, as it stands now."""
    lines: dict[str, list[str]] = {}
    for (servicer_id, ticket_id), notes in news.tickets.items():
        desk = await news.desk_of(servicer_id)
        ticket = await _wanting(news, ticket_id)
        if desk is None or desk.is_quiet or ticket is None:
            continue
        own = [one for one in notes if one.by != desk.servicer.name]
        if not own:
            continue
        since = news.tx.now - _MINUTE
        if await cards.tickets_since(news.tx, servicer_id, since) >= MOST_CARDS:
            lines.setdefault(servicer_id, []).append(_line(ticket, own))
        else:
            await desk.deal(await _card(news, desk, ticket, own))
    for servicer_id, told in lines.items():
        desk = await news.desk_of(servicer_id)
        if desk is not None:
            await desk.notify("\n".join(told))


async def _wanting(news: News, ticket_id: str) -> TicketView | None:
    try:
        ticket = await queries.get(news.tx, ticket_id, by=_READER)
    except NotFound:
        return None
    return ticket if ticket.state in UNRESOLVED else None


async def _card(
    news: News, desk: Desk, ticket: TicketView, notes: list[TicketNote]
) -> CardMessage:
    card_id = await cards.lay_ticket(news.tx, desk.servicer.id, ticket.id)
    found = await actor_of_member(news.tx, desk.servicer.wecom_userid or "")
    due = clock(ticket.due_at) if ticket.due_at else "未承诺"
    who = "，".join(one for one in (ticket.customer_name, ticket.institution_name) if one)
    return CardMessage(
        address=desk.address,
        message_id=card_id,
        task_id=card_id,
        title=f"{_heads(notes)} {ticket.number}",
        subtitle=shortened(ticket.title, 60),
        lines=(
            ("原因", shortened("；".join(one.detail for one in notes if one.detail), 60) or "—"),
            ("客户", who),
            ("状态", f"{STATES[ticket.state]}，优先级{PRIORITIES[ticket.priority]}"),
            ("处理人", ticket.servicer_name or "暂无"),
            ("时限", due + ("（已超时）" if ticket.is_breached else "")),
        ),
        buttons=buttons_for(ticket, found[0] if found else None, notes),
    )


def _line(ticket: TicketView, notes: list[TicketNote]) -> str:
    return f"{_heads(notes)} {ticket.number}：{shortened(ticket.title, 40)}"


def _heads(notes: list[TicketNote]) -> str:
    return "、".join(dict.fromkeys(one.head for one in notes))
