"""What waiting customers are told while they wait: their place, and when nobody will come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from core.content import Content, Text
from core.conversations.service import Speech, say
from core.conversations.threads import Thread
from core.db import Tx
from core.queues.updates import RESERVE, is_worth_telling
from core.queues.words import promise_of, queue_words
from core.sessions.models import SessionRow
from core.sessions.moves import hold_session
from core.sessions.queue import OWN_QUEUE, queue_state
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
    """Sessions whose new place is worth telling; those that came back were told none yet."""
    most = tx.settings.get(Reception).queue_updates_max
    order = (SessionRow.rank_at, SessionRow.id)
    place = func.row_number().over(partition_by=OWN_QUEUE, order_by=order).label("place")
    columns = (SessionRow.id, SessionRow.told_place, SessionRow.told_times, place)
    ranked = select(*columns).where(_QUEUED).subquery()
    is_nearer = or_(ranked.c.told_place.is_(None), ranked.c.place < ranked.c.told_place)
    rows = await tx.db.execute(
        select(ranked.c.id, ranked.c.told_place, ranked.c.place)
        .where(ranked.c.told_times < most, is_nearer)
        .order_by(ranked.c.place)
        .limit(_AT_ONCE)
    )
    return [row.id for row in rows if is_worth_telling(row.told_place, row.place)]


async def tell_place(tx: Tx, session_id: str) -> None:
    """Where they stand now, as long as that leaves room for what matters more."""
    row, thread = await hold_session(tx, session_id)
    if row.state == SessionState.QUEUED:
        await tell_standing(tx, row, thread)


async def tell_standing(tx: Tx, row: SessionRow, thread: Thread) -> None:
    """Of a session that is held. Where somebody is free this moment, they come before words."""
    place, promise = await queue_state(tx, row)
    is_first = row.told_place is None
    if is_first and promise == 0 and row.queued_at == tx.now:
        return
    if (promise is None and not is_first) or not is_worth_telling(row.told_place, place):
        return
    if not thread.window.allows(1, tx.now, reserve=RESERVE):
        return
    if is_first:
        row.promised_wait_s = promise_of(tx, promise)
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
    row, thread = await hold_session(tx, session_id)
    if row.state != SessionState.QUEUED or row.offered_at is not None:
        return
    row.offered_at = tx.now
    if thread.window.allows(1, tx.now):
        await say(tx, thread, row.id, Speech([content], Sender.SYSTEM))
