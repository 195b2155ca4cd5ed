"""A small company for tests of sessions and routing."""

from __future__ import annotations

from itertools import count

from core.accounts.limits import AccountLimits
from core.accounts.service import register
from core.actor import Actor
from core.content import Address, Text
from core.conversations.service import Heard, hear
from core.conversations.threads import ensure_thread
from core.db import UnitOfWork
from core.servicers import service as servicers
from core.sessions import service as sessions
from core.users.service import NewUser
from core.users.service import create as create_user
from core.views import Presence, Role, SessionView

SYSTEM = Actor.system("test")
_NUMBERS = count(1)


async def an_account(uow: UnitOfWork, *, native: bool = False) -> str:
    limits = AccountLimits(window_messages=5, window_s=172800, has_native_handover=native)
    async with uow.write() as tx:
        view = await register(tx, channel="wecom_kf", account="wk1", name="支持", limits=limits)
    return view.id


async def a_servicer(uow: UnitOfWork, name: str, *, capacity: int = 5, online: bool = True) -> str:
    async with uow.write() as tx:
        new = NewUser(f"{name}{next(_NUMBERS)}", name, "hash", Role.SERVICER)
        user = await create_user(tx, new, by=SYSTEM)
        view = await servicers.create(tx, user_id=user.id, name=name, capacity=capacity, by=SYSTEM)
    if online:
        await goes(uow, view.id, Presence.ONLINE)
    return view.id


async def goes(uow: UnitOfWork, servicer_id: str, presence: Presence) -> None:
    async with uow.write() as tx:
        await servicers.set_presence(tx, servicer_id, presence, by=SYSTEM)


async def a_waiting_session(uow: UnitOfWork, user: str, words: str = "转人工") -> SessionView:
    """A customer of this name has asked for a person."""
    async with uow.write() as tx:
        thread = await ensure_thread(tx, Address("wecom_kf", "wk1", user))
        row = await sessions.open_session(tx, thread, topic=words)
        line = Heard(f"m{next(_NUMBERS)}", Text(text=words), tx.now)
        await hear(tx, thread, row.id, line)
        return await sessions.hand_off(tx, thread, row.id, reason="asked")


def acting_as(servicer_id: str, *, supervisor: bool = False) -> Actor:
    from core.permissions import permissions_of

    role = Role.SUPERVISOR if supervisor else Role.SERVICER
    return Actor("u", servicer_id, "某客服", role, permissions_of(role))
