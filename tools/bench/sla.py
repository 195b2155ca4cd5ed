# ruff: noqa: S608 - the statements are ours
"""Deadlines with 100,000 open tickets: a sweep, and how soon a broken promise is noticed."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import func, select, text, update

from core import schema
from core.actor import Actor
from core.calendars import service as calendars
from core.calendars.service import CalendarDraft
from core.clock import SystemClock
from core.customers.models import CustomerRow
from core.db import Tx, UnitOfWork, make_engine
from core.event_log import EventRow
from core.local import in_process
from core.sla import policies
from core.sla.models import SlaClockRow
from core.sla.policies import PolicyDraft
from core.sla.service import TIMER_KIND
from core.sla.views import SlaTargets
from core.tickets import service
from core.tickets.deadlines import timer_batches, timer_jobs
from core.tickets.service import TicketDraft
from core.timers import service as timers
from core.timers.runner import TimerRunner
from tools.bench.stage import database

Results = list[tuple[str, float, str]]
OPEN = 100_000
AT_ONCE = 300
_SOON_S = 3
_BY = Actor.system("bench")
_SERIES = {
    "sqlite": f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {OPEN})",
    "postgresql": f"WITH s(n) AS (SELECT generate_series(1, {OPEN}))",
}
_LATER = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '+1 day', '+' || n || ' seconds')",
    "postgresql": "now() + interval '1 day' + n * interval '1 second'",
}
_ID = {"sqlite": "printf('%020d', n)", "postgresql": "lpad(n::text, 20, '0')"}


async def bench_sla() -> Results:
    rows: Results = []
    for kind in ("sqlite", "postgres"):
        with tempfile.TemporaryDirectory() as folder, database(kind, Path(folder)) as url:
            engine = make_engine(url)
            async with engine.begin() as connection:
                await connection.run_sync(schema.metadata.create_all)
            uow = UnitOfWork(engine, SystemClock())
            async with uow.write() as tx:
                await _fill(tx)
            ports = in_process()
            uow.wake_up = ports.wake_up
            runner = TimerRunner(uow, timer_jobs(uow), ports.wake_up, timer_batches(uow))
            spent = [await _sweep(uow, runner) for _ in range(16)]
            rows.append((f"sweep of {OPEN:,} open, {kind}", median(spent[1:]), "ms (≤ 1000)"))
            for count in (1, AT_ONCE):
                late = await _breaches(uow, runner, count)
                name = f"breach noticed, {count} at once, {kind}"
                rows.append((name, max(late), "ms after its moment (≤ 2000)"))
            await uow.close()
    return rows


async def _sweep(uow: UnitOfWork, runner: TimerRunner) -> float:
    """What is due, and until when one may sleep."""
    start = time.perf_counter()
    await runner.run_due()
    async with uow.read() as tx:
        await timers.next_due_at(tx)
    return (time.perf_counter() - start) * 1000


async def _breaches(uow: UnitOfWork, runner: TimerRunner, count: int) -> Sequence[float]:
    """Milliseconds from the deadline to the breach's event, for tickets due at one moment."""
    async with uow.write() as tx:
        before = await tx.db.scalar(select(func.max(EventRow.id))) or 0
        drafts = [TicketDraft(f"上报失败 {number}", "c") for number in range(count)]
        made = [(await service.create(tx, draft, by=_BY)).id for draft in drafts]
        started_at = tx.now
    async with uow.write() as tx:
        target = timedelta(seconds=int((tx.now - started_at).total_seconds()) + _SOON_S)
        clocks = update(SlaClockRow).where(SlaClockRow.ticket_id.in_(made))
        await tx.db.execute(clocks.values(target_s=int(target.total_seconds())))
        await timers.set_timers(tx, TIMER_KIND, dict.fromkeys(made, started_at + target))
    running = asyncio.create_task(runner.run())
    found: list[float] = []
    while len(found) < count:
        await asyncio.sleep(0.2)
        async with uow.read() as tx:
            query = select(EventRow.at, EventRow.payload).where(
                EventRow.id > before, EventRow.type == "sla.breached"
            )
            found = [
                (row.at - datetime.fromisoformat(row.payload["breached_at"])).total_seconds() * 1e3
                for row in await tx.db.execute(query)
            ]
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return found


async def _fill(tx: Tx) -> None:
    """Promises that are due from tomorrow on, and a policy for the tickets that are made."""
    tx.db.add(CustomerRow(id="c", name="客户", is_temporary=False, created_at=tx.now, version=1))
    await tx.db.flush()
    series, later, key = _SERIES[tx.dialect], _LATER[tx.dialect], _ID[tx.dialect]
    always = [(("00:00", "24:00"),)] * 7
    calendar = await calendars.create(tx, CalendarDraft("全天", always, is_default=True), by=_BY)
    draft = PolicyDraft("全天", SlaTargets(first_response_s=3600), calendar_id=calendar.id)
    policy = await policies.create(tx, draft, by=_BY)
    for statement in (
        f"INSERT INTO tickets (id, number, title, description, state, priority, source,"
        f" customer_id, assigned_because, fields, tags, created_at, created_by, updated_at,"
        f" due_at, is_breached, escalation_level, nudges, reopens, version) {series} SELECT"
        f" {key}, 'GD' || n, '系统上报失败', '', 'open', 'normal', 'console', 'c', '', '{{}}',"
        f" '[]', {later}, 'x', {later}, {later}, false, 0, 0, 0, 1 FROM s",
        f"INSERT INTO sla_clocks (id, ticket_id, measure, round, policy_id, calendar_id,"
        f" target_s, started_at, runs, due_at, is_void, chain_done) {series} SELECT {key}, {key},"
        f" 'resolution', 1, '{policy.id}', '{calendar.id}', 86400, {later}, '[]', {later}, false,"
        f" 0 FROM s",
        f"INSERT INTO timers (id, kind, key, due_at, payload, attempts) {series} SELECT {key},"
        f" 'ticket.sla', {key}, {later}, '{{}}', 0 FROM s",
        "DELETE FROM timers WHERE kind <> 'ticket.sla'",
        "ANALYZE",
    ):
        await tx.db.execute(text(statement.replace(":", "\\:")))
