"""How things stand with an address, read in one query before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select

from core.accounts.models import AccountRow
from core.content import Address
from core.conversations.models import ConversationRow
from core.db import Tx
from core.sessions.models import SessionRow
from core.views import ServiceMode, SessionState


@dataclass(frozen=True, slots=True)
class Situation:
    """A snapshot for handlers to think with; what they write is checked against the rows again.

    form: the chat form that the customer is filling, if any. pending: lines of a running burst.
    """

    conversation_id: str
    account_name: str
    customer_id: str
    session_id: str | None
    state: SessionState
    mode: ServiceMode
    bot_misses: int
    pending: tuple[str, ...]
    form: dict[str, Any]
    scene: str

    @property
    def is_with_people(self) -> bool:
        """Does the customer wait for, or talk to, a person?"""
        return self.state in {SessionState.QUEUED, SessionState.SERVING}


async def situation(tx: Tx, address: Address) -> Situation | None:
    """None: nobody has ever written from this address."""
    found = (
        await tx.db.execute(
            select(ConversationRow, AccountRow.name, AccountRow.mode, SessionRow)
            .join(AccountRow, AccountRow.id == ConversationRow.account_id)
            .outerjoin(
                SessionRow,
                and_(
                    SessionRow.conversation_id == ConversationRow.id,
                    SessionRow.state != SessionState.CLOSED,
                ),
            )
            .where(ConversationRow.address_key == address.key)
        )
    ).first()
    if found is None:
        return None
    conversation: ConversationRow = found[0]
    session: SessionRow | None = found[3]
    return Situation(
        conversation_id=conversation.id,
        account_name=found[1],
        customer_id=conversation.customer_id,
        session_id=session.id if session else None,
        state=SessionState(session.state) if session else SessionState.NEW,
        mode=ServiceMode(session.mode if session else found[2]),
        bot_misses=session.bot_misses if session else 0,
        pending=tuple(conversation.pending_lines),
        form=conversation.form,
        scene=conversation.scene,
    )
