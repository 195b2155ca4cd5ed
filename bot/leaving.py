"""Leaving a message (留言): nobody is in, so the conversation becomes a ticket with a promise.

Nobody is in when the calendar of the destination is closed and nobody is on duty all the same, or
when nobody is online and the queue is full. Without any calendar we are always open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.actor import Actor
from core.assignment.queries import Asking, Wanted, calendar_of, candidates, slots
from core.assignment.routing import destinations, reception_mode
from core.calendars import arithmetic
from core.calendars.queries import list_calendars, working_calendar
from core.clock import LOCAL_ZONE
from core.content import plain_text
from core.conversations.queries import transcript
from core.conversations.threads import Thread
from core.db import Tx
from core.sessions import service as sessions
from core.sessions.models import SessionRow
from core.sessions.queue import waiting_count
from core.settings.reception import Reception
from core.tickets import entries
from core.tickets import service as tickets
from core.tickets.access import CustomerActor
from core.tickets.service import TicketDraft
from core.views import Sender, TicketView

#: State of the chat form in which further lines go to the ticket, until `until`.
FORM: Final = "leaving"
_ACTOR: Final = Actor.system("leave_message")
_WEEKDAYS: Final = "一二三四五六日"
_LINES_KEPT: Final = 50
_PROGRESS: Final = "发送“我的工单”可以查看进度。"
#: Menu ids of the offer to those who wait.
LEAVE, STAY = "wait_leave", "wait_stay"


@dataclass(frozen=True, slots=True)
class Absence:
    """back_at None: nobody is online, and when somebody comes is not known."""

    back_at: datetime | None


async def leave_message(
    tx: Tx, thread: Thread, session: SessionRow, *, is_wish: bool = False
) -> str | None:
    """What to tell a customer who has to leave a message; None when people can be waited for.

    is_wish: they waited long enough and chose it themselves.
    """
    form = thread.conversation.form
    if form.get("state") == FORM and is_running(form["data"], tx.now):
        await _close(tx, session)
        return _words(form["data"]["number"], _moment(form["data"]))
    absence = await _absence(tx, thread)
    if absence is None and not is_wish:
        return None
    absence = absence or Absence(None)
    ticket = await _ticket(tx, thread, session, absence)
    await _close(tx, session)
    until = absence.back_at.isoformat() if absence.back_at else ""
    data = {"ticket_id": ticket.id, "number": ticket.number, "until": until}
    thread.conversation.form = {"state": FORM, "data": data} if until else {}
    if is_wish and absence.back_at is None:
        return f"已为您留言，工单号 {ticket.number}，客服上线后会尽快回复您。{_PROGRESS}"
    return _words(ticket.number, absence.back_at)


def is_running(data: dict[str, str], now: datetime) -> bool:
    """Do further lines still belong to the message that was left?"""
    until = _moment(data)
    return until is not None and now < until


def spoken_moment(at: datetime) -> str:
    """As people say it: 3 月 3 日（周二）09:00."""
    local = at.astimezone(LOCAL_ZONE)
    weekday = _WEEKDAYS[local.weekday()]
    return f"{local.month} 月 {local.day} 日（周{weekday}）{local:%H:%M}"


async def _absence(tx: Tx, thread: Thread) -> Absence | None:
    return await after_hours(tx, thread) or await _overflow(tx, thread)


async def after_hours(tx: Tx, thread: Thread) -> Absence | None:
    """All who may serve this customer are closed, and nobody is on duty; None: somebody is in."""
    opens = []
    for place in await destinations(tx, thread.customer.id, thread.account.team_id):
        calendar_id = await calendar_of(tx, place.team_id) or await _default_calendar(tx)
        if calendar_id is None:
            return None
        calendar = await working_calendar(tx, calendar_id)
        if arithmetic.is_open(calendar, tx.now):
            return None
        mode = reception_mode(thread.account, place)
        wanted = Wanted(thread.account.id, mode, place.team_id)
        if await candidates(tx, wanted, asking=Asking.PRESENT):
            return None
        opens.append(arithmetic.next_open(calendar, tx.now))
    known = [at for at in opens if at is not None]
    return Absence(min(known) if known else None)


async def _overflow(tx: Tx, thread: Thread) -> Absence | None:
    places = await destinations(tx, thread.customer.id, thread.account.team_id)
    teams = [place.team_id for place in places if place.team_id is not None]
    if (await slots(tx, teams)).servicers_online:
        return None
    is_full = await waiting_count(tx) >= tx.settings.get(Reception).queue_max
    return Absence(None) if is_full else None


async def _default_calendar(tx: Tx) -> str | None:
    return next((one.id for one in await list_calendars(tx) if one.is_default), None)


async def _ticket(tx: Tx, thread: Thread, session: SessionRow, absence: Absence) -> TicketView:
    lines = await _customer_lines(tx, session)
    customer = thread.customer
    draft = TicketDraft(
        title=f"留言：{session.topic or customer.name}"[:60],
        description="\n".join(lines),
        customer_id=customer.id,
        source="after_hours",
        session_id=session.id,
    )
    made = await tickets.create(tx, draft, by=CustomerActor(customer.id, customer.name))
    if absence.back_at is not None:
        promise = f"已承诺客户在 {spoken_moment(absence.back_at)} 前回复。"
        await entries.note(tx, made.id, promise, by=_ACTOR)
    return made


async def _customer_lines(tx: Tx, session: SessionRow) -> list[str]:
    lines, _ = await transcript(tx, session.conversation_id, limit=_LINES_KEPT)
    here = [one for one in lines if one.session_id == session.id]
    return [plain_text(one.content) for one in here if one.sender is Sender.CUSTOMER]


async def _close(tx: Tx, session: SessionRow) -> None:
    await sessions.close(tx, session.id, reason="left_message", by=_ACTOR)


def _moment(data: dict[str, str]) -> datetime | None:
    return datetime.fromisoformat(data["until"]) if data.get("until") else None


def _words(number: str, back_at: datetime | None) -> str:
    if back_at is None:
        return (
            f"抱歉，现在没有客服在线，等候的人也很多。您的问题已登记为工单 {number}，"
            f"客服上线后会尽快回复您。{_PROGRESS}"
        )
    return (
        f"现在是非服务时间，已为您留言，工单号 {number}。"
        f"我们将在 {spoken_moment(back_at)} 前回复您；"
        "在此之前您发来的内容都会补充到这张工单里，发送“退出”可以继续问机器人。"
    )
