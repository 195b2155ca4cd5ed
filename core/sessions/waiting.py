"""What waiting customers are told while they wait: their place, and when nobody will come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from core.content import Content, Text
from core.conversations.service import Speech, say
from core.conversations.threads import get_thread
from core.db import Tx
from core.queues.updates import RESERVE, is_worth_telling
from core.queues.words import queue_words
from core.sessions.models import SessionRow
from core.sessions.moves import get_session
from core.sessions.queries import queue_state
from core.settings.reception import Reception
from core.views import Sender, SessionState

_AT_ONCE = 200
_QUEUED = SessionRow.state == SessionState.QUEUED


@dataclass(frozen=True, slots=True)
class Waiting:
    """Sessions of one route, who wait for the same people. since: the first of them."""

    session_ids: Sequence[str]
    since: datetime


async def moved_up(tx: Tx) -> list[str]:
    """Sessions whose new place is worth telling."""
    most = tx.settings.get(Reception).queue_updates_max
    place = func.row_number().over(order_by=(SessionRow.rank_at, SessionRow.id)).label("place")
    columns = (SessionRow.id, SessionRow.told_place, SessionRow.told_times, place)
    ranked = select(*columns).where(_QUEUED).subquery()
    rows = await tx.db.execute(
        select(ranked.c.id, ranked.c.told_place, ranked.c.place)
        .where(ranked.c.told_times < most, ranked.c.place < ranked.c.told_place)
        .order_by(ranked.c.place)
        .limit(_AT_ONCE)
    )
    return [row.id for row in rows if is_worth_telling(row.told_place, row.place)]


async def tell_place(tx: Tx, session_id: str) -> None:
    """Where they stand now, as long as that leaves room for what matters more."""
    row = await get_session(tx, session_id, lock=True)
    if row.state != SessionState.QUEUED or row.told_place is None:
        return
    place, promise = await queue_state(tx, row)
    thread = await get_thread(tx, row.conversation_id)
    if promise is None or not is_worth_telling(row.told_place, place):
        return
    if not thread.window.allows(1, tx.now, reserve=RESERVE):
        return
    row.told_place, row.told_times = place, row.told_times + 1
    words = queue_words(tx, place, promise)
    await say(tx, thread, row.id, Speech([Text(text=words)], Sender.SYSTEM))


async def not_offered(tx: Tx) -> list[Waiting]:
    """Those who wait and were not offered to leave a message, by whom they wait for."""
    rows = await tx.db.execute(
        select(SessionRow.id, SessionRow.account_id, SessionRow.route, SessionRow.queued_at)
        .where(_QUEUED, SessionRow.offered_at.is_(None))
        .order_by(SessionRow.queued_at)
        .limit(_AT_ONCE)
    )
    found: dict[tuple[str, str], tuple[list[str], datetime]] = {}
    for session_id, account_id, route, queued_at in rows:
        ids, _ = found.setdefault((account_id, route), ([], queued_at or tx.now))
        ids.append(session_id)
    return [Waiting(ids, since) for ids, since in found.values()]


async def offer(tx: Tx, session_id: str, content: Content) -> None:
    """Tell them, once, that nobody comes for now, and what they can do instead."""
    row = await get_session(tx, session_id, lock=True)
    if row.state != SessionState.QUEUED or row.offered_at is not None:
        return
    row.offered_at = tx.now
    thread = await get_thread(tx, row.conversation_id)
    if thread.window.allows(1, tx.now):
        await say(tx, thread, row.id, Speech([content], Sender.SYSTEM))
