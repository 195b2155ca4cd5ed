"""The tickets that came of the demo company's past sessions, each step dated when it was taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from bot.demo_past import Told
from core.actor import Actor
from core.clock import ManualClock
from core.db import Tx, UnitOfWork, make_engine
from core.permissions import permissions_of
from core.servicers.queries import list_servicers
from core.tickets import entries, service
from core.tickets.access import CustomerActor
from core.tickets.service import TicketDraft
from core.tickets.states import Action
from core.views import Role

#: The newest only: a past need not be complete.
_AT_MOST: Final = 9
#: As many of them are still being worked on.
_OPEN: Final = 3
_FOUND: Final = "已远程查看，原因找到了，正在处理，处理好马上告诉您。"
_SOLVED: Final = "已处理完成，请您在系统里核对一下；如还有异常请直接回复。"
_QUESTION: Final = "请把服务器的远程识别码发给我们，约今天下午处理。"
_SCORES: Final = (5, 5, 4, 5, 5, 3, 5, 4)

_Done = TypeVar("_Done")


async def load_tickets(database_url: str, told: Sequence[Told]) -> None:
    """told: sessions of the past, oldest first."""
    chosen = [one for one in told if one.story.ticket][-_AT_MOST:]
    clock = ManualClock()
    uow = UnitOfWork(make_engine(database_url), clock)
    try:
        async with uow.read() as tx:
            people = {one.id: one for one in await list_servicers(tx)}
        for place, one in enumerate(chosen):
            servicer = people[one.service.servicer_id]
            role = Role.SERVICER
            by = Actor(servicer.user_id, servicer.id, servicer.name, role, permissions_of(role))
            is_open = place >= len(chosen) - _OPEN
            score = None if is_open else _SCORES[place % len(_SCORES)]
            await _live(_Dated(uow, clock), one, by, score)
    finally:
        await uow.close()


class _Dated:
    """Transactions at moments of the past."""

    def __init__(self, uow: UnitOfWork, clock: ManualClock) -> None:
        self._uow, self._clock = uow, clock

    async def at(self, moment: datetime, step: Callable[[Tx], Awaitable[_Done]]) -> _Done:
        self._clock.advance(seconds=(moment - self._clock.now()).total_seconds())
        async with self._uow.write() as tx:
            return await step(tx)


async def _live(past: _Dated, told: Told, by: Actor, score: int | None) -> None:
    """From the end of the session on; without a score it waits for the customer."""
    begun, customer = told.closed_at, told.thread.customer
    them = CustomerActor(customer.id, customer.name)
    made = await past.at(begun, lambda tx: service.create(tx, _draft(told, by), by=by))

    async def moves(
        after: timedelta, action: Action, text: str = "", who: Actor | CustomerActor = by
    ) -> None:
        await past.at(
            begun + after, lambda tx: service.move(tx, made.id, action, by=who, text=text)
        )

    await moves(timedelta(minutes=4), Action.ACCEPT)
    if score is None:
        await moves(timedelta(minutes=9), Action.AWAIT, _QUESTION)
        return
    found = begun + timedelta(minutes=15)
    await past.at(found, lambda tx: entries.reply(tx, made.id, _FOUND, by=by))
    await moves(timedelta(minutes=70), Action.RESOLVE, _SOLVED)
    await moves(timedelta(minutes=95), Action.CONFIRM, who=them)
    rated = begun + timedelta(minutes=96)
    await past.at(rated, lambda tx: entries.rate(tx, made.id, score, by=them))


def _draft(told: Told, by: Actor) -> TicketDraft:
    return TicketDraft(
        told.story.ticket,
        told.thread.customer.id,
        description=told.story.summary,
        category_id=told.service.category_id,
        source="session",
        session_id=told.session_id,
        servicer_id=by.servicer_id,
        tags=told.story.tags,
    )
