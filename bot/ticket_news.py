"""What happens to a ticket, told to its customer in chat, within the reply window's ledger.

A reliable listener; a line that the window does not allow is held until the customer writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from bot.turn import Turn
from core.bus import Logged
from core.db import Tx
from core.errors import Conflict
from core.events import Event, TicketEntryAdded, TicketMoved
from core.tickets.customer_page import conversation_of
from core.tickets.states import Action
from core.views import Party, TicketView

LISTENER: Final = "ticket_news"
_MOVES: Final[Mapping[str, str]] = {
    Action.ACCEPT: "您的工单 {number} 已受理，{servicer}正在处理。",
    Action.AWAIT: "您的工单 {number} 需要您补充信息：{text}",
    Action.RESOLVE: "您的工单 {number} 已解决。{text}\n请回复“确认”关闭，或回复“重开”继续处理。",
    Action.CLOSE: "您的工单 {number} 已关闭。{text}",
    Action.CONFIRM: "您的工单 {number} 已关闭，感谢您的支持。",
}


async def hear(tx: Tx, batch: Sequence[Logged]) -> None:
    """The listener's handler."""
    for one in batch:
        found = news_of(one.event)
        if found is None:
            continue
        ticket, words = found
        conversation_id = await conversation_of(tx, ticket)
        if conversation_id is not None:
            turn = await Turn.of_conversation(tx, conversation_id)
            with suppress(Conflict):  # the platform's client has the session: people tell it there
                await turn.say(words)


def news_of(event: Event) -> tuple[TicketView, str] | None:
    """The ticket and the words; None for what the customer did, or need not hear."""
    match event:
        case TicketMoved(party=party, action=action) if party is not Party.CUSTOMER:
            if action not in _MOVES:
                return None
            servicer = f"{event.ticket.servicer_name} " if event.ticket.servicer_name else ""
            words = _MOVES[action].format(
                number=event.ticket.number, servicer=servicer, text=event.text
            )
            return event.ticket, words
        case TicketEntryAdded(entry=entry) if (
            entry.is_public and entry.party is not Party.CUSTOMER
        ):
            return event.ticket, f"工单 {event.ticket.number} 有新回复：{entry.text}"
        case _:
            return None
