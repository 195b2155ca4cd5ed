"""Tickets by chat: 我的工单, a number, 催单, 补充, 确认, 重开, and the buttons under them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final

from bot.context import Context
from bot.filters.base import Filter, When
from bot.filters.content import MenuId, Says, bare, spoken
from bot.handlers.ticket_form import customer_of, open_ticket, opened_words
from bot.router import Router
from bot.ticket_words import (
    ACT,
    HELP,
    LIST_WORDS,
    MINE,
    RATE,
    closed_content,
    list_menu,
    spoken_wait,
    ticket_menu,
)
from bot.turn import Turn
from channels.update import MenuChosen, MessageReceived
from core.content import Content, Text
from core.errors import Conflict, DomainError, NotFound
from core.settings.reception import Rating
from core.settings.sections import Tickets
from core.tickets import entries, queries, service
from core.tickets.numbers import normal_number
from core.tickets.states import UNRESOLVED, Action
from core.views import Party, TicketEntryView, TicketState, TicketView

#: Buttons act in any state of the session; words only while the bot has it.
buttons = Router("ticket_buttons")
router = Router("tickets")

REPLY_FORM: Final = "ticket.reply"
_WITH_TEXT: Final = ("报修", "提工单", "补充")
_LISTED: Final = 8
_COMMAND: Final = re.compile(
    r"^(报修|提工单|催单|补充|确认|重开|工单)([:：，,\s]*)(.*)$", re.DOTALL
)
#: Which ticket is meant when none is named: the newest in one of these states.
_MEANT: Final[Mapping[str, frozenset[TicketState]]] = {
    "催单": UNRESOLVED,
    "补充": UNRESOLVED,
    "确认": frozenset({TicketState.RESOLVED}),
    "重开": frozenset({TicketState.RESOLVED, TicketState.CLOSED}),
}
_REFUSALS: Final[Mapping[str, str]] = {
    "not_found": "没有找到这张工单，请核对工单号；发送“我的工单”可以查看全部。",
    "invalid_transition": "这张工单当前的状态不能这样操作，发送“我的工单”可以查看。",
    "reopen_too_late": "已超过可重开的期限，请发送“报修”新建工单。",
    "ticket_closed": "这张工单已经关闭，不能再补充；需要时可以回复“重开”。",
    "already_rated": "您已经评价过了，感谢您的反馈。",
}


def _is_command(text: str) -> bool:
    line = bare(text)
    if line in LIST_WORDS or normal_number(line) is not None:
        return True
    found = _COMMAND.match(line)
    if found is None:
        return False
    verb, gap, rest = found.groups()
    has_text = verb in _WITH_TEXT and bool(gap)
    return not rest or has_text or normal_number(rest) is not None


lists: Filter = Says(LIST_WORDS) | MenuId(MINE)
about_tickets: Filter = lists | When(lambda update, _: _is_command(spoken(update)))


@buttons.on(MenuChosen, MenuId(ACT))
async def pressed(update: MenuChosen, ctx: Context) -> None:
    verb, _, ticket_id = update.menu_id.removeprefix(ACT).partition("_")

    async def act(turn: Turn) -> Content:
        ticket = await queries.get(turn.tx, ticket_id, by=customer_of(turn))
        return await _ACTS.get(verb, _show)(turn, ticket, "")

    await _serve(ctx, update.message_id, Text(text=update.text), act)


@buttons.on(MenuChosen, MenuId(RATE))
async def rated(update: MenuChosen, ctx: Context) -> None:
    score, _, ticket_id = update.menu_id.removeprefix(RATE).partition("_")

    async def act(turn: Turn) -> Content:
        mark = int(score) if score.isascii() and score.isdigit() else 0
        await entries.rate(turn.tx, ticket_id, mark, by=customer_of(turn))
        return Text(text=turn.tx.settings.get(Rating).thanks)

    await _serve(ctx, update.message_id, Text(text=update.text), act)


@router.on(MessageReceived, lists)
async def asked_list(update: MessageReceived, ctx: Context) -> None:
    await _serve(ctx, update.message_id, update.content, _list)


@router.on(MenuChosen, lists)
async def clicked_list(update: MenuChosen, ctx: Context) -> None:
    await _serve(ctx, update.message_id, Text(text=update.text), _list)


@router.on(MessageReceived, about_tickets)
async def written(update: MessageReceived, ctx: Context) -> None:
    await _serve(ctx, update.message_id, update.content, _command(ctx))


def _command(ctx: Context) -> Callable[[Turn], Awaitable[Content]]:
    line = bare(spoken(ctx.update))
    found = _COMMAND.match(line)
    verb, rest = (found[1], found[3].strip()) if found else ("", line)

    async def act(turn: Turn) -> Content:
        if verb in ("报修", "提工单"):
            return await opened_words(turn, ctx.tools, await open_ticket(turn, rest))
        if normal_number(rest) is not None:
            ticket = await queries.by_number(turn.tx, rest, by=customer_of(turn))
            return await _WORDS.get(verb, _show)(turn, ticket, "")
        return await _WORDS[verb](turn, await _newest(turn, _MEANT[verb]), rest)

    return act


async def _serve(
    ctx: Context, message_id: str, content: Content, act: Callable[[Turn], Awaitable[Content]]
) -> None:
    async with ctx.write() as turn:
        await turn.hear(message_id, content, ctx.update.occurred_at, opens=turn.is_bots)
        try:
            answer = await act(turn)
        except DomainError as error:
            text = _REFUSALS.get(error.code, "暂时不能这样操作，回复“转人工”由同事为您处理。")
            answer = Text(text=text)
        with suppress(Conflict):  # the platform's client has the session: the bot keeps still
            await turn.say(answer)


async def _list(turn: Turn) -> Content:
    found = await queries.of_customer(turn.tx, customer_of(turn), limit=_LISTED)
    return list_menu(found) if found else Text(text=f"您还没有工单。{HELP}")


async def _show(turn: Turn, ticket: TicketView, text: str) -> Content:
    del text
    within = timedelta(seconds=turn.tx.settings.get(Tickets).reopen_within_s)
    can_reopen = ticket.closed_at is None or turn.tx.now - ticket.closed_at <= within
    return ticket_menu(ticket, await _last_words(turn, ticket), can_reopen=can_reopen)


async def _nudge(turn: Turn, ticket: TicketView, text: str) -> Content:
    """Every nudge is recorded; it has an effect once per interval, and we say which it was."""
    every = timedelta(seconds=turn.tx.settings.get(Tickets).nudge_every_s)
    before = ticket.nudged_at
    await service.nudge(turn.tx, ticket.id, by=customer_of(turn), text=text)
    if before is not None and turn.tx.now - before < every:
        left = spoken_wait(before + every - turn.tx.now)
        return Text(text=f"工单 {ticket.number} 刚刚催过，处理人员已经知道；{left}后可以再催。")
    return Text(text=f"已催促工单 {ticket.number}，处理人员会优先跟进。")


async def _add(turn: Turn, ticket: TicketView, text: str) -> Content:
    if not text:
        data = {"ticket_id": ticket.id, "number": ticket.number}
        turn.fill_form(REPLY_FORM, data)
        return Text(text=f"请发送要补充到工单 {ticket.number} 的文字或图片；发送“退出”取消。")
    await entries.reply(turn.tx, ticket.id, text, by=customer_of(turn))
    return Text(text=f"已补充到工单 {ticket.number}。")


async def _confirm(turn: Turn, ticket: TicketView, text: str) -> Content:
    done = await service.move(turn.tx, ticket.id, Action.CONFIRM, by=customer_of(turn), text=text)
    words = f"工单 {ticket.number} 已确认并关闭，感谢您的反馈。"
    return closed_content(turn.tx, done, words)


async def _reopen(turn: Turn, ticket: TicketView, text: str) -> Content:
    await service.move(turn.tx, ticket.id, Action.REOPEN, by=customer_of(turn), text=text)
    words = f"工单 {ticket.number} 已重新打开，我们会继续处理。"
    return Text(text=f"{words}发送“补充”加内容，可以告诉我们还有什么问题。")


async def _newest(turn: Turn, states: frozenset[TicketState]) -> TicketView:
    for ticket in await queries.of_customer(turn.tx, customer_of(turn), limit=20):
        if ticket.state in states:
            return ticket
    raise NotFound(noun="ticket", id="")


async def _last_words(turn: Turn, ticket: TicketView) -> TicketEntryView | None:
    """The newest public line of ours that says something."""
    page = await queries.entries(turn.tx, ticket.id, by=customer_of(turn), limit=200)
    ours = (one for one in reversed(page.items) if one.party is not Party.CUSTOMER and one.text)
    return next(ours, None)


_Act = Callable[[Turn, TicketView, str], Awaitable[Content]]
_ACTS: Final[Mapping[str, _Act]] = {
    "show": _show,
    "reply": _add,
    Action.NUDGE.value: _nudge,
    Action.CONFIRM.value: _confirm,
    Action.REOPEN.value: _reopen,
}
_WORDS: Final[Mapping[str, _Act]] = {
    "催单": _nudge,
    "补充": _add,
    "确认": _confirm,
    "重开": _reopen,
}
