"""A customer on an account, for tests of the desk."""

from __future__ import annotations

from collections.abc import Sequence

from admin_api.socket.hub import SocketHub
from core.accounts.limits import AccountLimits
from core.accounts.service import register
from core.bus import EventBus, Logged
from core.content import Address, Content, Text
from core.conversations.service import Heard, hear
from core.conversations.threads import ensure_thread
from core.db import UnitOfWork
from core.ids import new_id
from core.local import LocalWakeUp
from core.sessions import service
from core.sessions.queries import open_session_of

LIMITS = AccountLimits(
    window_messages=5, window_s=48 * 3600, has_native_handover=True, can_recall=True
)


class Customer:
    """Speaks on one account; `session_id` is the open session."""

    def __init__(self, uow: UnitOfWork, name: str = "wm-one", account: str = "kf-one") -> None:
        self._uow = uow
        self.address = Address("sandbox", account, name)
        self.session_id = ""

    async def says(self, *contents: str | Content) -> None:
        async with self._uow.write() as tx:
            await register(
                tx, channel="sandbox", account=self.address.account, name="疾控", limits=LIMITS
            )
            thread = await ensure_thread(tx, self.address)
            row = await open_session_of(tx, thread.conversation.id)
            if row is None:
                row = await service.open_session(tx, thread, topic="咨询")
            self.session_id = row.id
            for content in contents:
                said = Text(text=content) if isinstance(content, str) else content
                await hear(tx, thread, row.id, Heard(new_id(), said, tx.now))
                service.note_heard(tx, row)

    async def asks_for_people(self) -> None:
        async with self._uow.write() as tx:
            thread = await ensure_thread(tx, self.address)
            await service.hand_off(tx, thread, self.session_id, reason="asked", notify=False)


def bus_to(hub: SocketHub, uow: UnitOfWork) -> EventBus:
    """The bus as `bot.app` builds it, turned by hand."""

    async def feed(batch: Sequence[Logged]) -> None:
        hub.feed([(one.id, one.event, one.event.model_dump_json()) for one in batch])

    return EventBus(uow, LocalWakeUp(), feeds=[feed])
