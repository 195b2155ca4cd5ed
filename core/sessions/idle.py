"""Sessions in which nothing happens any more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from core.conversations.models import ConversationRow
from core.db import Tx
from core.sessions.models import SessionRow
from core.views import SessionState

_AT_ONCE = 200


async def idle_bot_sessions(tx: Tx, silence: timedelta) -> list[str]:
    """Ids of sessions with the bot whose conversation has been silent for so long."""
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
