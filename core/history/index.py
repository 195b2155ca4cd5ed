"""The only writer of the word index. It follows the event log, in batches, beside the traffic.

Adding a message twice changes nothing, so a rebuild may run while the system works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from sqlalchemy import Executable, LargeBinary, Table, delete, select
from sqlalchemy import cast as cast_sql

from core.bus import newest_event_id
from core.conversations.models import MessageRow
from core.db import Tx, UnitOfWork, upsert_for
from core.event_log import EventRow, ListenerCursor
from core.history.models import MessageWordRow
from core.history.postings import by_block, pack
from core.statements import Statement

#: Name of the cursor; the log is kept until it has passed.
CURSOR: Final = "history.words"
_TYPES: Final = ("message.added", "message.media_stored")
#: Messages per transaction: others must not wait for the index.
_BATCH: Final = 500
_ROWS_AT_ONCE: Final = 500
_TABLE = cast("Table", MessageWordRow.__table__)


def _append(dialect: str) -> Executable:
    """Reading a list to sort a number into it would cost as much as the list is long."""
    made = upsert_for(dialect, _TABLE).inline()
    both = _TABLE.c.offsets.op("||")(made.excluded.offsets)
    wanted: Executable = made.on_conflict_do_update(
        index_elements=["word", "block"], set_={"offsets": cast_sql(both, LargeBinary)}
    )
    return wanted


_APPEND = Statement(_append, columns=("word", "block", "offsets"))
Blocks = Mapping[int, Mapping[str, set[int]]]


@dataclass(frozen=True, slots=True)
class _News:
    """until: the event up to which the log was read."""

    until: int
    texts: dict[int, str]
    has_more: bool


async def follow(uow: UnitOfWork) -> int:
    """Index what was said since the last time. Returns how many messages."""
    count, has_more = 0, True
    while has_more:
        async with uow.read() as tx:
            news = await _news(tx)
        if news is None:
            break
        blocks = by_block(news.texts)
        async with uow.write() as tx:
            cursor = await _locked_cursor(tx)
            await _add(tx, blocks)
            cursor.event_id = max(cursor.event_id, news.until)
        count, has_more = count + len(news.texts), news.has_more
    return count


async def rebuild(uow: UnitOfWork) -> int:
    """Forget the index and write it anew from the messages. Returns how many messages."""
    async with uow.write() as tx:
        await _locked_cursor(tx)
        await tx.db.execute(delete(MessageWordRow))
    count, last = 0, 0
    while True:
        async with uow.read() as tx:
            rows = await tx.db.execute(
                select(MessageRow.seq, MessageRow.text)
                .where(MessageRow.seq > last)
                .order_by(MessageRow.seq)
                .limit(_BATCH * 10)
            )
            texts = {seq: text for seq, text in rows}  # noqa: C416 - rows are no pairs to mypy
        if not texts:
            return count
        blocks = by_block(texts)
        async with uow.write() as tx:
            await _locked_cursor(tx)
            await _add(tx, blocks)
        count, last = count + len(texts), max(texts)


async def _news(tx: Tx) -> _News | None:
    """What to index next; None when the log holds nothing new."""
    seen = await tx.db.get(ListenerCursor, CURSOR)
    since, newest = (seen.event_id if seen else 0), await newest_event_id(tx)
    if newest <= since:
        return None
    seq = EventRow.payload["message", "seq"].as_integer()
    rows = (
        await tx.db.execute(
            select(EventRow.id, seq)
            .where(EventRow.id > since, EventRow.id <= newest, EventRow.type.in_(_TYPES))
            .order_by(EventRow.id)
            .limit(_BATCH)
        )
    ).all()
    has_more = len(rows) == _BATCH
    said = select(MessageRow.seq, MessageRow.text).where(MessageRow.seq.in_([n for _, n in rows]))
    texts = {number: text for number, text in await tx.db.execute(said)}  # noqa: C416
    return _News(rows[-1][0] if has_more else newest, texts, has_more)


async def _locked_cursor(tx: Tx) -> ListenerCursor:
    """Writers of the index take turns here."""
    fresh = tx.upsert(ListenerCursor).values(name=CURSOR, event_id=0)
    await tx.db.execute(fresh.on_conflict_do_nothing())
    return await tx.db.get_one(ListenerCursor, CURSOR, with_for_update=True)


async def _add(tx: Tx, blocks: Blocks) -> None:
    for block, words in sorted(blocks.items()):
        rows = [
            {"word": word, "block": block, "offsets": pack(offsets)}
            for word, offsets in sorted(words.items())  # one lock order for everyone
        ]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            await tx.run_many(_APPEND, rows[start : start + _ROWS_AT_ONCE])
