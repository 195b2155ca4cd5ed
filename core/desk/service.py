"""The only writer of desks: who it is, which sessions have which numbers, where text goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from sqlalchemy import select

from core.actor import Actor
from core.content import Address, Content, Text
from core.db import Tx
from core.desk import outgoing
from core.desk.models import DeskRow, DeskSessionRow
from core.errors import Invalid, NotFound
from core.permissions import permissions_of
from core.servicers.models import ServicerRow
from core.servicers.queries import servicer_of_wecom, servicer_view
from core.sessions.models import SessionRow
from core.timers.service import Timer, finish
from core.users.models import UserRow
from core.views import Role, ServicerView, SessionState

#: Numbers are given in turn, so that a new customer does not take the number just freed.
TURN: Final = 20


@dataclass(slots=True)
class Desk:
    """A servicer's desk within one open transaction, locked against other writers."""

    tx: Tx
    row: DeskRow
    servicer: ServicerView

    @property
    def address(self) -> Address:
        return Address.parse(self.row.address_key)

    @property
    def is_new(self) -> bool:
        """Is this the servicer's first word to the app?"""
        return self.row.created_at == self.tx.now

    @property
    def focus_id(self) -> str | None:
        return self.row.focus_id

    @property
    def is_quiet(self) -> bool:
        return self.row.is_quiet

    @classmethod
    async def open(cls, tx: Tx, servicer: ServicerView, address: Address) -> Self:
        """The desk of a servicer who is reached at `address`; begun when it is new."""
        row = await tx.db.get(DeskRow, servicer.id, with_for_update=True, populate_existing=True)
        key = address.key
        if row is None:
            row = DeskRow(servicer_id=servicer.id, address_key=key, created_at=tx.now)
            row.shown, row.paced, row.is_quiet, row.last_number = [], [], False, 0
            row.shown_kind = ""
            tx.db.add(row)
            await tx.db.flush()
        row.address_key = key
        return cls(tx, row, servicer)

    @classmethod
    async def of_servicer(cls, tx: Tx, servicer_id: str) -> Self | None:
        """For jobs. None: this servicer has never been reached through the app."""
        row = await tx.db.get(DeskRow, servicer_id, with_for_update=True, populate_existing=True)
        servicer = await tx.db.get(ServicerRow, servicer_id)
        if row is None or servicer is None:
            return None
        return cls(tx, row, servicer_view(servicer))

    # --- what is shown -------------------------------------------------------------------------

    async def answer(self, content: Content | str) -> None:
        """Say something to what the servicer did."""
        await outgoing.show(self.tx, self.row, _content(content), is_answer=True)

    async def notify(self, content: Content | str) -> None:
        """Say what happened elsewhere, unless notices are off."""
        if not self.row.is_quiet:
            await outgoing.show(self.tx, self.row, _content(content))

    async def deal(self, card: outgoing.Shown) -> None:
        """Show a card."""
        await outgoing.owe(self.tx, self.row, card)

    def keep_quiet(self, *, is_quiet: bool) -> None:
        self.row.is_quiet = is_quiet

    # --- sessions and their numbers --------------------------------------------------------------

    async def sessions(self) -> dict[int, str]:
        """Number → session, of what is on the desk; sessions that went elsewhere are let go."""
        found = await self.tx.db.execute(
            select(DeskSessionRow, SessionRow.state, SessionRow.servicer_id)
            .join(SessionRow, SessionRow.id == DeskSessionRow.session_id)
            .where(DeskSessionRow.servicer_id == self.servicer.id)
            .order_by(DeskSessionRow.number)
        )
        numbers: dict[int, str] = {}
        for row, state, servicer_id in found.all():
            if state == SessionState.SERVING and servicer_id == self.servicer.id:
                numbers[row.number] = row.session_id
            elif state == SessionState.CLOSED:
                await self.release(row.session_id)
        return numbers

    async def number_of(self, session_id: str) -> int | None:
        return await self.tx.db.scalar(
            select(DeskSessionRow.number).where(
                DeskSessionRow.servicer_id == self.servicer.id,
                DeskSessionRow.session_id == session_id,
            )
        )

    async def take(self, session_id: str, *, focus: bool = False) -> int:
        """Give a session its number, once; the first on an empty desk is focused at once."""
        number = await self.number_of(session_id)
        if number is None:
            is_first = not await self.sessions()
            number = await self._next_number()
            self.row.last_number = number
            row = DeskSessionRow(
                servicer_id=self.servicer.id, number=number, session_id=session_id
            )
            self.tx.db.add(row)
            focus = focus or is_first
        if focus:
            self.row.focus_id = session_id
        await self.tx.db.flush()
        return number

    async def _next_number(self) -> int:
        """In turn, leaving out what is taken."""
        rows = await self.tx.db.scalars(
            select(DeskSessionRow.number).where(DeskSessionRow.servicer_id == self.servicer.id)
        )
        taken, last = set(rows), self.row.last_number
        turn = [(last + step) % TURN + 1 for step in range(TURN)]
        return next((one for one in turn if one not in taken), max(taken, default=0) + 1)

    async def release(self, session_id: str) -> int | None:
        """Take a session from the desk; text has no aim then, rather than another customer."""
        row = await self.tx.db.scalar(
            select(DeskSessionRow).where(
                DeskSessionRow.servicer_id == self.servicer.id,
                DeskSessionRow.session_id == session_id,
            )
        )
        if self.row.focus_id == session_id:
            self.row.focus_id = None
        if row is None:
            return None
        await self.tx.db.delete(row)
        await self.tx.db.flush()
        return row.number

    async def aim(self, number: int | None) -> tuple[int, str]:
        """The session of this number, or the focused one: (number, session id).

        Raises: NotFound `no_such_number`, Invalid `no_focus`.
        """
        numbers = await self.sessions()
        if number is not None:
            if number not in numbers:
                raise NotFound("no_such_number", number=number)
            return number, numbers[number]
        for known, session_id in numbers.items():
            if session_id == self.row.focus_id:
                return known, session_id
        raise Invalid("no_focus", count=len(numbers))

    def focus(self, session_id: str) -> None:
        self.row.focus_id = session_id

    # --- lists ---------------------------------------------------------------------------------

    def remember(self, kind: str, ids: Sequence[str]) -> None:
        """Keep the list that was shown, so that one of it can be chosen by its place."""
        self.row.shown_kind, self.row.shown = kind, list(ids)

    def chosen(self, place: int) -> tuple[str, str]:
        """(kind, id) at a place of the list, from 1. Raises: NotFound."""
        if not 1 <= place <= len(self.row.shown):
            raise NotFound("nothing_shown", count=len(self.row.shown))
        return self.row.shown_kind, self.row.shown[place - 1]


async def actor_of_member(tx: Tx, userid: str) -> tuple[Actor, ServicerView] | None:
    """Who a member of the company is to us; None for strangers and disabled users."""
    servicer = await servicer_of_wecom(tx, userid)
    user = await tx.db.get(UserRow, servicer.user_id) if servicer else None
    if servicer is None or user is None or user.is_disabled:
        return None
    role = Role(user.role)
    actor = Actor(user.id, servicer.id, servicer.name, role, permissions_of(role))
    return actor, servicer


async def flush_due(tx: Tx, timer: Timer) -> None:
    """The job behind `outgoing.FLUSH_TIMER`. Locks desk before timer, as those who set it do."""
    desk = await Desk.of_servicer(tx, timer.key)
    await finish(tx, timer)
    if desk is not None:
        await outgoing.flush(tx, desk.row)


def _content(content: Content | str) -> Content:
    return Text(text=content) if isinstance(content, str) else content
