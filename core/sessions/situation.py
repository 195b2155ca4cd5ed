"""How things stand with an address, read in one query before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, literal_column, select

from core.accounts.models import AccountRow
from core.content import Address
from core.conversations.models import ConversationRow
from core.customers.models import CustomerRow, InstitutionRow
from core.db import Tx
from core.sessions.models import SessionRow
from core.statements import Statement
from core.views import ServiceMode, SessionState


@dataclass(frozen=True, slots=True)
class Situation:
    """A snapshot for handlers to think with; what they write is checked against the rows again.

    form: the chat form that the customer is filling, if any. pending: lines of a running burst.
    institution_kind: of the customer's institution; empty when there is none.
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
    institution_kind: str = ""

    @property
    def is_with_people(self) -> bool:
        """Does the customer wait for, or talk to, a person?"""
        return self.state in {SessionState.QUEUED, SessionState.SERVING}


_SITUATION = Statement(
    select(
        ConversationRow.id.label("conversation_id"),
        ConversationRow.customer_id,
        ConversationRow.pending_lines,
        ConversationRow.form,
        ConversationRow.scene,
        AccountRow.name.label("account_name"),
        AccountRow.mode.label("account_mode"),
        InstitutionRow.kind.label("institution_kind"),
        SessionRow.id.label("session_id"),
        SessionRow.state,
        SessionRow.mode,
        SessionRow.bot_misses,
    )
    .join(AccountRow, AccountRow.id == ConversationRow.account_id)
    .join(CustomerRow, CustomerRow.id == ConversationRow.customer_id)
    .outerjoin(InstitutionRow, InstitutionRow.id == CustomerRow.institution_id)
    .outerjoin(
        SessionRow,
        and_(
            SessionRow.conversation_id == ConversationRow.id,
            SessionRow.state != literal_column("'closed'"),
        ),
    )
    .where(ConversationRow.address_key == bindparam("an_address"))
)


async def situation(tx: Tx, address: Address) -> Situation | None:
    """None: nobody has ever written from this address."""
    rows = await tx.fetch(_SITUATION, {"an_address": address.key})
    if not rows:
        return None
    found = rows[0]
    return Situation(
        conversation_id=found.conversation_id,
        account_name=found.account_name,
        customer_id=found.customer_id,
        session_id=found.session_id,
        state=SessionState(found.state) if found.session_id else SessionState.NEW,
        mode=ServiceMode(found.mode or found.account_mode),
        bot_misses=found.bot_misses or 0,
        pending=tuple(found.pending_lines),
        form=found.form,
        scene=found.scene,
        institution_kind=found.institution_kind or "",
    )
