"""Lines that share a message: with few slots of the reply window left, several lines take one.

A servicer's line waits a moment in the outbox, where no sender has it in hand, and takes along
what they write meanwhile. Lines that were held are joined when the customer lets them go. The
first line is the carrier: its id is the platform's idempotency key, the others name it
(`joined_to`), and what becomes of it becomes of all. Locks: conversation, outbox, timer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from core import outbox
from core.content import Content, joined
from core.conversations.models import MessageRow
from core.conversations.receipts import set_delivery, set_window
from core.conversations.threads import Thread, hold_thread
from core.db import Tx, UnitOfWork
from core.outbox import Kept
from core.settings.reception import Window
from core.timers import service as timers
from core.timers.runner import Job
from core.timers.service import Timer
from core.views import Delivery

#: Timer that lets a waiting line go; its key is the conversation's id.
JOIN_TIMER: Final = "outbox.join"
#: However fast somebody types: a line waits at most so many pauses.
_MOST_PAUSES: Final = 3
#: While the platform takes nothing, lines go on being joined.
_LOOK_AGAIN: Final = timedelta(seconds=15)
_AT_ONCE: Final = 100


async def carrier_for(
    tx: Tx, thread: Thread, line: Content, servicer_id: str | None
) -> Kept | None:
    """The servicer's own last line, as long as it waits and this one fits."""
    if thread.conversation.joining_since is None:
        return None
    kept = await outbox.newest_waiting(tx, thread.address)
    if kept is None or joined(kept.message.content, line, thread.limits.max_text_bytes) is None:
        return None
    speaker = select(MessageRow.servicer_id).where(MessageRow.id == kept.message.message_id)
    return kept if await tx.db.scalar(speaker) == servicer_id else None


async def take_along(
    tx: Tx, thread: Thread, carrier: Kept, line: Content, message_id: str
) -> None:
    """Put a further line into the message of the one that waits."""
    both = _both(carrier, line, (message_id,), thread.limits.max_text_bytes)
    if both is not None:
        await outbox.rewrite(tx, both)
    await wait(tx, thread)


async def should_wait(tx: Tx, thread: Thread) -> bool:
    """Are slots dear enough, or the platform slow enough, to wait for a further line?"""
    room = thread.window.room(tx.now)
    if room is None:
        return False
    few = tx.settings.get(Window).join_left
    return bool(few) and (room <= few or await outbox.is_stuck(tx, thread.address))


async def wait(tx: Tx, thread: Thread) -> None:
    """(Re)start the pause after which the line goes."""
    pause = timedelta(seconds=tx.settings.get(Window).join_wait_s)
    conversation = thread.conversation
    conversation.joining_since = conversation.joining_since or tx.now
    latest = conversation.joining_since + _MOST_PAUSES * pause
    await tx.flush()
    await timers.set_timer(tx, JOIN_TIMER, conversation.id, min(tx.now + pause, latest))


async def let_go(tx: Tx, thread: Thread) -> list[datetime]:
    """Whatever waits goes now. Returns when it was said."""
    if thread.conversation.joining_since is None:
        return []
    thread.conversation.joining_since = None
    await tx.flush()
    return await outbox.send_waiting(tx, thread.address)


def timer_job(uow: UnitOfWork) -> Job:
    async def run(timer: Timer) -> None:
        async with uow.write() as tx:
            await end_wait(tx, timer)

    return run


async def end_wait(tx: Tx, timer: Timer) -> None:
    """Nothing more was said; with the platform out of reach that is no reason to go."""
    thread = await hold_thread(tx, timer.key)
    is_stuck = await outbox.is_stuck(tx, thread.address)
    if not is_stuck:
        await let_go(tx, thread)
    await timers.finish(tx, timer)
    if is_stuck:
        await timers.set_timer(tx, timer.kind, timer.key, tx.now + _LOOK_AGAIN)


async def release_held(tx: Tx, thread: Thread, session_id: str | None) -> None:
    """The customer wrote: held messages go, oldest first, as many as the window takes.

    Lines of one speaker that follow one another go together.
    """
    room = thread.window.room(tx.now)
    limit = _AT_ONCE if room is None else room
    held = await outbox.held(tx, thread.address, limit=_AT_ONCE) if limit else []
    if not held:
        return
    going = (await _grouped(tx, thread, held))[:limit]
    for carrier, absorbed in going:
        if absorbed:
            await outbox.rewrite(tx, carrier, absorbed)
    await outbox.resume(tx, thread.address, [one.message.message_id for one, _ in going])
    thread.conversation.last_ours_at = tx.now
    set_window(tx, thread, thread.window.take(len(going)), session_id)
    for carrier, _ in going:
        first = carrier.message.message_id
        await set_delivery(tx, first, Delivery.PENDING)
        for one in carrier.message.also:
            await set_delivery(tx, one, Delivery.PENDING, joined_to=first)


async def _grouped(tx: Tx, thread: Thread, held: Sequence[Kept]) -> list[tuple[Kept, list[int]]]:
    """Messages with the rows that they take along."""
    speakers = await _speakers(tx, held)
    most = thread.limits.max_text_bytes
    groups: list[tuple[Kept, list[int]]] = []
    previous: tuple[str, str | None] | None = None
    for kept in held:
        speaker = speakers.get(kept.message.message_id)
        both = None
        if groups and speaker is not None and speaker == previous:
            also = (kept.message.message_id, *kept.message.also)
            both = _both(groups[-1][0], kept.message.content, also, most)
        if both is not None:
            groups[-1] = (both, [*groups[-1][1], kept.outbox_id])
        else:
            groups.append((kept, []))
        previous = speaker
    return groups


async def _speakers(tx: Tx, held: Sequence[Kept]) -> dict[str, tuple[str, str | None]]:
    ids = [one.message.message_id for one in held]
    rows = await tx.db.execute(
        select(MessageRow.id, MessageRow.sender, MessageRow.servicer_id).where(
            MessageRow.id.in_(ids)
        )
    )
    return {row.id: (row.sender, row.servicer_id) for row in rows}


def _both(first: Kept, line: Content, also: tuple[str, ...], most: int) -> Kept | None:
    text = joined(first.message.content, line, most)
    if text is None:
        return None
    message = replace(first.message, content=text, also=(*first.message.also, *also))
    return Kept(first.outbox_id, message)
