"""Tickets as customers read them in chat: lists, progress, menus and the link to the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from core.clock import LOCAL_ZONE
from core.content import Content, Menu, MenuItem, Text
from core.db import Tx
from core.sealing import KeyRing
from core.settings.reception import Rating
from core.tickets.customer_page import link_token
from core.tickets.states import UNRESOLVED, Action, actions_for
from core.views import Party, TicketEntryView, TicketState, TicketView

#: Menu ids: `tkt_<verb>_<ticket id>`, `tktrate_<score>_<ticket id>`; platforms allow [a-zA-Z0-9_].
ACT, RATE = "tkt_", "tktrate_"
LIST_WORDS: Final = ("我的工单", "查工单", "工单进度", "工单")
MINE: Final = "mytickets"
MINE_ITEM: Final = MenuItem(id=MINE, label="我的工单")
STATES: Final[Mapping[TicketState, str]] = {
    TicketState.NEW: "待受理",
    TicketState.OPEN: "处理中",
    TicketState.WAITING: "等待您补充",
    TicketState.SUSPENDED: "已挂起",
    TicketState.RESOLVED: "已解决，请确认",
    TicketState.CLOSED: "已关闭",
    TicketState.CANCELLED: "已取消",
}
HELP: Final = "请发送“报修”，按提示填写；也可以一句话说完，例如：报修 数据上报失败，提示超时。"
#: What the state table may allow the customer, as buttons.
_BUTTONS: Final[Mapping[Action, str]] = {
    Action.NUDGE: "催单",
    Action.CONFIRM: "确认解决",
    Action.REOPEN: "重新打开",
}


async def page_link(tx: Tx, keys: KeyRing, public_url: str, ticket: TicketView) -> str:
    token = await link_token(tx, keys, ticket)
    return f"{public_url.rstrip('/')}/h5/#/ticket/{token}"


def list_menu(tickets: Sequence[TicketView]) -> Menu:
    items = [
        MenuItem(id=f"{ACT}show_{one.id}", label=f"{one.number} {one.title[:20]}")
        for one in tickets
    ]
    states = [f"{one.number}：{STATES[one.state]}" for one in tickets]
    return Menu(
        head="\n".join(["您最近的工单：", *states, "点一下查看进度："]), items=tuple(items)
    )


def ticket_menu(ticket: TicketView, last: TicketEntryView | None, *, can_reopen: bool) -> Menu:
    """State, stations and last words, with what the customer may do now."""
    allowed = set(actions_for(ticket.state, Party.CUSTOMER))
    if not can_reopen:
        allowed.discard(Action.REOPEN)
    items = [
        MenuItem(id=f"{ACT}{action}_{ticket.id}", label=label)
        for action, label in _BUTTONS.items()
        if action in allowed
    ]
    if ticket.state in UNRESOLVED:
        items.insert(1, MenuItem(id=f"{ACT}reply_{ticket.id}", label="补充说明"))
    return Menu(head=_progress(ticket, last), items=(*items, MINE_ITEM))


def resolved_menu(ticket: TicketView, words: str) -> Menu:
    items = (
        MenuItem(id=f"{ACT}{Action.CONFIRM}_{ticket.id}", label="确认解决"),
        MenuItem(id=f"{ACT}{Action.REOPEN}_{ticket.id}", label="没解决"),
    )
    return Menu(head=f"{words}\n请确认是否已经解决：", items=items)


def closed_content(tx: Tx, ticket: TicketView, words: str) -> Content:
    """With the invitation to rate, where there is something to rate."""
    rating = tx.settings.get(Rating)
    if not rating.is_enabled or ticket.rating_score is not None:
        return Text(text=words)
    items = tuple(
        MenuItem(id=f"{RATE}{score}_{ticket.id}", label=label)
        for score, label in zip(range(5, 0, -1), rating.labels, strict=True)
    )
    return Menu(head=f"{words}\n{rating.question}", items=items)


def spoken_wait(left: timedelta) -> str:
    return f"{max(1, -(-int(left.total_seconds()) // 60))} 分钟"


def _progress(ticket: TicketView, last: TicketEntryView | None) -> str:
    moments = (
        ("提交", ticket.created_at),
        ("受理", ticket.accepted_at),
        ("解决", ticket.resolved_at),
        ("关闭", ticket.closed_at),
    )
    passed = [f"{at.astimezone(LOCAL_ZONE):%m-%d %H:%M} {name}" for name, at in moments if at]
    who = [f"处理人：{ticket.servicer_name}"] if ticket.servicer_name else []
    said = [f"最新进展：{last.text[:200]}"] if last else []
    head = f"{ticket.number} {ticket.title[:60]}\n状态：{STATES[ticket.state]}"
    return "\n".join([head, *who, *passed, *said])
