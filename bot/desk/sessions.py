"""Commands about sessions: list, switch, claim, end, transfer, open a ticket."""

from __future__ import annotations

import re
from typing import Final

from bot.context import Context
from bot.desk.bench import Bench, serve
from bot.desk.ticket_notes import asking, missing
from bot.desk.words import PRESENCES, session_row, shortened, transcript_lines, who
from core.conversations.queries import transcript
from core.desk import queries
from core.errors import Conflict, InvalidTransition, NotFound
from core.sessions import service as sessions
from core.sessions.queries import list_sessions, session_view
from core.sessions.queue import queue_board
from core.tickets.proposal import of_session
from core.tickets.service import TicketDraft
from core.tickets.service import create as create_ticket
from core.views import SessionView

#: So many in the queue are tried: the first may be taken this very moment, or be another team's.
_TRIES: Final = 50
_NUMBERED: Final = re.compile(r"[#＃]?(\d{1,2})\s+(.*)", re.DOTALL)


async def show(ctx: Context, _: str) -> None:
    """会话: what is on the desk, and how many wait."""

    async def work(bench: Bench) -> None:
        numbers = await bench.desk.sessions()
        rows = []
        for number, session_id in numbers.items():
            view = await session_view(bench.tx, session_id)
            focused = session_id == bench.desk.focus_id
            rows.append(session_row(number, view, bench.tx.now, is_focused=focused))
        board = await queue_board(bench.tx)
        head = f"您有 {len(rows)} 个会话，排队中 {len(board.items)} 位。"
        tail = ["发「接入」接下一位。"] if board.items else []
        await bench.desk.answer("\n".join([head, *rows, *tail]))

    await serve(ctx, work)


async def switch(ctx: Context, rest: str) -> None:
    """切换 4: from now on text goes there."""
    if not rest:
        await show(ctx, rest)
        return

    async def work(bench: Bench) -> None:
        number, view = await bench.session(int(rest))
        bench.desk.focus(view.id)
        row = session_row(number, view, bench.tx.now, is_focused=True)
        await bench.desk.answer(f"已切换，直接打字即发给这位客户：\n{row}")

    await serve(ctx, work)


async def claim_next(ctx: Context, _: str) -> None:
    """接入: the head of the queue."""

    async def work(bench: Bench) -> None:
        page = await list_sessions(bench.tx, by=bench.actor, view="queue", limit=_TRIES)
        for view in page.items:
            try:
                await claim(bench, view.id)
            except Conflict as conflict:
                if conflict.code not in {"not_queued", "not_eligible"}:
                    raise
                continue
            return
        raise NotFound("queue_empty")

    await serve(ctx, work)


async def claim(bench: Bench, session_id: str) -> None:
    """Take a session out of the queue and aim at it; its introduction follows by event.

    Raises: Conflict `not_queued` when somebody was faster, `at_capacity`.
    """
    try:
        await sessions.claim(bench.tx, session_id, by=bench.actor)
    except InvalidTransition as error:
        raise Conflict("not_queued", **error.facts) from error
    await bench.desk.take(session_id, focus=True)


async def transfer(ctx: Context, rest: str) -> None:
    """转接 李军 说明 · 转接 4 李军 说明; without a name: who could take it."""

    async def work(bench: Bench) -> None:
        if not rest:
            await offer_colleagues(bench, None)
            return
        found = _NUMBERED.fullmatch(rest)
        number, text = (int(found[1]), found[2]) if found else (None, rest)
        name, _, note = text.partition(" ")
        await _transfer(bench, number, name.strip(), note.strip())

    await serve(ctx, work)


async def _transfer(bench: Bench, number: int | None, name: str, note: str) -> None:
    known, view = await bench.session(number)
    team_id = await queries.team_named(bench.tx, name)
    servicer_id = None
    if team_id is None:
        people = await queries.servicers_named(bench.tx, name)
        if not people:
            raise NotFound("no_such_colleague", name=name)
        if len(people) > 1:
            names = "、".join(one.name for one in people)
            raise Conflict("several_colleagues", name=name, names=names)
        servicer_id, name = people[0].id, people[0].name
    await sessions.transfer(
        bench.tx, view.id, by=bench.actor, to_servicer=servicer_id, to_team=team_id, note=note
    )
    await bench.desk.release(view.id)
    await bench.desk.answer(f"已把 #{known} {who(view)} 转给{name}。")


async def offer_colleagues(bench: Bench, number: int | None) -> None:
    """Who is there, and how to hand over."""
    known, view = await bench.session(number)
    people = await queries.colleagues(bench.tx, without=bench.desk.servicer.id)
    if not people:
        raise NotFound("nobody_there")
    rows = [
        f"· {one.name}（{PRESENCES[one.presence]}，{one.open_sessions}/{one.capacity}）"
        for one in people[:10]
    ]
    example = f"转接 {known} {people[0].name}"
    how = f"发「转接 {known} 姓名 说明」把 #{known} {who(view)} 转过去，例如：{example}"
    await bench.desk.answer("\n".join(["可以转接的同事：", *rows, how]))


async def open_ticket(ctx: Context, rest: str) -> None:
    """工单 标题: for the customer of the focused session."""

    async def work(bench: Bench) -> None:
        _, view = await bench.session()
        await make_ticket(bench, view, title=rest)

    await serve(ctx, work)


async def make_ticket(bench: Bench, view: SessionView, *, title: str = "") -> None:
    """One ticket per session is made here; asking again says which one it is."""
    known = await queries.ticket_of(bench.tx, view.id)
    if known is not None:
        await bench.desk.answer(f"{who(view)} 的这次会话已经有工单 {known}。")
        return
    lines, _ = await transcript(bench.tx, view.conversation_id, session_id=view.id, limit=20)
    proposed = await of_session(bench.tx, view)
    draft = TicketDraft(
        title=shortened(title or proposed.title or "客户咨询", 80),
        customer_id=view.customer_id,
        description="\n".join(transcript_lines(lines)),
        category_id=proposed.category_id,
        source="wecom",
        session_id=view.id,
    )
    ticket = await create_ticket(bench.tx, draft, by=bench.actor)
    told = f"已为 {who(view)} 建工单 {ticket.number}：{ticket.title}"
    specs = await missing(bench.tx, ticket)
    await bench.desk.answer("\n".join([told, asking(ticket, specs)] if specs else [told]))
