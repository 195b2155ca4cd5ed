"""A batch of events and how things stand now, for those that tell servicers of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from bot.desk.bench import APP_CHANNEL
from core.content import Address
from core.db import Tx
from core.desk import queries
from core.desk.queries import Served
from core.desk.service import Desk
from core.views import ServicerView

WINDOW_TIMER: Final = "desk.window"
DIGEST_TIMER: Final = "desk.digest"


@dataclass(frozen=True, slots=True)
class TicketNote:
    """Why a ticket wants somebody. by: who did it; that person need not be told."""

    head: str
    detail: str = ""
    by: str = ""
    follow_up_id: str | None = None


@dataclass(slots=True)
class News:
    """account: the app's agent id. now: sessions of the batch that are served at this moment.

    coming: sessions that the batch introduces. shown: messages that introductions have shown.
    tickets: (servicer, ticket) → why that ticket wants that servicer; dealt when all is heard.
    """

    tx: Tx
    account: str
    now: dict[str, Served]
    coming: set[str]
    shown: set[str] = field(default_factory=set)
    tickets: dict[tuple[str, str], list[TicketNote]] = field(default_factory=dict)

    def note(self, servicer_id: str, ticket_id: str, note: TicketNote) -> None:
        self.tickets.setdefault((servicer_id, ticket_id), []).append(note)

    async def desk(self, servicer: ServicerView) -> Desk:
        address = Address(APP_CHANNEL, self.account, servicer.wecom_userid or "")
        return await Desk.open(self.tx, servicer, address)

    async def desk_of(self, servicer_id: str | None) -> Desk | None:
        """None: this servicer is not reached through the app."""
        servicer = await queries.reachable(self.tx, servicer_id)
        return await self.desk(servicer) if servicer else None

    def served(self, session_id: str | None) -> Served | None:
        return self.now.get(session_id) if session_id else None
