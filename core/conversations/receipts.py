"""What became of our messages, and how that moves the reply window's ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.conversations import statements
from core.conversations.models import MessageRow
from core.conversations.threads import Thread
from core.conversations.window import Window
from core.db import Tx
from core.events import MessageDeliveryChanged, MessageRecalled, WindowChanged
from core.settings import reception
from core.views import Delivery


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a message of ours stands."""

    message_id: str
    conversation_id: str
    session_id: str | None


async def set_delivery(
    tx: Tx,
    message_id: str,
    delivery: Delivery,
    *,
    failure: str = "",
    vendor_id: str | None = None,
    joined_to: str | None = None,
) -> Placed | None:
    """What became of a message of ours; None when it is not ours, or nothing changed.

    vendor_id: the platform's own id, where it made one. joined_to: goes as a part of that one.
    """
    row = {
        "an_id": message_id, "to": delivery, "why": failure, "vendor": vendor_id,
        "carrier": joined_to,
    }  # fmt: skip
    rows = await tx.fetch(statements.DELIVERED, row)
    if not rows:
        return None
    found = rows[0]
    tx.emit(
        MessageDeliveryChanged(
            message_id=message_id,
            conversation_id=found.conversation_id,
            session_id=found.session_id,
            delivery=delivery,
            failure=failure,
            joined_to=found.joined_to,
        )
    )
    return Placed(message_id, found.conversation_id, found.session_id)


def close_window(tx: Tx, thread: Thread, session_id: str | None) -> None:
    """The platform says that the window is used up: believe it over our own count."""
    if thread.conversation.window_left is not None:
        set_window(tx, thread, Window(0, thread.conversation.window_until), session_id)


def spend(tx: Tx, thread: Thread, session_id: str | None, count: int) -> None:
    """Something took more messages than was foreseen."""
    set_window(tx, thread, thread.window.take(count), session_id)


async def mark_recalled(tx: Tx, row: MessageRow, at: datetime) -> None:
    """The message was withdrawn, by whoever sent it. Idempotent."""
    if row.recalled_at is not None:
        return
    row.recalled_at = at
    tx.emit(
        MessageRecalled(
            message_id=row.id,
            conversation_id=row.conversation_id,
            session_id=row.session_id,
            recalled_at=at,
        )
    )


def set_window(tx: Tx, thread: Thread, window: Window, session_id: str | None) -> None:
    """Enter a new state of the window and announce it; nothing when it is the old one."""
    conversation = thread.conversation
    if (conversation.window_left, conversation.window_until) == (window.left, window.until):
        return
    conversation.window_left, conversation.window_until = window.left, window.until
    view = window.view(tx.now, tx.settings.get(reception.Window))
    tx.emit_last(
        WindowChanged(conversation_id=conversation.id, session_id=session_id, window=view),
        instead=lambda one: (
            isinstance(one, WindowChanged) and one.conversation_id == conversation.id
        ),
    )
