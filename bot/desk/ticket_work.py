"""Work on tickets from the app: buttons of cards, and the words that do the same."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final

from bot.context import Context
from bot.desk.bench import Bench, serve
from bot.desk.ticket_notes import asking, missing, unheard
from bot.desk.ticket_words import (
    ACCEPT,
    DONE,
    ESCALATE,
    NUDGE,
    PASS_ON,
    STATES,
    TAKE_OVER,
)
from bot.desk.words import PRESENCES, shortened
from core.desk import cards
from core.desk import queries as desk_queries
from core.errors import Conflict, InvalidTransition, NotFound
from core.tickets import assignment, follow_ups, queries, service
from core.tickets.assignment import Target
from core.tickets.queries import TicketFilter
from core.tickets.states import UNRESOLVED, Action
from core.views import TicketView

#: What a command is followed by: a ticket number, and perhaps words.
NUMBERED: Final = re.compile(r"((?:GD)?\d{8}-?\d{1,6})(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)
_LISTED: Final = 10
Work = Callable[[Bench, TicketView, str], Awaitable[str]]


async def accept(bench: Bench, ticket: TicketView, _: str) -> str:
    if ticket.servicer_id not in (None, bench.actor.servicer_id):
        return f"{ticket.number} 现在由{ticket.servicer_name}处理。"
    await service.move(bench.tx, ticket.id, Action.ACCEPT, by=bench.actor)
    specs = await missing(bench.tx, ticket)
    said = (
        f"已受理 {ticket.number}：{shortened(ticket.title, 40)}\n处理完发「解决 {ticket.number} "
        f"结果」，转交发「转单 {ticket.number} 姓名 说明」。"
    )
    said = f"{said}\n{asking(ticket, specs)}" if specs else said
    return said + await unheard(bench.tx, ticket)


async def resolve(bench: Bench, ticket: TicketView, text: str) -> str:
    await service.move(bench.tx, ticket.id, Action.RESOLVE, by=bench.actor, text=text)
    said = f"已解决 {ticket.number}，请客户确认。"
    return said + await unheard(bench.tx, ticket)


async def nudge(bench: Bench, ticket: TicketView, text: str) -> str:
    await service.nudge(bench.tx, ticket.id, by=bench.actor, text=text)
    return f"已催促 {ticket.number}（{ticket.servicer_name or '还没有处理人'}）。"


async def escalate(bench: Bench, ticket: TicketView, text: str) -> str:
    await service.move(bench.tx, ticket.id, Action.ESCALATE, by=bench.actor, text=text)
    return f"已升级 {ticket.number}。"


async def take_over(bench: Bench, ticket: TicketView, _: str) -> str:
    target = Target(servicer_id=bench.desk.servicer.id)
    await assignment.assign(bench.tx, ticket.id, target, by=bench.actor)
    return f"{ticket.number} 现在由您处理。发「受理 {ticket.number}」告诉客户。"


async def pass_on(bench: Bench, ticket: TicketView, rest: str) -> str:
    """转单 编号 姓名 说明; without a name: who could take it."""
    name, _, note = rest.partition(" ")
    if not name:
        return await _colleagues(bench, ticket)
    people = await desk_queries.servicers_named(bench.tx, name)
    team_id = await desk_queries.team_named(bench.tx, name)
    if not people and team_id is None:
        raise NotFound("no_such_colleague", name=name)
    if len(people) > 1:
        names = "、".join(one.name for one in people)
        raise Conflict("several_colleagues", name=name, names=names)
    target = Target(servicer_id=people[0].id) if people else Target(team_id=team_id)
    await assignment.assign(bench.tx, ticket.id, target, by=bench.actor, note=note.strip())
    return f"已把 {ticket.number} 转给{people[0].name if people else name}。"


async def _colleagues(bench: Bench, ticket: TicketView) -> str:
    people = await desk_queries.colleagues(bench.tx, without=bench.desk.servicer.id)
    rows = [f"· {one.name}（{PRESENCES[one.presence]}）" for one in people[:_LISTED]]
    how = f"发「转单 {ticket.number} 姓名 说明」把「{shortened(ticket.title, 30)}」转过去。"
    return "\n".join([*(["可以转给的同事：", *rows] if rows else []), how])


async def finish_follow_up(bench: Bench, ticket: TicketView, follow_up_id: str) -> str:
    await follow_ups.finish(bench.tx, follow_up_id, by=bench.actor)
    return f"已记下：{ticket.number} 已跟进。"


#: Button of a card → (what it does, the label that closes the card; "": it stays open).
BUTTONS: Final[dict[str, tuple[Work, str]]] = {
    ACCEPT: (accept, "您已受理"),
    PASS_ON: (pass_on, ""),
    NUDGE: (nudge, "已催促"),
    ESCALATE: (escalate, "已升级"),
    TAKE_OVER: (take_over, "您已接手"),
    DONE: (finish_follow_up, "已跟进"),
}


async def pressed(bench: Bench, card_id: str, ticket_id: str, button: str) -> None:
    """A button of a ticket's card; what it carries follows the underscore."""
    verb, _, rest = button.partition("_")
    ticket = await queries.get(bench.tx, ticket_id, by=bench.actor)
    work, label = BUTTONS[verb]
    answer = await _attempt(bench, ticket, work, rest)
    if label and answer:
        await cards.close(bench.tx, card_id, label)


async def _attempt(bench: Bench, ticket: TicketView, work: Work, rest: str) -> bool:
    """Whether it was done; a state that does not allow it is named."""
    try:
        answer = await work(bench, ticket, rest)
    except InvalidTransition:
        await bench.desk.answer(f"{ticket.number} {STATES[ticket.state]}，不能这样操作。")
        return False
    await bench.desk.answer(answer)
    return True


def command(work: Work) -> Callable[[Context, str], Awaitable[None]]:
    """受理 GD20260301-0042 …: the word of a button, with a number."""

    async def handle(ctx: Context, rest: str) -> None:
        found = NUMBERED.fullmatch(rest)
        number, words = (found[1], found[2] or "") if found else (rest, "")

        async def do(bench: Bench) -> None:
            try:
                ticket = await queries.by_number(bench.tx, number, by=bench.actor)
            except NotFound as error:
                raise NotFound("no_such_ticket", number=number) from error
            await _attempt(bench, ticket, work, words.strip())

        await serve(ctx, do)

    return handle


async def show(ctx: Context, _: str) -> None:
    """待办: one's own tickets, nearest deadline first where there is one."""

    async def work(bench: Bench) -> None:
        wanted = TicketFilter(states=tuple(UNRESOLVED), servicer_id=bench.desk.servicer.id)
        page = await queries.list_tickets(bench.tx, wanted, limit=_LISTED)
        rows = [
            f"{one.number} {shortened(one.title, 30)}（{STATES[one.state]}"
            f"{'，已超时' if one.is_breached else ''}）"
            for one in sorted(page.items, key=lambda one: (one.due_at is None, one.due_at))
        ]
        more = ["还有更多，请到控制台查看。"] if page.next_cursor else []
        head = f"您有 {len(rows)} 张待办工单：" if rows else "您现在没有待办工单。"
        await bench.desk.answer("\n".join([head, *rows, *more]))

    await serve(ctx, work)
