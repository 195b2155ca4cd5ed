"""The queue: who waits for the same people, in which place, and for how long from now."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from sqlalchemy import and_, case, func, or_, select

from core.assignment.queries import Slots, slots
from core.db import Tx
from core.queues.estimate import expected_wait
from core.sessions.models import SessionRow
from core.sessions.queries import in_queue_order, select_views, view_of
from core.sessions.rivals import Queue, ahead_of, people_of
from core.settings.reception import Reception
from core.views import ServiceMode, SessionState, SessionView, View

#: Service time is measured over the sessions closed most recently.
_MEASURED_SESSIONS = 200


class QueueItem(View):
    """position: from 1, among those who wait for any of the same people.

    expected_wait_s None: nobody is there to serve. promised_wait_s: what the customer was told
    on entering, if anything; with nobody there, when they may leave a message instead.
    """

    session: SessionView
    position: int
    waiting_s: int
    expected_wait_s: int | None
    promised_wait_s: int | None


class QueueBoard(View):
    items: tuple[QueueItem, ...]
    servicers_online: int
    free_slots: int


#: Sessions that wait for the same people stand in one queue: of one route, served in one way.
#: Inside the platform's client people differ from account to account.
OWN_QUEUE = (
    SessionRow.mode,
    SessionRow.route,
    case((SessionRow.mode == ServiceMode.NATIVE, SessionRow.account_id), else_=""),
)


async def somebody_waits(tx: Tx, *, besides: SessionRow) -> bool:
    """In any queue."""
    found = await tx.db.scalar(
        select(SessionRow.id)
        .where(SessionRow.state == SessionState.QUEUED, SessionRow.id != besides.id)
        .limit(1)
    )
    return found is not None


async def queue_position(tx: Tx, row: SessionRow) -> int:
    """From 1. How many who wait for any of the same people are served before, plus one."""
    rows = await tx.db.execute(
        select(SessionRow.mode, SessionRow.route, SessionRow.account_id, func.count())
        .where(
            SessionRow.state == SessionState.QUEUED,
            SessionRow.id != row.id,
            or_(
                SessionRow.rank_at < row.rank_at,
                and_(SessionRow.rank_at == row.rank_at, SessionRow.id < row.id),
            ),
        )
        .group_by(SessionRow.mode, SessionRow.route, SessionRow.account_id)
    )
    waiting: Counter[Queue] = Counter()
    for mode, route, account_id, count in rows:
        waiting[Queue.of(mode, route, account_id)] += count
    mine = Queue.of_session(row)
    people = await people_of(tx, {mine, *waiting})
    return 1 + ahead_of(mine, waiting, people)


async def waiting_count(tx: Tx) -> int:
    """How many sessions wait for a person."""
    waiting = select(func.count()).select_from(SessionRow)
    return await tx.db.scalar(waiting.where(SessionRow.state == SessionState.QUEUED)) or 0


async def slots_for(tx: Tx, row: SessionRow) -> Slots:
    """The capacity of the people whom this session waits for."""
    queue = Queue.of_session(row)
    return await slots(tx, queue.teams, native_account=queue.account_id or None)


async def promised_wait(tx: Tx, row: SessionRow, position: int) -> int | None:
    """Seconds that we tell whoever stands at `position`; None when nobody is there to serve."""
    capacity = await slots_for(tx, row)
    wait = expected_wait(
        position,
        free_slots=capacity.free,
        total_slots=capacity.total,
        service_time=await service_time(tx),
    )
    return None if wait is None else int(wait.total_seconds())


async def queue_state(tx: Tx, row: SessionRow) -> tuple[int, int | None]:
    """Where a queued session stands now, and how long it will wait from now."""
    position = await queue_position(tx, row)
    return position, await promised_wait(tx, row, position)


async def service_time(tx: Tx) -> timedelta:
    """Mean duration of the human part of recent sessions; the setting's until there are any."""
    recent = (
        select(SessionRow.assigned_at, SessionRow.closed_at)
        .where(SessionRow.state == SessionState.CLOSED, SessionRow.assigned_at.is_not(None))
        .order_by(SessionRow.id.desc())
        .limit(_MEASURED_SESSIONS)
    )
    spans = [
        closed - assigned
        for assigned, closed in await tx.db.execute(recent)
        if closed is not None and assigned is not None
    ]
    if not spans:
        return timedelta(seconds=tx.settings.get(Reception).expected_service_s)
    return sum(spans, timedelta()) / len(spans)


async def queue_board(tx: Tx, *, limit: int = 200) -> QueueBoard:
    """The queue as a supervisor sees it."""
    rows = (await tx.db.execute(in_queue_order(select_views()).limit(limit))).all()
    capacity = await slots(tx)
    measured = await service_time(tx)
    people = await people_of(tx, {Queue.of_session(found[0]) for found in rows})
    items = []
    before: Counter[Queue] = Counter()
    room: dict[Queue, Slots] = {}
    for found in rows:
        row: SessionRow = found[0]
        view = view_of(found, tx)
        own = Queue.of_session(row)
        theirs = room[own] = room.get(own) or await slots_for(tx, row)
        position = 1 + ahead_of(own, before, people)
        before[own] += 1
        wait = expected_wait(
            position, free_slots=theirs.free, total_slots=theirs.total, service_time=measured
        )
        waiting = tx.now - (view.queued_at or tx.now)
        items.append(
            QueueItem(
                session=view,
                position=position,
                waiting_s=int(waiting.total_seconds()),
                expected_wait_s=None if wait is None else int(wait.total_seconds()),
                promised_wait_s=row.promised_wait_s,
            )
        )
    return QueueBoard(
        items=tuple(items), servicers_online=capacity.servicers_online, free_slots=capacity.free
    )
