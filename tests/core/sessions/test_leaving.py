"""Whoever leaves in the moment in which something is given to them does not get it."""

from __future__ import annotations

import pytest

from core.db import UnitOfWork
from core.servicers.queries import get_servicer
from core.servicers.service import set_presence
from core.sessions.drain import drain_queue
from core.sessions.queries import session_view
from core.views import Presence, SessionState
from tests.core.sessions.people import SYSTEM, a_servicer, a_waiting_session, an_account, goes
from tests.rival import Rival

pytestmark = pytest.mark.postgres


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """On SQLite nobody leaves in the middle of a transaction."""
    return postgres_url


async def test_who_left_since_they_were_chosen_is_passed_over(uow: UnitOfWork) -> None:
    await an_account(uow)
    leaving = await a_servicer(uow, "leaving", online=False)
    session = await a_waiting_session(uow, "wm1")
    await goes(uow, leaving, Presence.ONLINE)
    assigning = Rival(uow, lambda: drain_queue(uow))
    async with uow.write() as tx:
        await set_presence(tx, leaving, Presence.OFFLINE, by=SYSTEM)
        await assigning.begins()  # it has chosen them, as nobody knows that they leave
    await assigning.ends()
    async with uow.read() as tx:
        assert (await session_view(tx, session.id)).state is SessionState.QUEUED
        assert (await get_servicer(tx, leaving)).open_sessions == 0
