# ruff: noqa: S608 - the statements are ours
"""Lists, counts and deadlines at 1,000,000 tickets and customers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from sqlalchemy import text

from core import schema
from core.clock import SystemClock
from core.db import Tx, UnitOfWork, make_engine
from core.segments import service as segments
from core.tickets import queries
from core.tickets.queries import TicketFilter
from core.timers import service as timers
from core.views import Priority, TicketState
from tools.bench.stage import database

Results = list[tuple[str, float, str]]
MANY = 1_000_000
OPEN = (TicketState.NEW, TicketState.OPEN)
_SERIES = {
    "sqlite": f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {MANY})",
    "postgresql": f"WITH s(n) AS (SELECT generate_series(1, {MANY}))",
}
_PAST = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || n || ' seconds')",
    "postgresql": "now() - n * interval '1 second'",
}
_ID = {"sqlite": "printf('%020d', n)", "postgresql": "lpad(n::text, 20, '0')"}


async def bench_lists() -> Results:
    """Milliseconds, the median of 15 after one to warm up, on both databases."""
    rows: Results = []
    for kind in ("sqlite", "postgres"):
        with tempfile.TemporaryDirectory() as folder, database(kind, Path(folder)) as url:
            engine = make_engine(url)
            async with engine.begin() as connection:
                await connection.run_sync(schema.metadata.create_all)
            uow = UnitOfWork(engine, SystemClock())
            async with uow.write() as tx:
                await _fill(tx)
            for name, budget, work in _WORK:
                spent = [await _timed(uow, work) for _ in range(16)]
                rows.append((f"{name}, {kind}", median(spent[1:]), f"ms ({budget})"))
            await uow.close()
    return rows


async def _fill(tx: Tx) -> None:
    """One ticket in ten is open; a hundred servicers, ten teams, one tag in twenty customers."""
    series, past, key = _SERIES[tx.dialect], _PAST[tx.dialect], _ID[tx.dialect]
    few = "SELECT n, CAST(n AS text) AS k FROM s WHERE n <="
    for statement in (
        f"INSERT INTO users (id, username, name, password_hash, role, is_disabled, failed_logins,"
        f" password_changed_at, created_at, version) {series} SELECT k, k, k, '', 'servicer',"
        f" false, 0, {past}, {past}, 1 FROM ({few} 100) x",
        f"INSERT INTO servicers (id, user_id, name, presence, capacity, open_sessions, version)"
        f" {series} SELECT k, k, k, 'online', 5, 0, 1 FROM ({few} 100) x",
        f"INSERT INTO teams (id, name, about, strategy, is_active, created_at, version) {series}"
        f" SELECT k, k, '', 'least_busy', true, {past}, 1 FROM ({few} 10) x",
        f"INSERT INTO customers (id, name, avatar_url, is_temporary, phone_sealed, phone_index,"
        f" phone_masked, note, tags, custom, created_at, version) {series} SELECT {key},"
        f" '客户' || n, '', n % 3 = 0, '', '', '', '', CASE WHEN n % 20 = 0 THEN '[\"vip\"]'"
        f" ELSE '[]' END{_json(tx)}, '{{}}', {past}, 1 FROM s",
        f"INSERT INTO tickets (id, number, title, description, state, priority, source,"
        f" customer_id, team_id, servicer_id, assigned_because, fields, tags, created_at,"
        f" created_by, updated_at, due_at, is_breached, escalation_level, nudges, reopens,"
        f" version) {series} SELECT {key}, 'GD' || n, '系统上报失败 ' || n, '', CASE WHEN n % 20"
        f" = 0 THEN 'open' WHEN n % 20 = 10 THEN 'new' ELSE 'closed' END, CASE WHEN n % 50 = 0"
        f" THEN 'urgent' ELSE 'normal' END, 'console', {key}, CAST(n % 10 + 1 AS text),"
        f" CAST(n % 97 + 1 AS text), '', '{{}}', '[]', {past}, 'x', {past},"
        f" CASE WHEN n % 10 = 0 THEN {past} END, false, 0, 0, 0, 1 FROM s",
        f"INSERT INTO timers (id, kind, key, due_at, payload, attempts) {series} SELECT {key},"
        f" 'ticket.sla', {key}, {past}, '{{}}', 0 FROM s WHERE n <= 100000",
        *(
            f"INSERT INTO ticket_words (word, ticket_id) {series} SELECT '{word}', {key} FROM s"
            for word in ("系统", "统上", "上报", "报失", "失败")
        ),
        f"INSERT INTO ticket_words (word, ticket_id) {series} SELECT CAST(n AS text), {key}"
        " FROM s",
        "ANALYZE",
    ):
        await tx.db.execute(text(statement.replace(":", "\\:")))


def _json(tx: Tx) -> str:
    return "::jsonb" if tx.dialect == "postgresql" else ""


async def _timed(uow: UnitOfWork, work: Callable[[Tx], Awaitable[object]]) -> float:
    async with uow.read() as tx:
        start = time.perf_counter()
        await work(tx)
        return (time.perf_counter() - start) * 1000


def _page(wanted: TicketFilter, *, deep: bool = False) -> Callable[[Tx], Awaitable[object]]:
    async def read(tx: Tx) -> object:
        cursor = None
        if deep:
            first = await queries.list_tickets(tx, wanted, limit=1)
            cursor = first.next_cursor
        return await queries.list_tickets(tx, wanted, cursor=cursor)

    return read


def _count(raw: dict[str, object]) -> Callable[[Tx], Awaitable[object]]:
    return lambda tx: segments.count(tx, segments.parse_rule(raw))


_TAGGED: dict[str, object] = {
    "kind": "all",
    "rules": [{"kind": "tag", "tag": "vip"}, {"kind": "temporary"}],
}
_WORK: tuple[tuple[str, str, Callable[[Tx], Awaitable[object]]], ...] = (
    ("page of all tickets", "≤ 50", _page(TicketFilter())),
    ("page of open tickets", "≤ 50", _page(TicketFilter(states=OPEN))),
    ("page of my open tickets", "≤ 50", _page(TicketFilter(states=OPEN, servicer_id="7"))),
    (
        "page of a team's closed",
        "≤ 50",
        _page(TicketFilter(states=(TicketState.CLOSED,), team_id="3")),
    ),
    (
        "page of urgent open",
        "≤ 50",
        _page(TicketFilter(states=OPEN, priorities=(Priority.URGENT,))),
    ),
    ("page of breached", "≤ 50", _page(TicketFilter(is_breached=True))),
    ("page by deadline", "≤ 50", lambda tx: queries.list_tickets(tx, TicketFilter(), order="due")),
    ("page by words", "≤ 50", _page(TicketFilter(q="失败 77777"))),
    ("page by common words", "≤ 50", _page(TicketFilter(q="系统上报"))),
    ("page of open by words", "≤ 50", _page(TicketFilter(states=OPEN, q="上报失败"))),
    ("page by words that nothing has", "≤ 50", _page(TicketFilter(q="失败 打印机"))),
    ("board", "live", lambda tx: queries.counts_by_state(tx, TicketFilter(states=OPEN))),
    ("segment count, tag and attribute", "live", _count(_TAGGED)),
    ("segment count, contacted", "live", _count({"kind": "contacted", "days": 30})),
    ("next deadline of 100,000", "≤ 1000", timers.next_due_at),
)
