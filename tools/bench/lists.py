# ruff: noqa: S608 - the statements are ours
"""Lists, searches, counts and deadlines at 1,000,000 tickets and customers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from sqlalchemy import text

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
from tools.bench.stage import database

Results = list[tuple[str, float, str]]
Rule = dict[str, object]
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
_ID = {"sqlite": "printf('%020d', {})", "postgresql": "lpad(({})::text, 20, '0')"}

PLACES = 50_000
#: Forty surnames, and given names of two characters out of sixty: 144,000 names.
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡"
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英建国文华辉力永"
    "健世广志义兴良海山仁波宁贵福生龙元全胜学祥才发武新利清飞彬富顺"
)
_NAME = (
    f"substr('{_SURNAMES}', n % 40 + 1, 1) || substr('{_GIVEN}', n / 40 % 60 + 1, 1)"
    f" || substr('{_GIVEN}', n / 2400 % 60 + 1, 1)"
)
_PLACE = (
    f"substr('{_GIVEN}', n % 60 + 1, 1) || substr('{_GIVEN}', n / 60 % 60 + 1, 1)"
    " || CASE WHEN n % 7 = 0 THEN '县疾病预防控制中心' ELSE '县人民医院' END"
)


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
    series, past, key = _SERIES[tx.dialect], _PAST[tx.dialect], key_of(tx, "n")
    few = "SELECT n, CAST(n AS text) AS k FROM s WHERE n <="
    for statement in (
        f"INSERT INTO users (id, username, name, password_hash, role, is_disabled, failed_logins,"
        f" password_changed_at, created_at, version) {series} SELECT k, k, k, '', 'servicer',"
        f" false, 0, {past}, {past}, 1 FROM ({few} 100) x",
        f"INSERT INTO servicers (id, user_id, name, presence, capacity, open_sessions,"
        f" stays, version) {series} SELECT k, k, k, 'online', 5, 0, false, 1 FROM ({few} 100) x",
        f"INSERT INTO teams (id, name, about, strategy, is_active, created_at, version) {series}"
        f" SELECT k, k, '', 'least_busy', true, {past}, 1 FROM ({few} 10) x",
        f"INSERT INTO institutions (id, name, kind, region_code, product, product_version,"
        f" contract_level, created_at, version) {series} SELECT {key}, {_PLACE} || n, 'cdc', '',"
        f" '', '', CASE WHEN n % 9 = 0 THEN 'VIP' ELSE '' END, {past}, 1 FROM s WHERE n <="
        f" {PLACES}",
        f"INSERT INTO institution_keys (institution_id, path, normal, initials, pinyin) {series}"
        f" SELECT {key}, {key} || '/', {_PLACE} || n, 'ylxjbyfkzzx' || n,"
        f" 'yunlingxianjibingyufangkongzhizhongxin' || n FROM s WHERE n <= {PLACES}",
        f"INSERT INTO customers (id, name, avatar_url, is_temporary, institution_id,"
        f" phone_sealed, phone_index, phone_masked, note, tags, custom, created_at, version)"
        f" {series} SELECT {key}, {_NAME}, '', n % 3 = 0, {key_of(tx, f'n % {PLACES} + 1')}, '',"
        f" 'i' || n, '', '', CASE WHEN n % 20 = 0 THEN '[\"vip\"]' ELSE '[]' END{_json(tx)},"
        f" CASE WHEN n % 10 = 0 THEN '{{\"grade\": \"A\"}}' ELSE '{{}}' END{_json(tx)}, {past},"
        " 1 FROM s",
        *(
            f"INSERT INTO customer_words (word, customer_id) SELECT substr(name, {start}, {size}),"
            " id FROM customers"
            for start, size in ((1, 1), (1, 2), (2, 2))
        ),
        f"INSERT INTO ticket_categories (id, name, position, is_active, default_priority,"
        f" skills, fields, templates, version) {series} SELECT k, k, 1, true, 'normal', '{{}}',"
        f" '[]', '[]', 1 FROM ({few} 40) x",
        f"INSERT INTO tickets (id, number, title, description, state, priority, source,"
        f" category_id, customer_id, team_id, servicer_id, assigned_because, fields, tags,"
        f" created_at, created_by, updated_at, due_at, is_breached, escalation_level, nudges,"
        f" reopens, version) {series} SELECT {key}, 'GD' || n, '系统上报失败 ' || n, '', CASE"
        f" WHEN n % 20"
        f" = 0 THEN 'open' WHEN n % 20 = 10 THEN 'new' ELSE 'closed' END, CASE WHEN n % 50 = 0"
        f" THEN 'urgent' ELSE 'normal' END, 'console', CAST(n % 39 + 1 AS text), {key},"
        f" CAST(n % 10 + 1 AS text), CASE WHEN n % 70 <> 0 THEN CAST(n % 97 + 1 AS text) END,"
        f" '', '{{}}', '[]', {past}, 'x', {past},"
        f" CASE WHEN n % 10 = 0 THEN {past} END, n % 40 = 0, 0, 0, 0, 1 FROM s",
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


def key_of(tx: Tx, number: str) -> str:
    """An id made of a number, in SQL."""
    return _ID[tx.dialect].format(number)


def _json(tx: Tx) -> str:
    return "::jsonb" if tx.dialect == "postgresql" else ""


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
    "consulted": _ASKING,
}
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
