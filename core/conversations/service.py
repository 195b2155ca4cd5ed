"""The only writer of transcripts: what customers wrote, what we owe them, what happened to it.

Everyone who speaks for us (bot, servicer, system) takes the same road: `say` asks the ledger,
writes the transcript and puts the message into the outbox, all in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from core import outbox
from core.content import Content, Text, plain_text, split_text
from core.conversations import statements
from core.conversations.models import MessageRow
from core.conversations.threads import Thread
from core.conversations.window import Window, opened
from core.db import Tx
from core.errors import WindowClosed
from core.events import (
    MessageAdded,
    MessageDeliveryChanged,
    MessageRecalled,
    WindowChanged,
)
from core.ids import new_id
from core.ports import HandoverCommand, NativeState, OutboundMessage, RecallCommand
from core.views import Delivery, MessageView, Sender

#: Platforms tell the moment of a message in whole seconds, cut off.
_CLOCK_GRAIN = timedelta(seconds=1)
#: How much of a message a list row shows.
PREVIEW_CHARS = 80


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody else wrote, as the adapter told it. `servicer_id`: in the native client."""

    vendor_id: str
    content: Content
    sent_at: datetime
    servicer_id: str | None = None
    servicer_name: str = ""


@dataclass(frozen=True, slots=True)
class Speech:
    """Something that we want to say.

    reserve: how many slots of the reply window must stay free after it.
    hold_if_closed: keep it until the customer writes, instead of raising WindowClosed.
    event_code: a single-use code; such a message takes no slot of the window.
    """

    contents: Sequence[Content]
    sender: Sender
    servicer_id: str | None = None
    servicer_name: str = ""
    client_id: str | None = None
    source: Mapping[str, str] = field(default_factory=dict)
    reserve: int = 0
    hold_if_closed: bool = False
    event_code: str | None = None
    code_expires_at: datetime | None = None


async def hear(tx: Tx, thread: Thread, session_id: str | None, heard: Heard) -> MessageView:
    """Write down what a customer (or a servicer in the native client) wrote.

    A customer's message opens the reply window anew and lets held messages go.
    """
    is_customer = heard.servicer_id is None
    view = await _write_down(
        tx,
        thread,
        heard.content,
        session_id=session_id,
        vendor_id=heard.vendor_id,
        sender=Sender.CUSTOMER if is_customer else Sender.SERVICER,
        servicer_id=heard.servicer_id,
        servicer_name=heard.servicer_name,
        sent_at=heard.sent_at,
        delivery=Delivery.RECEIVED,
    )
    conversation = thread.conversation
    if is_customer:
        conversation.last_customer_at = heard.sent_at
        spoken_since = await _slots_taken_since(tx, thread, heard.sent_at)
        window = opened(thread.limits, heard.sent_at).take(spoken_since)
        _set_window(tx, thread, window, session_id)
        await release_held(tx, thread, session_id)
    return view


async def _slots_taken_since(tx: Tx, thread: Thread, moment: datetime) -> int:
    """Messages of ours that the platform counts after `moment`.

    More than none only when we are late: the customer wrote several lines while we were down, and
    what answered the first of them already counts against the window that the last one opened.
    """
    last = thread.conversation.last_ours_at
    after = moment + _CLOCK_GRAIN
    if thread.limits.window_messages is None or last is None or last < after:
        return 0
    row = {"a_conversation": thread.conversation.id, "after": after}
    taken: int = (await tx.fetch(statements.SLOTS_TAKEN, row))[0].taken
    return taken


async def say(tx: Tx, thread: Thread, session_id: str | None, speech: Speech) -> list[MessageView]:
    """Owe the customer a message (long texts become several) and write it down.

    Raises: WindowClosed when the ledger forbids it and `hold_if_closed` is not set.
    """
    parts = [
        part for content in speech.contents for part in _fit(content, thread.limits.max_text_bytes)
    ]
    is_coded = speech.event_code is not None
    is_held = not is_coded and not thread.window.allows(len(parts), tx.now, reserve=speech.reserve)
    if is_held and not speech.hold_if_closed:
        window = thread.window.view(tx.now)
        raise WindowClosed(left=window.left, until=window.until, needed=len(parts))
    views = [
        await _say_one(tx, thread, session_id, speech, part, index, is_held=is_held)
        for index, part in enumerate(parts)
    ]
    if not is_held and not is_coded:
        thread.conversation.last_ours_at = tx.now
        _set_window(tx, thread, thread.window.take(len(parts)), session_id)
    return views


async def _say_one(  # noqa: PLR0913 - the steps of `say`, cut out
    tx: Tx,
    thread: Thread,
    session_id: str | None,
    speech: Speech,
    content: Content,
    index: int,
    *,
    is_held: bool,
) -> MessageView:
    view = await _write_down(
        tx,
        thread,
        content,
        session_id=session_id,
        sender=speech.sender,
        servicer_id=speech.servicer_id,
        servicer_name=speech.servicer_name,
        sent_at=tx.now,
        delivery=Delivery.HELD if is_held else Delivery.PENDING,
        client_id=speech.client_id,
        part=index,
        source=dict(speech.source),
    )
    item = OutboundMessage(
        address=thread.address,
        message_id=view.id,
        content=content,
        event_code=speech.event_code if index == 0 else None,
        code_expires_at=speech.code_expires_at,
    )
    takes_slot = item.event_code is None
    await outbox.enqueue(tx, view.id, item, takes_slot=takes_slot, is_held=is_held)
    return view


async def hand_over(
    tx: Tx,
    thread: Thread,
    session_id: str | None,
    to: NativeState,
    *,
    servicer_ref: str | None = None,
    farewell: Content | None = None,
) -> None:
    """Owe the platform a change of its own session state, with a word to the customer.

    The word goes by the code that the change returns and takes no slot of the window.
    """
    command_id = new_id()
    if farewell is not None:
        await _write_down(
            tx,
            thread,
            farewell,
            message_id=command_id,
            session_id=session_id,
            sender=Sender.SYSTEM,
            sent_at=tx.now,
            delivery=Delivery.PENDING,
        )
    command = HandoverCommand(thread.address, command_id, to, servicer_ref, farewell)
    await outbox.enqueue(tx, command_id, command)


async def release_held(tx: Tx, thread: Thread, session_id: str | None) -> None:
    """The customer wrote: let held messages go, oldest first, as many as the window takes."""
    room = thread.window.room(tx.now)
    limit = 100 if room is None else room
    item_ids = await outbox.held_ids(tx, thread.address, limit=limit) if limit else []
    if not item_ids:
        return
    await outbox.resume(tx, thread.address, item_ids)
    thread.conversation.last_ours_at = tx.now
    _set_window(tx, thread, thread.window.take(len(item_ids)), session_id)
    for item_id in item_ids:
        await set_delivery(tx, item_id, Delivery.PENDING)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a message of ours stands."""

    message_id: str
    conversation_id: str
    session_id: str | None


async def set_delivery(
    tx: Tx, message_id: str, delivery: Delivery, *, failure: str = "", vendor_id: str | None = None
) -> Placed | None:
    """What became of a message of ours; None when it is not ours, or nothing changed.

    vendor_id: the platform's own id, where it made one.
    """
    row = {"an_id": message_id, "to": delivery, "why": failure, "vendor": vendor_id}
    rows = await tx.fetch(statements.DELIVERED, row)
    if not rows:
        return None
    found = rows[0]
    placed = Placed(message_id, found.conversation_id, found.session_id)
    _announce_delivery(tx, placed, delivery, failure)
    return placed


def _announce_delivery(tx: Tx, placed: Placed, delivery: Delivery, failure: str = "") -> None:
    tx.emit(
        MessageDeliveryChanged(
            message_id=placed.message_id,
            conversation_id=placed.conversation_id,
            session_id=placed.session_id,
            delivery=delivery,
            failure=failure,
        )
    )


def close_window(tx: Tx, thread: Thread, session_id: str | None) -> None:
    """The platform says that the window is used up: believe it over our own count."""
    if thread.conversation.window_left is not None:
        _set_window(tx, thread, Window(0, thread.conversation.window_until), session_id)


def spend(tx: Tx, thread: Thread, session_id: str | None, count: int) -> None:
    """Something took more messages than was foreseen."""
    _set_window(tx, thread, thread.window.take(count), session_id)


async def ask_recall(tx: Tx, thread: Thread, row: MessageRow) -> None:
    """Owe the platform a withdrawal; the transcript changes when it is done."""
    command_id = new_id()
    item = RecallCommand(thread.address, command_id, row.id, row.vendor_id)
    await outbox.enqueue(tx, command_id, item)


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


async def find_heard(tx: Tx, account_id: str, vendor_id: str) -> MessageRow | None:
    """A message that we received, by the platform's id."""
    return await tx.db.scalar(
        select(MessageRow).where(
            MessageRow.account_id == account_id, MessageRow.vendor_id == vendor_id
        )
    )


async def _write_down(  # noqa: PLR0913 - a line of the transcript has so many parts
    tx: Tx,
    thread: Thread,
    content: Content,
    *,
    session_id: str | None,
    sender: Sender,
    sent_at: datetime,
    delivery: Delivery,
    message_id: str | None = None,
    vendor_id: str | None = None,
    servicer_id: str | None = None,
    servicer_name: str = "",
    client_id: str | None = None,
    part: int = 0,
    source: dict[str, str] | None = None,
) -> MessageView:
    """Add a line to the transcript and tell everyone."""
    text = plain_text(content)
    thread.conversation.last_message_at = tx.now
    thread.conversation.last_message_text = text[:PREVIEW_CHARS]
    row = {
        "id": message_id or new_id(),
        "account_id": thread.account.id,
        "conversation_id": thread.conversation.id,
        "session_id": session_id,
        "vendor_id": vendor_id,
        "sender": sender,
        "servicer_id": servicer_id,
        "content": content.model_dump(mode="json"),
        "text": text,
        "sent_at": sent_at,
        "created_at": tx.now,
        "delivery": delivery,
        "failure": "",
        "client_id": client_id,
        "part": part,
        "source": source or {},
    }
    seq: int = (await tx.fetch(statements.INSERT, row))[0].seq
    view = MessageView(
        id=str(row["id"]),
        seq=seq,
        conversation_id=thread.conversation.id,
        session_id=session_id,
        sender=sender,
        servicer_id=servicer_id,
        servicer_name=servicer_name,
        content=content,
        sent_at=sent_at,
        delivery=delivery,
        client_id=client_id if part == 0 else None,
        source=source or {},
    )
    tx.emit(MessageAdded(message=view))
    return view


def _set_window(tx: Tx, thread: Thread, window: Window, session_id: str | None) -> None:
    conversation = thread.conversation
    if (conversation.window_left, conversation.window_until) == (window.left, window.until):
        return
    conversation.window_left, conversation.window_until = window.left, window.until
    tx.emit_last(
        WindowChanged(
            conversation_id=conversation.id, session_id=session_id, window=window.view(tx.now)
        ),
        instead=lambda one: (
            isinstance(one, WindowChanged) and one.conversation_id == conversation.id
        ),
    )


def _fit(content: Content, max_text_bytes: int) -> list[Content]:
    if not isinstance(content, Text):
        return [content]
    return [Text(text=part) for part in split_text(content.text, max_text_bytes)]
