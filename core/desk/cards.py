"""Cards in servicers' chats with the app: sent once, closed once, with a code that works once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select

from core import outbox
from core.content import Address
from core.db import Tx
from core.desk.models import DeskCardRow, DeskRow
from core.ids import new_id
from core.ports import CardUpdate
from core.sessions.models import SessionRow
from core.views import SessionState

#: Source: developer.work.weixin.qq.com/document/path/94888 (72 hours; an hour to be sure)
CODE_LIVES: Final = timedelta(hours=71)
#: A press on a card older than this is answered with "no longer valid".
KEPT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a card is about: a session or a ticket."""

    session_id: str | None = None
    ticket_id: str | None = None


async def lay(tx: Tx, servicer_id: str, session_id: str) -> str:
    """A new card about a session. Returns its task id."""
    return await _lay(tx, servicer_id, Subject(session_id=session_id))


async def lay_ticket(tx: Tx, servicer_id: str, ticket_id: str) -> str:
    """A new card about a ticket; older ones about it on this desk are closed for it."""
    await close_ticket(tx, ticket_id, "见下面的新卡片", servicer_id=servicer_id)
    return await _lay(tx, servicer_id, Subject(ticket_id=ticket_id))


async def _lay(tx: Tx, servicer_id: str, about: Subject) -> str:
    """Cards long closed are forgotten."""
    await tx.db.execute(
        delete(DeskCardRow)
        .where(
            DeskCardRow.servicer_id == servicer_id,
            DeskCardRow.label != "",
            DeskCardRow.created_at < tx.now - KEPT,
        )
        .execution_options(synchronize_session=False)
    )
    row = DeskCardRow(
        id=new_id(),
        servicer_id=servicer_id,
        session_id=about.session_id,
        ticket_id=about.ticket_id,
        label="",
        created_at=tx.now,
    )
    tx.db.add(row)
    await tx.db.flush()
    return row.id


async def find(tx: Tx, card_id: str) -> DeskCardRow | None:
    """Locked, so that its code is used once."""
    return await tx.db.get(DeskCardRow, card_id, with_for_update=True, populate_existing=True)


async def subject_of(tx: Tx, card_id: str, servicer_id: str) -> Subject | None:
    """What a card of this servicer is about; None for a card that is not theirs."""
    row = await find(tx, card_id)
    if row is None or row.servicer_id != servicer_id:
        return None
    return Subject(row.session_id, row.ticket_id)


async def tickets_since(tx: Tx, servicer_id: str, since: datetime) -> int:
    """How many cards about tickets this servicer was dealt lately."""
    found = await tx.db.scalar(
        select(func.count())
        .select_from(DeskCardRow)
        .where(
            DeskCardRow.servicer_id == servicer_id,
            DeskCardRow.ticket_id.is_not(None),
            DeskCardRow.created_at > since,
        )
    )
    return found or 0


async def offered(tx: Tx, servicer_id: str) -> int:
    """How many cards offer this servicer a session that still waits."""
    found = await tx.db.scalar(
        select(func.count())
        .select_from(DeskCardRow)
        .join(SessionRow, SessionRow.id == DeskCardRow.session_id)
        .where(
            DeskCardRow.servicer_id == servicer_id,
            DeskCardRow.label == "",
            SessionRow.state == SessionState.QUEUED,
        )
    )
    return found or 0


async def keep_code(tx: Tx, card_id: str, code: str, at: datetime) -> None:
    """The platform gave a code for this card; a card that is closed by now is closed with it."""
    row = await find(tx, card_id)
    if row is None or not code:
        return
    row.response_code, row.code_expires_at = code, at + CODE_LIVES
    if row.label:
        await _update(tx, row)


async def close(tx: Tx, card_id: str, label: str) -> None:
    """Grey the card out; `label` says why. A card that is closed stays as it is."""
    row = await find(tx, card_id)
    if row is not None and not row.label:
        row.label = label
        await _update(tx, row)


async def close_about(
    tx: Tx, session_id: str, label: str, *, own: str = "", owner_id: str | None = None
) -> None:
    """Grey out all cards about a session; whoever has it now reads `own` instead."""
    for row in await _open(tx, DeskCardRow.session_id == session_id):
        row.label = own if own and row.servicer_id == owner_id else label
        await _update(tx, row)


async def close_ticket(
    tx: Tx, ticket_id: str, label: str, *, servicer_id: str | None = None
) -> None:
    """Grey out the cards about a ticket, on every desk or on one."""
    where = [DeskCardRow.ticket_id == ticket_id]
    if servicer_id is not None:
        where.append(DeskCardRow.servicer_id == servicer_id)
    for row in await _open(tx, *where):
        row.label = label
        await _update(tx, row)


async def _open(tx: Tx, *where: ColumnElement[bool]) -> Sequence[DeskCardRow]:
    query = select(DeskCardRow).where(DeskCardRow.label == "", *where)
    return (await tx.db.scalars(query.order_by(DeskCardRow.id).with_for_update())).all()


async def _update(tx: Tx, row: DeskCardRow) -> None:
    """Use the code, if there is one that still works; else the next code does it."""
    if row.response_code is None or row.code_expires_at is None:
        return
    code, is_alive = row.response_code, tx.now < row.code_expires_at
    row.response_code = row.code_expires_at = None
    desk = await tx.db.get(DeskRow, row.servicer_id)
    if desk is None or not is_alive:
        return
    address = Address.parse(desk.address_key)
    command_id = new_id()
    update = CardUpdate(address, command_id, code, row.label, (address.user,))
    await outbox.enqueue(tx, command_id, update)
