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
from core.conversations import joining, statements
from core.conversations.models import MessageRow
from core.conversations.queries import PREVIEW_CHARS, get_message
from core.conversations.receipts import set_window
from core.conversations.threads import Thread
from core.conversations.window import opened
from core.db import Tx
from core.errors import WindowClosed
from core.events import MessageAdded
from core.ids import new_id
from core.outbox import Kept
from core.ports import HandoverCommand, NativeState, OutboundMessage, RecallCommand
from core.settings import reception
from core.views import Delivery, MessageView, Sender

#: Platforms tell the moment of a message in whole seconds, cut off.
_CLOCK_GRAIN = timedelta(seconds=1)


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
        conversation.last_customer_text = plain_text(heard.content)[:PREVIEW_CHARS]
        spoken_since = await _slots_taken_since(tx, thread, heard.sent_at)
        waited = await joining.let_go(tx, thread)
        spoken_since += sum(said < heard.sent_at + _CLOCK_GRAIN for said in waited)
        window = opened(thread.limits, heard.sent_at).take(spoken_since)
        set_window(tx, thread, window, session_id)
        await joining.release_held(tx, thread, session_id)
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
    is_line = speech.sender is Sender.SERVICER and [part.type for part in parts] == ["text"]
    if is_line:
        carrier = await joining.carrier_for(tx, thread, parts[0], speech.servicer_id)
        if carrier is not None:
            return [await _say_along(tx, thread, session_id, speech, carrier)]
    await joining.let_go(tx, thread)
    is_coded = speech.event_code is not None
    is_held = not is_coded and not thread.window.allows(len(parts), tx.now, reserve=speech.reserve)
    if is_held and not speech.hold_if_closed:
        window = thread.window.view(tx.now, tx.settings.get(reception.Window))
        raise WindowClosed(left=window.left, until=window.until, needed=len(parts))
    state: outbox.State = "held" if is_held else "pending"
    if is_line and not is_held and await joining.should_wait(tx, thread):
        state = "waiting"
    views = [
        await _say_one(tx, thread, session_id, speech, part, index, state)
        for index, part in enumerate(parts)
    ]
    if state == "waiting":
        await joining.wait(tx, thread)
    if not is_held and not is_coded:
        thread.conversation.last_ours_at = tx.now
        set_window(tx, thread, thread.window.take(len(parts)), session_id)
    return views


async def _say_one(  # noqa: PLR0913, PLR0917 - the steps of `say`, cut out
    tx: Tx,
    thread: Thread,
    session_id: str | None,
    speech: Speech,
    content: Content,
    index: int,
    state: outbox.State,
) -> MessageView:
    delivery = Delivery.HELD if state == "held" else Delivery.PENDING
    view = await _write_speech(tx, thread, session_id, speech, content, delivery, part=index)
    item = OutboundMessage(
        address=thread.address,
        message_id=view.id,
        content=content,
        event_code=speech.event_code if index == 0 else None,
        code_expires_at=speech.code_expires_at,
    )
    takes_slot = item.event_code is None
    await outbox.enqueue(tx, view.id, item, takes_slot=takes_slot, state=state)
    return view


async def _say_along(
    tx: Tx, thread: Thread, session_id: str | None, speech: Speech, carrier: Kept
) -> MessageView:
    """A further line of a message that still waits: no slot, no row of its own in the outbox."""
    line = speech.contents[0]
    view = await _write_speech(
        tx, thread, session_id, speech, line, Delivery.PENDING,
        joined_to=carrier.message.message_id,
    )  # fmt: skip
    thread.conversation.last_ours_at = tx.now
    await joining.take_along(tx, thread, carrier, line, view.id)
    return view


async def _write_speech(  # noqa: PLR0913 - the steps of `say`, cut out
    tx: Tx,
    thread: Thread,
    session_id: str | None,
    speech: Speech,
    content: Content,
    delivery: Delivery,
    *,
    part: int = 0,
    joined_to: str | None = None,
) -> MessageView:
    return await _write_down(
        tx,
        thread,
        content,
        session_id=session_id,
        sender=speech.sender,
        servicer_id=speech.servicer_id,
        servicer_name=speech.servicer_name,
        sent_at=tx.now,
        delivery=delivery,
        client_id=speech.client_id,
        part=part,
        source=dict(speech.source),
        joined_to=joined_to,
    )


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

    The word goes by the code that the change returns; without one it takes a slot of the window,
    if there is one.
    """
    await joining.let_go(tx, thread)
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
    has_room = thread.window.allows(1, tx.now)
    command = HandoverCommand(thread.address, command_id, to, servicer_ref, farewell, has_room)
    await outbox.enqueue(tx, command_id, command)


async def ask_recall(tx: Tx, thread: Thread, row: MessageRow) -> None:
    """Owe the platform a withdrawal, of the whole message that a line was joined to.

    The transcript changes when it is done.
    """
    command_id = new_id()
    carrier = await get_message(tx, row.joined_to) if row.joined_to else row
    item = RecallCommand(thread.address, command_id, carrier.id, carrier.vendor_id)
    await outbox.enqueue(tx, command_id, item)


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
    joined_to: str | None = None,
) -> MessageView:
    """Add a line to the transcript and tell everyone."""
    text = plain_text(content)
    thread.conversation.last_message_at = tx.now
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
        "joined_to": joined_to,
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
        joined_to=joined_to,
    )
    tx.emit(MessageAdded(message=view))
    return view


def _fit(content: Content, max_text_bytes: int) -> list[Content]:
    if not isinstance(content, Text):
        return [content]
    return [Text(text=part) for part in split_text(content.text, max_text_bytes)]
