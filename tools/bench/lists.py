"""Lists, searches, counts and deadlines at 1,000,000 tickets and customers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from core import schema
from core.clock import SystemClock
from core.customers import queries as customers
from core.customers.search import search
from core.db import Tx, UnitOfWork, make_engine
from core.institutions import queries as institutions
from core.sealing import KeyRing
from core.segments import service as segments
from core.tickets import queries
from core.tickets.queries import TicketFilter
from core.tickets.similar import similar
from core.timers import service as timers
from core.views import Priority, TicketState
from tools.bench.million import fill
from tools.bench.stage import database

Results = list[tuple[str, float, str]]
Rule = dict[str, object]
OPEN = (TicketState.NEW, TicketState.OPEN)


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
                await fill(tx)
            await _settle(engine)
            for name, budget, work in _WORK:
                spent = [await _timed(uow, work) for _ in range(16)]
                rows.append((f"{name}, {kind}", median(spent[1:]), f"ms ({budget})"))
            await uow.close()
    return rows


async def _settle(engine: AsyncEngine) -> None:
    """What autovacuum does by itself; the test server runs without it."""
    if engine.dialect.name == "postgresql":
        async with engine.connect() as plain:
            connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM ANALYZE"))


async def _timed(uow: UnitOfWork, work: Callable[[Tx], Awaitable[object]]) -> float:
    async with uow.read() as tx:
        start = time.perf_counter()
        await work(tx)
        return (time.perf_counter() - start) * 1000


def _page(wanted: TicketFilter) -> Callable[[Tx], Awaitable[object]]:
    return lambda tx: queries.list_tickets(tx, wanted)


def _find(q: str) -> Callable[[Tx], Awaitable[object]]:
    return lambda tx: search(tx, _KEYS, q)


def _count(raw: Rule) -> Callable[[Tx], Awaitable[object]]:
    return lambda tx: segments.count(tx, segments.parse_rule(raw))


_KEYS = KeyRing.from_secrets(["sixteen letters of a secret"])
_GRADE: Rule = {"kind": "attribute", "field": "custom.grade", "op": "is", "value": "A"}
_VIP: Rule = {"kind": "tag", "tag": "vip"}
_SILENT: Rule = {"kind": "not", "rule": {"kind": "contacted", "days": 30}}
_LEVEL: Rule = {"kind": "attribute", "field": "contract_level", "op": "is", "value": "VIP"}
_NAMED: Rule = {"kind": "attribute", "field": "name", "op": "contains", "value": "建国"}
_ASKING: Rule = {"kind": "consulted", "what": "tickets", "at_least": 1, "days": 1}
_SEGMENTS: dict[str, Rule] = {
    "tag and attribute": {"kind": "all", "rules": [_VIP, {"kind": "temporary"}]},
    "contacted": {"kind": "contacted", "days": 30},
    "nested": {
        "kind": "all",
        "rules": [{"kind": "any", "rules": [_VIP, _GRADE]}, _SILENT, _LEVEL],
    },
    "custom field": _GRADE,
    "level of the institution": _LEVEL,
    "name has": _NAMED,
    "within": {"kind": "within", "institution_id": "1".rjust(20, "0")},
    "had a ticket today": _ASKING,
    "had a ticket this year": {**_ASKING, "days": 365},
    "had two tickets this month": {**_ASKING, "at_least": 2, "days": 30},
    "had a session this month": {"kind": "consulted", "days": 30},
    "silent for a month": _SILENT,
    "rated 4 or better this year": {"kind": "rated", "low": 4},
}


def _a_month_ago(**facts: Any) -> TicketFilter:
    return TicketFilter(
        created_from=datetime.now(UTC) - timedelta(days=60),
        created_until=datetime.now(UTC) - timedelta(days=30),
        **facts,
    )


#: What the list offers, alone and together; nobody has category 40 or servicer 100.
_FILTERS: dict[str, TicketFilter] = {
    "all": TicketFilter(),
    "open": TicketFilter(states=OPEN),
    "closed": TicketFilter(states=(TicketState.CLOSED,)),
    "mine, open": TicketFilter(states=OPEN, servicer_id="7"),
    "nobody's, open": TicketFilter(states=OPEN, is_unassigned=True),
    "a team's": TicketFilter(team_id="3"),
    "a category's, open": TicketFilter(states=OPEN, category_id="3"),
    "an empty category": TicketFilter(category_id="40"),
    "urgent, open": TicketFilter(states=OPEN, priorities=(Priority.URGENT,)),
    "late, open": TicketFilter(states=OPEN, is_breached=True),
    "a team's urgent of a category": TicketFilter(
        states=OPEN, team_id="1", category_id="3", priorities=(Priority.URGENT,)
    ),
    "nothing matches": TicketFilter(states=OPEN, servicer_id="100", team_id="3"),
    "a rare word": TicketFilter(q="失败 77777"),
    "common words, open": TicketFilter(states=OPEN, q="系统上报"),
    "words that nothing has": TicketFilter(q="失败 打印机"),
    "a single character": TicketFilter(q="打"),
    "a customer's": TicketFilter(customer_id="77777".rjust(20, "0")),
    "an institution's": TicketFilter(institution_id="777".rjust(20, "0")),
    "an institution's, open, late": TicketFilter(
        states=OPEN, institution_id="777".rjust(20, "0"), is_breached=True
    ),
    "a tag's": TicketFilter(tag="上门"),
    "a tag's of a servicer, open": TicketFilter(states=OPEN, tag="上门", servicer_id="7"),
    "words with a tag": TicketFilter(tag="上门", q="系统上报"),
    "a tag that nothing has": TicketFilter(tag="没有"),
    "a month ago": _a_month_ago(),
    "a month ago, open": _a_month_ago(states=OPEN),
    "a month ago, a team's": _a_month_ago(team_id="3"),
    "a month ago, a servicer's of a category": _a_month_ago(servicer_id="7", category_id="3"),
    "a month ago, words": _a_month_ago(q="系统上报"),
    "a month ago, nothing matches": _a_month_ago(servicer_id="7", category_id="40"),
    "a team's of a servicer and category": TicketFilter(
        team_id="3", servicer_id="7", category_id="3"
    ),
    "a servicer's urgent": TicketFilter(servicer_id="7", priorities=(Priority.URGENT,)),
    "urgent of two states, late": TicketFilter(
        states=OPEN, priorities=(Priority.URGENT, Priority.HIGH), is_breached=True
    ),
    "in time": TicketFilter(is_breached=False),
    "nobody's of an empty category": TicketFilter(is_unassigned=True, category_id="40"),
}
_KINDS: dict[str, Callable[[TicketFilter], Callable[[Tx], Awaitable[object]]]] = {
    "newest": _page,
    "by deadline": lambda wanted: lambda tx: queries.list_tickets(tx, wanted, order="due"),
    "board": lambda wanted: lambda tx: queries.counts_by_state(tx, wanted),
}
_WORK: tuple[tuple[str, str, Callable[[Tx], Awaitable[object]]], ...] = (
    *(
        (f"{kind}, {name}", "≤ 50", make(wanted))
        for name, wanted in _FILTERS.items()
        for kind, make in _KINDS.items()
    ),
    ("tickets like a text", "≤ 50", lambda tx: similar(tx, "系统上报失败 77777", category_id="3")),
    *((f"segment count, {name}", "live", _count(rule)) for name, rule in _SEGMENTS.items()),
    ("page of all customers", "≤ 50", customers.list_customers),
    ("customers by name", "≤ 50", _find("王建国")),
    ("customers by surname", "≤ 50", _find("王")),
    ("customers by a name that nobody has", "≤ 50", _find("欧阳锋")),
    ("customers of an institution", "≤ 50", _find("建国县人民医院1524")),
    ("customers of many institutions", "≤ 50", _find("疾控中心")),
    ("customers by institution and name", "≤ 50", _find("疾控 王建")),
    ("customers by pinyin", "≤ 50", _find("ylxjb")),
    ("customers by phone", "≤ 50", _find("13812345678")),
    ("institutions by likeness", "≤ 50", lambda tx: institutions.search(tx, "建国疾控")),
    ("institutions by pinyin", "≤ 50", lambda tx: institutions.search(tx, "ylxjb")),
    ("institutions by anything", "≤ 50", lambda tx: institutions.search(tx, "月球第一人民医院")),
    ("next deadline of 100,000", "≤ 1000", timers.next_due_at),
)
