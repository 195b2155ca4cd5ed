"""What we owed a platform and gave up: shown to people, who may try it once more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Row, Select, select

from core import outbox
from core.actor import Actor
from core.audit import service as audit
from core.content import Address, plain_text
from core.conversations.models import ConversationRow, MessageRow
from core.conversations.receipts import set_delivery
from core.customers.models import CustomerRow
from core.db import Tx
from core.errors import Conflict, NotFound
from core.outbox import OutboxRow
from core.paging import Page, decode_cursor, page_of
from core.permissions import Permission
from core.ports import OutboundMessage
from core.views import Delivery, View


class DeadLetterView(View):
    """kind: the class of the item, such as OutboundMessage. text: of a message, else empty."""

    id: str
    kind: str
    error: str
    attempts: int
    created_at: datetime
    session_id: str | None = None
    customer_name: str = ""
    text: str = ""


async def list_dead_letters(
    tx: Tx, *, cursor: str | None = None, limit: int = 50
) -> Page[DeadLetterView]:
    """Newest first."""
    query = _select().order_by(OutboxRow.id.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(OutboxRow.id < decode_cursor(cursor, int)[0])
    page = page_of((await tx.db.execute(query)).all(), limit, lambda found: (found[0].id,))
    return Page(tuple(_view(found) for found in page.items), page.next_cursor)


async def retry(tx: Tx, item_id: str, *, by: Actor) -> None:
    """Put it back in line. Raises: Forbidden; NotFound; Conflict `not_failed`."""
    by.require(Permission.SESSION_SUPERVISE)
    wanted = select(OutboxRow).where(OutboxRow.item_id == item_id).with_for_update()
    row = await tx.db.scalar(wanted)
    if row is None:
        raise NotFound("dead_letter_not_found")
    if row.state != "failed":
        raise Conflict("not_failed")
    await outbox.resume(tx, Address.parse(row.address_key), [item_id])
    for line in (item_id, *await outbox.carried(tx, item_id)):
        await set_delivery(tx, line, Delivery.PENDING)
    await audit.append(tx, by=by, action="dead_letter.retried", target=item_id)


_Statement = Select[OutboxRow, str | None, str | None, str | None]


def _select() -> _Statement:
    return (
        select(OutboxRow, MessageRow.session_id, MessageRow.text, CustomerRow.name)
        .outerjoin(MessageRow, MessageRow.id == OutboxRow.item_id)
        .outerjoin(ConversationRow, ConversationRow.address_key == OutboxRow.address_key)
        .outerjoin(CustomerRow, CustomerRow.id == ConversationRow.customer_id)
        .where(OutboxRow.state == "failed")
    )


def _view(found: Row[OutboxRow, str | None, str | None, str | None]) -> DeadLetterView:
    row, session_id, text, customer_name = found
    return DeadLetterView(
        id=row.item_id,
        kind=str(row.item["kind"]),
        error=row.error,
        attempts=row.attempts,
        created_at=row.created_at,
        session_id=session_id,
        customer_name=customer_name or "",
        text=_words(row) or text or "",
    )


def _words(row: OutboxRow) -> str:
    """Of a message with all the lines that it took along."""
    item = outbox.load_item(row.item)
    return plain_text(item.content) if isinstance(item, OutboundMessage) else ""
