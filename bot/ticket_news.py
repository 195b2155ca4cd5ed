"""What happens to a ticket, told to its customer in chat, within the reply window's ledger.

A reliable listener; a line that the window does not allow is held until the customer writes, and
the last slot is left for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from bot.ticket_words import closed_content, page_link, resolved_menu
from bot.turn import Turn
from core.bus import Listener, Logged
from core.content import Content, Text
from core.db import Tx
from core.errors import Conflict
from core.events import Event, TicketEntryAdded, TicketMoved, types_of
from core.sealing import KeyRing
from core.tickets.customer_page import conversation_of
from core.tickets.reach import RESERVED
from core.tickets.states import Action
from core.views import Party, TicketView

#: What `news_of` looks at.
_WANTED: Final = types_of(TicketMoved, TicketEntryAdded)
_MOVES: Final[Mapping[str, str]] = {
    Action.ACCEPT: "您的工单 {number} 已受理，{servicer}正在处理。",
    Action.AWAIT: "您的工单 {number} 需要您补充信息：{text}\n回复“补充”加内容即可。",
    Action.RESOLVE: "您的工单 {number} 已解决。{text}",
    Action.CLOSE: "您的工单 {number} 已关闭。{text}",
    Action.CONFIRM: "您的工单 {number} 已关闭，感谢您的支持。",
}
#: With these the customer also gets the link to the ticket's page.
_LINKED: Final = frozenset({Action.ACCEPT.value, Action.AWAIT.value})


def ticket_news(keys: KeyRing, public_url: str) -> Listener:
    """public_url: where customers' pages are."""
    return Listener("ticket_news", _TicketNews(keys, public_url).hear, _WANTED, begins_now=True)


@dataclass(frozen=True, slots=True)
class _TicketNews:
    keys: KeyRing
    public_url: str

    async def hear(self, tx: Tx, batch: Sequence[Logged]) -> None:
        for one in batch:
            found = news_of(one.event)
            if found is None:
                continue
            ticket, action, words = found
            conversation_id = await conversation_of(tx, ticket)
            if conversation_id is None:
                continue
            turn = await Turn.of_conversation(tx, conversation_id)
            with suppress(Conflict):  # the platform's client has the session: people tell it there
                await turn.say(await self._content(tx, ticket, action, words), reserve=RESERVED)

    async def _content(self, tx: Tx, ticket: TicketView, action: str, words: str) -> Content:
        match action:
            case Action.RESOLVE:
                return resolved_menu(ticket, words)
            case Action.CLOSE | Action.CONFIRM:
                return closed_content(tx, ticket, words)
            case _ if action in _LINKED:
                link = await page_link(tx, self.keys, self.public_url, ticket)
                return Text(text=f"{words}\n进度：{link}")
            case _:
                return Text(text=words)


def news_of(event: Event) -> tuple[TicketView, str, str] | None:
    """Ticket, action and words; None for what the customer did, or need not hear."""
    match event:
        case TicketMoved(party=party, action=action) if party is not Party.CUSTOMER:
            if action not in _MOVES:
                return None
            servicer = f"{event.ticket.servicer_name} " if event.ticket.servicer_name else ""
            words = _MOVES[action].format(
                number=event.ticket.number, servicer=servicer, text=event.text
            )
            return event.ticket, action, words.strip()
        case TicketEntryAdded(entry=entry) if (
            entry.is_public and entry.party is not Party.CUSTOMER
        ):
            words = f"工单 {event.ticket.number} 有新回复：{entry.text or '[附件]'}"
            return event.ticket, "", words
        case _:
            return None
