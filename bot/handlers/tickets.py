"""Tickets by chat: 我的工单, a number, 报修 …, 催单, 确认, 重开."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.context import Context
from bot.filters.base import Filter, When
from bot.filters.content import bare, spoken
from bot.router import Router
from bot.turn import Turn
from channels.update import MenuChosen, MessageReceived
from core.clock import LOCAL_ZONE
from core.content import Content, Text
from core.errors import DomainError, NotFound
from core.tickets import queries, service
from core.tickets.access import CustomerActor
from core.tickets.numbers import normal_number
from core.tickets.service import TicketDraft
from core.tickets.states import UNRESOLVED, Action
from core.views import TicketState, TicketView

router = Router("tickets")

LIST_WORDS: Final = ("我的工单", "查工单", "工单进度", "工单")
_COMMAND: Final = re.compile(r"^(报修|催单|确认|重开|工单)[:： ]*(.*)$", re.DOTALL)
_STATES: Final[Mapping[TicketState, str]] = {
    TicketState.NEW: "待受理",
    TicketState.OPEN: "处理中",
    TicketState.WAITING: "等待您补充",
    TicketState.SUSPENDED: "已挂起",
    TicketState.RESOLVED: "已解决，请确认",
    TicketState.CLOSED: "已关闭",
    TicketState.CANCELLED: "已取消",
}
_REFUSALS: Final[Mapping[str, str]] = {
    "not_found": "没有找到这张工单，请核对工单号；发送“我的工单”可以查看全部。",
    "invalid_transition": "这张工单当前的状态不能这样操作，发送“我的工单”可以查看。",
    "reopen_too_late": "已超过可重开的期限，请发送“报修 问题描述”新建工单。",
}
_HELP: Final = "请发送“报修”加问题描述，例如：报修 数据上报失败，提示超时。"


def _is_command(text: str) -> bool:
    line = bare(text)
    if line in LIST_WORDS or normal_number(line) is not None:
        return True
    found = _COMMAND.match(line)
    if found is None:
        return False
    rest = found[2].strip()
    return found[1] == "报修" or not rest or normal_number(rest) is not None


about_tickets: Filter = When(lambda update, _: _is_command(spoken(update)))


@router.on(MessageReceived, about_tickets)
async def written(update: MessageReceived, ctx: Context) -> None:
    await _serve(ctx, update.message_id, update.content)


@router.on(MenuChosen, about_tickets)
async def clicked(update: MenuChosen, ctx: Context) -> None:
    await _serve(ctx, update.message_id, Text(text=update.text))


async def _serve(ctx: Context, message_id: str, content: Content) -> None:
    async with ctx.write() as turn:
        await turn.hear(message_id, content, ctx.update.occurred_at)
        line = bare(spoken(ctx.update))
        found = _COMMAND.match(line)
        verb, rest = (found[1], found[2].strip()) if found else ("", line)
        try:
            if line in LIST_WORDS:
                answer = await _list(turn)
            else:
                answer = await _VERBS.get(verb, _show)(turn, rest)
        except DomainError as error:
            answer = _REFUSALS.get(error.code, "暂时不能这样操作，回复“转人工”由同事为您处理。")
        await turn.say(answer)


async def _list(turn: Turn) -> str:
    found = await queries.of_customer(turn.tx, _customer(turn), limit=5)
    if not found:
        return f"您还没有工单。{_HELP}"
    lines = [f"{one.number} {one.title}（{_STATES[one.state]}）" for one in found]
    return "\n".join(["您最近的工单：", *lines, "发送工单号查看进度，发送“催单”加快处理。"])


async def _show(turn: Turn, rest: str) -> str:
    return _progress(await queries.by_number(turn.tx, rest, by=_customer(turn)))


async def _open(turn: Turn, rest: str) -> str:
    if not rest:
        return _HELP
    draft = TicketDraft(
        title=rest.splitlines()[0][:60],
        description=rest,
        customer_id=turn.thread.customer.id,
        source="bot",
        session_id=turn.session.id if turn.session else None,
    )
    made = await service.create(turn.tx, draft, by=_customer(turn))
    return f"已为您登记工单 {made.number}，我们会尽快处理。发送“我的工单”随时查看进度。"


async def _nudge(turn: Turn, rest: str) -> str:
    ticket = await _meant(turn, rest, UNRESOLVED)
    await service.nudge(turn.tx, ticket.id, by=_customer(turn))
    return f"已催促工单 {ticket.number}，处理人员会优先跟进。"


async def _confirm(turn: Turn, rest: str) -> str:
    ticket = await _meant(turn, rest, {TicketState.RESOLVED})
    await service.move(turn.tx, ticket.id, Action.CONFIRM, by=_customer(turn))
    return f"工单 {ticket.number} 已确认并关闭，感谢您的反馈。"


async def _reopen(turn: Turn, rest: str) -> str:
    ticket = await _meant(turn, rest, {TicketState.RESOLVED, TicketState.CLOSED})
    await service.move(turn.tx, ticket.id, Action.REOPEN, by=_customer(turn))
    return f"工单 {ticket.number} 已重新打开，我们会继续处理。"


async def _meant(
    turn: Turn, rest: str, states: frozenset[TicketState] | set[TicketState]
) -> TicketView:
    """The ticket that was named, else the newest one in such a state."""
    if rest:
        return await queries.by_number(turn.tx, rest, by=_customer(turn))
    for ticket in await queries.of_customer(turn.tx, _customer(turn), limit=20):
        if ticket.state in states:
            return ticket
    raise NotFound(noun="ticket", id="")


def _progress(ticket: TicketView) -> str:
    moments = (
        ("提交", ticket.created_at),
        ("受理", ticket.accepted_at),
        ("解决", ticket.resolved_at),
        ("关闭", ticket.closed_at),
    )
    passed = [f"{at.astimezone(LOCAL_ZONE):%m-%d %H:%M} {name}" for name, at in moments if at]
    who = [f"处理人：{ticket.servicer_name}"] if ticket.servicer_name else []
    head = f"{ticket.number} {ticket.title}\n状态：{_STATES[ticket.state]}"
    return "\n".join([head, *who, *passed])


def _customer(turn: Turn) -> CustomerActor:
    return CustomerActor(turn.thread.customer.id, turn.thread.customer.name)


_VERBS: Final[Mapping[str, Callable[[Turn, str], Awaitable[str]]]] = {
    "报修": _open,
    "催单": _nudge,
    "确认": _confirm,
    "重开": _reopen,
}
