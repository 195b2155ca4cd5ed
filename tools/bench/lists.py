"""Lists, counts and deadlines at 1,000,000 tickets and customers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

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

MANY = 1_000_000
OPEN = 100_000
_NUMBERS = {
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {n})",
    "postgresql": "WITH s(n) AS (SELECT generate_series(1, {n}))",
}
#: One ticket in ten is open; a hundred servicers, ten teams, a thousand institutions.
_STATE = "CASE WHEN n % 10 = 0 THEN CASE WHEN n % 20 = 0 THEN 'open' ELSE 'new' END ELSE 'closed' END"


async def bench_lists() -> list[tuple[str, float, str]]:
    """Times in milliseconds, the median of 15 after one to warm up."""
    rows: list[tuple[str, float, str]] = []
    for kind in ("sqlite", "postgres"):
        with tempfile.TemporaryDirectory() as folder, database(kind, Path(folder)) as url:
            engine = make_engine(url)
            async with engine.begin() as connection:
                await connection.run_sync(schema.metadata.create_all)
            uow = UnitOfWork(engine, SystemClock())
            await _fill(uow)
            for name, budget, work in _WORK:
                spent = [await _timed(uow, work) for _ in range(16)]
                rows.append((f"{name}, {kind}", median(spent[1:]), f"ms ({budget})"))
            await uow.close()
    return rows


async def _fill(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        now = {"now": tx.now if tx.dialect == "postgresql" else f"{tx.now:%Y-%m-%d %H:%M:%S}.000000"}
        days = "CAST(:now AS timestamptz) - n * interval '1 second'"
        later = "CAST(:now AS timestamptz) + n * interval '1 second'"
        if tx.dialect == "sqlite":
            days = "strftime('%Y-%m-%d %H:%M:%f000', :now, '-' || n || ' seconds')"
            later = "strftime('%Y-%m-%d %H:%M:%f000', :now, '+' || n || ' seconds')"
        for statement in _statements(days, later):
            head = _NUMBERS[tx.dialect]
            await tx.db.execute(text(statement.replace("{s", head.replace("{n}", "")) if False else statement.format_map({"s": head, "days": days, "later": later, "state": _STATE})), now)
    async with uow.write() as tx:
        await tx.db.execute(text("ANALYZE"))
