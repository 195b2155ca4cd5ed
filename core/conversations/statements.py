"""What every message runs on the driver: its line, its place in the window, its delivery."""

from __future__ import annotations

from typing import cast

from sqlalchemy import (
    String,
    Table,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from core.conversations.models import MessageRow
from core.outbox import OutboxRow
from core.statements import Statement

_TABLE = cast("Table", MessageRow.__table__)
_T = _TABLE.c
INSERT = Statement(
    insert(_TABLE).returning(_T.seq),
    columns=(
        "id", "account_id", "conversation_id", "session_id", "vendor_id", "sender", "servicer_id",
        "content", "text", "sent_at", "created_at", "delivery", "failure", "client_id", "part",
        "source", "joined_to",
    ),
)  # fmt: skip
SLOTS_TAKEN = Statement(
    select(func.count().label("taken"))
    .select_from(MessageRow)
    .join(OutboxRow, OutboxRow.item_id == MessageRow.id)
    .where(
        MessageRow.conversation_id == bindparam("a_conversation"),
        MessageRow.sent_at >= bindparam("after"),
        MessageRow.delivery.in_((literal_column("'pending'"), literal_column("'sent'"))),
        OutboxRow.takes_slot.is_(True),
    )
)
DELIVERED = Statement(
    update(_TABLE)
    .where(
        _T.id == bindparam("an_id"),
        or_(_T.delivery != bindparam("to"), _T.failure != bindparam("why")),
    )
    .values(
        delivery=bindparam("to"),
        failure=bindparam("why"),
        vendor_id=func.coalesce(bindparam("vendor", type_=String), _T.vendor_id),
        joined_to=func.coalesce(bindparam("carrier", type_=String), _T.joined_to),
    )
    .returning(_T.conversation_id, _T.session_id, _T.joined_to)
)
