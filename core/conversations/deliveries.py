"""What became of what we sent: the platform's answer, written into transcript and ledger."""

from __future__ import annotations

from core import outbox
from core.conversations.models import MessageRow
from core.conversations.queries import get_message
from core.conversations.receipts import (
    Placed,
    close_window,
    mark_recalled,
    set_delivery,
    spend,
)
from core.conversations.threads import find_thread, hold_address
from core.db import Tx
from core.desk import cards
from core.errors import NotFound
from core.events import AlarmRaised
from core.outbox import Parcel
from core.ports import (
    CardMessage,
    HandoverCommand,
    OutboundMessage,
    RecallCommand,
    Receipt,
    SendFailure,
)
from core.views import Delivery

#: A message that waits for the customer is not a failure; everything else that ends is.
_ENDS_HELD = {"window_closed"}


async def delivered(tx: Tx, parcel: Parcel, receipt: Receipt) -> None:
    """The platform took it."""
    more = _unforeseen(parcel, receipt)
    if more:  # before the parcel, as whoever writes
        await hold_address(tx, parcel.item.address)
    await outbox.settle(tx, parcel, "sent")
    item = parcel.item
    if isinstance(item, OutboundMessage):
        vendor_id = receipt.vendor_id if receipt.vendor_id != item.message_id else None
        placed = await set_delivery(tx, item.message_id, Delivery.SENT, vendor_id=vendor_id)
        for line in item.also:
            await set_delivery(tx, line, Delivery.SENT)
        await _count(tx, parcel, more, placed)
    elif isinstance(item, HandoverCommand) and item.farewell is not None:
        is_sent = receipt.facts.get("farewell", "sent") == "sent"
        state, failure = (Delivery.SENT, "") if is_sent else (Delivery.FAILED, "no_code")
        placed = await set_delivery(tx, item.command_id, state, failure=failure)
        if is_sent:
            await _count(tx, parcel, more, placed)
    elif isinstance(item, CardMessage):
        code = receipt.facts.get("response_code", "")
        await cards.keep_code(tx, item.task_id, code, tx.now)
    elif isinstance(item, RecallCommand):
        for line in (item.message_id, *await outbox.carried(tx, item.message_id)):
            await mark_recalled(tx, await get_message(tx, line), tx.now)


def _unforeseen(parcel: Parcel, receipt: Receipt) -> int:
    """How many slots more than planned it took.

    The channel had to cut it into several, or the code that it should go by was refused.
    """
    if not isinstance(parcel.item, OutboundMessage | HandoverCommand):
        return 0
    by_code = receipt.facts.get("by") == "code"
    taken = int(receipt.facts.get("parts", "1")) - by_code
    return max(0, taken - parcel.takes_slot)


async def _count(tx: Tx, parcel: Parcel, more: int, placed: Placed | None) -> None:
    """What counts for the platform counts for us."""
    if placed is None or not more:
        return
    thread = await find_thread(tx, address=parcel.item.address)
    if thread is not None:
        spend(tx, thread, placed.session_id, more)
        thread.conversation.last_ours_at = tx.now
        if not parcel.takes_slot:
            await outbox.count_slot(tx, parcel)


async def refused(tx: Tx, parcel: Parcel, failure: SendFailure) -> None:
    """The platform will not take it: hold it for the customer's next word, or give it up aloud."""
    item = parcel.item
    await hold_address(tx, item.address)  # before the parcel, as whoever writes
    is_held = failure.kind in _ENDS_HELD and isinstance(item, OutboundMessage)
    await outbox.settle(tx, parcel, "held" if is_held else "failed", error=failure.reason)
    row = await _message_of(tx, parcel)
    if row is not None:
        state = Delivery.HELD if is_held else Delivery.FAILED
        for line in (row.id, *(item.also if isinstance(item, OutboundMessage) else ())):
            await set_delivery(tx, line, state, failure=_word(failure))
    thread = await find_thread(tx, address=item.address)
    session_id = row.session_id if row is not None else None
    if thread is not None and failure.kind == "window_closed":
        close_window(tx, thread, session_id)
    if not is_held:
        facts = {"reason": _word(failure), "item_id": parcel.item_id, "item": type(item).__name__}
        tx.emit(AlarmRaised(code="delivery_failed", session_id=session_id, facts=facts))


async def bounced(tx: Tx, message_id: str, reason: str) -> None:
    """A message that the platform had accepted did not arrive after all (msg_send_fail)."""
    placed = await set_delivery(tx, message_id, Delivery.FAILED, failure=reason)
    if placed is None:
        return
    for line in await outbox.carried(tx, message_id):
        await set_delivery(tx, line, Delivery.FAILED, failure=reason)
    facts = {"reason": reason, "item_id": message_id, "item": "OutboundMessage"}
    tx.emit(AlarmRaised(code="delivery_failed", session_id=placed.session_id, facts=facts))


async def _message_of(tx: Tx, parcel: Parcel) -> MessageRow | None:
    item = parcel.item
    if isinstance(item, RecallCommand):
        return None
    try:
        return await get_message(tx, parcel.item_id)
    except NotFound:
        return None


def _word(failure: SendFailure) -> str:
    return f"{failure.kind}:{failure.vendor_code}" if failure.vendor_code else failure.kind
