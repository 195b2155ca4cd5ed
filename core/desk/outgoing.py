"""What a desk shows: at once where the platform's rate limit has room, joined up where not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select

from core import outbox
from core.content import Address, Content, Text, joined, split_text
from core.db import Tx
from core.desk import cards, pace
from core.desk.models import DeskNoticeRow, DeskRow
from core.ids import new_id
from core.outbox import OutboxRow, dump_item, load_item
from core.ports import CardMessage, OutboundMessage
from core.timers import service as timers

#: Timer that hands on what had to wait; its key is the servicer's id.
FLUSH_TIMER: Final = "desk.flush"
#: Below what the app cuts off (2,048 bytes).
MAX_TEXT_BYTES: Final = 2000
#: With more than these under way the platform is slow or down: better join lines meanwhile.
_UNDER_WAY: Final = 3
_LOOK_AGAIN_S: Final = 5.0

Shown = OutboundMessage | CardMessage


async def show(tx: Tx, desk: DeskRow, content: Content, *, is_answer: bool = False) -> None:
    """Owe the servicer a message. is_answer: to what they just did; it does not wait for calm."""
    message = OutboundMessage(Address.parse(desk.address_key), new_id(), content)
    await owe(tx, desk, message, is_answer=is_answer)


async def owe(tx: Tx, desk: DeskRow, item: Shown, *, is_answer: bool = False) -> None:
    tx.db.add(DeskNoticeRow(servicer_id=desk.servicer_id, item=dump_item(item), created_at=tx.now))
    await tx.db.flush()
    await flush(tx, desk, rules=pace.ANSWERS if is_answer else pace.NOTICES)


async def flush(tx: Tx, desk: DeskRow, *, rules: pace.Rules = pace.NOTICES) -> None:
    """Hand on what waits, in order and as far as there is room; a timer brings the rest."""
    rows = (
        await tx.db.scalars(
            select(DeskNoticeRow)
            .where(DeskNoticeRow.servicer_id == desk.servicer_id)
            .order_by(DeskNoticeRow.id)
        )
    ).all()
    if not rows:
        return
    now = tx.now.timestamp()
    sent = pace.recent([float(at) for at in desk.paced], now)
    is_stuck = await _under_way(tx, desk) > _UNDER_WAY
    room = 0 if is_stuck else pace.room(sent, now, rules)
    if room:
        items = await _joined(tx, [load_item(row.item) for row in rows])
        await tx.db.execute(
            delete(DeskNoticeRow).where(DeskNoticeRow.id.in_([row.id for row in rows]))
        )
        for item in items[:room]:
            await outbox.enqueue(tx, item.message_id, item)
            sent.append(round(now, 1))
        for item in items[room:]:
            row = DeskNoticeRow(
                servicer_id=desk.servicer_id, item=dump_item(item), created_at=tx.now
            )
            tx.db.add(row)
            await tx.db.flush()  # their numbers are their order
        desk.paced = list(sent)
        if len(items) <= room:
            return
    wait = _LOOK_AGAIN_S if is_stuck else pace.wait_s(sent, now, rules)
    due = tx.now + timedelta(seconds=max(wait, 0.5))
    await timers.set_timer(tx, FLUSH_TIMER, desk.servicer_id, due)


async def _under_way(tx: Tx, desk: DeskRow) -> int:
    found = await tx.db.scalar(
        select(func.count())
        .select_from(OutboxRow)
        .where(OutboxRow.address_key == desk.address_key, OutboxRow.state == "pending")
    )
    return found or 0


async def _joined(tx: Tx, items: Sequence[Any]) -> list[Shown]:
    """Texts that follow one another become one; cards that are closed by now are left out."""
    shown: list[Shown] = []
    for item in items:
        if isinstance(item, CardMessage):
            card = await cards.find(tx, item.task_id)
            if card is None or not card.label:
                shown.append(item)
            continue
        for part in _parts(item):
            last = shown[-1] if shown else None
            both = _one_text(last, part)
            if both is not None:
                shown[-1] = both
            else:
                shown.append(part)
    return shown


def _parts(message: OutboundMessage) -> list[OutboundMessage]:
    if not isinstance(message.content, Text):
        return [message]
    parts = split_text(message.content.text, MAX_TEXT_BYTES)
    return [
        replace(message, message_id=new_id() if number else message.message_id,
                content=Text(text=part))
        for number, part in enumerate(parts)
    ]  # fmt: skip


def _one_text(last: Shown | None, more: OutboundMessage) -> OutboundMessage | None:
    """Both as one message; None where they cannot be."""
    if not isinstance(last, OutboundMessage):
        return None
    both = joined(last.content, more.content, MAX_TEXT_BYTES)
    return None if both is None else replace(last, content=both)
