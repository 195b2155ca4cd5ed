"""Sessions in which something has not happened for too long: pure selections, one per rule."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, or_, select

from core.conversations.models import ConversationRow
from core.db import Tx
from core.servicers.models import ServicerRow
from core.sessions.models import SessionRow
from core.settings.reception import Reception
from core.views import Presence, ServiceMode, SessionState

_AT_ONCE = 200


async def idle_bot_sessions(tx: Tx) -> list[str]:
    """With the bot, and nobody has said anything for long: they end."""
    silence = timedelta(seconds=tx.settings.get(Reception).bot_close_s)
    rows = await tx.db.scalars(
        select(SessionRow.id)
        .join(ConversationRow, ConversationRow.id == SessionRow.conversation_id)
        .where(
            SessionRow.state.in_((SessionState.NEW, SessionState.BOT)),
            ConversationRow.last_message_at < tx.now - silence,
        )
        .limit(_AT_ONCE)
    )
    return list(rows)


async def slow_sessions(tx: Tx) -> list[str]:
    """Served sessions whose customer waits long, and nobody has been told of this wait."""
    patience = timedelta(seconds=tx.settings.get(Reception).servicer_slow_s)
    not_told = or_(
        SessionRow.warned_at.is_(None),
        SessionRow.warned_at < SessionRow.waiting_since,
        SessionRow.warned_at < SessionRow.served_since,
    )
    rows = await tx.db.scalars(
        select(SessionRow.id)
        .where(
            SessionRow.state == SessionState.SERVING,
            SessionRow.waiting_since < tx.now - patience,
            SessionRow.served_since < tx.now - patience,
            not_told,
        )
        .order_by(SessionRow.waiting_since)
        .limit(_AT_ONCE)
    )
    return list(rows)


async def unanswered_sessions(tx: Tx) -> list[tuple[str, str]]:
    """(id, why) of console sessions whose customer waits too long for the person who has them.

    However long they waited for somebody else: each has the time that is set.
    Not of those that wait, by choice, for somebody to come back.
    """
    words = tx.settings.get(Reception)
    patience = tx.now - timedelta(seconds=words.servicer_silent_s)
    silent = and_(SessionRow.waiting_since < patience, SessionRow.served_since < patience)
    gone = and_(
        ServicerRow.presence == Presence.OFFLINE,
        SessionRow.waiting_since < tx.now - timedelta(seconds=words.away_grace_s),
    )
    rows = await tx.db.execute(
        select(SessionRow.id, ServicerRow.presence)
        .join(ServicerRow, ServicerRow.id == SessionRow.servicer_id)
        .where(
            SessionRow.state == SessionState.SERVING,
            SessionRow.mode == ServiceMode.CONSOLE,
            or_(silent, gone),
            or_(ServicerRow.keeps_until.is_(None), ServicerRow.keeps_until < tx.now),
        )
        .order_by(SessionRow.waiting_since)
        .limit(_AT_ONCE)
    )
    return [
        (row[0], "servicer_offline" if row[1] == Presence.OFFLINE else "servicer_silent")
        for row in rows
    ]


async def silent_customers(tx: Tx) -> tuple[list[str], list[str]]:
    """Served sessions whose customer does not answer: (to be reminded once, to be ended)."""
    words = tx.settings.get(Reception)
    answered = and_(
        SessionRow.state == SessionState.SERVING,
        SessionRow.mode == ServiceMode.CONSOLE,
        SessionRow.waiting_since.is_(None),
    )
    since = ConversationRow.last_message_at
    end_before = tx.now - timedelta(seconds=words.customer_close_s)
    remind_before = tx.now - timedelta(seconds=words.customer_silent_s)
    joined = select(SessionRow.id).join(
        ConversationRow, ConversationRow.id == SessionRow.conversation_id
    )
    remind = joined.where(
        answered,
        SessionRow.last_servicer_at < remind_before,
        since < remind_before,
        SessionRow.reminded_at.is_(None),
    )
    end = joined.where(
        answered,
        SessionRow.last_servicer_at < end_before,
        or_(SessionRow.reminded_at < remind_before, SessionRow.reminded_at.is_(None)),
        since < remind_before,
    )
    return (
        list(await tx.db.scalars(remind.limit(_AT_ONCE))),
        list(await tx.db.scalars(end.limit(_AT_ONCE))),
    )
