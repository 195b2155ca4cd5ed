# ruff: noqa: S608 - the statements are ours
"""Search over 1,000,000 messages, and what indexing one costs."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from sqlalchemy import text

from core import schema
from core.clock import SystemClock
from core.db import Tx, UnitOfWork, make_engine
from core.history.index import rebuild
from core.history.search import Wanted, search
from tools.bench.stage import database

Results = list[tuple[str, float, str]]
MANY = 1_000_000
_SERIES = {
    "sqlite": f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {MANY})",
    "postgresql": f"WITH s(n) AS (SELECT generate_series(1, {MANY}))",
}
_SAID = (
    "系统数据上报失败，提示超时，请帮忙看一下怎么处理",
    "好的，已经为您重新推送，请刷新页面后再试一次",
    "疫苗接种记录查询不到，是不是需要先同步机构信息",
    "谢谢",
    "打印机卡纸了，报表打不出来",
)
_NOW = "'2026-03-02 10:00:00'"
_SEARCHES: tuple[tuple[str, Wanted], ...] = (
    ("a common word", Wanted(["上报"])),
    ("two common words", Wanted(["上报", "失败"])),
    ("a rare word", Wanted(["77777"])),
    ("a common and a rare word", Wanted(["上报", "77775"])),
    ("words that never meet", Wanted(["打印机", "疫苗"])),
    ("a common word that nobody else served", Wanted(["上报"], servicer_id="nobody")),
)


async def bench_history() -> Results:
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
            began = time.process_time()
            count = await rebuild(uow)
            rows.append((f"index a message, {kind}", _ms(began) / count, "ms of CPU"))
            for name, wanted in _SEARCHES:
                spent = [await _timed(uow, wanted) for _ in range(16)]
                rows.append((f"search {name}, {kind}", median(spent[1:]), "ms (≤ 50)"))
            await uow.close()
    return rows


async def _fill(tx: Tx) -> None:
    json = "::jsonb" if tx.dialect == "postgresql" else ""
    words = " ".join(f"WHEN {n} THEN '{line}'" for n, line in enumerate(_SAID))
    said = f"CASE n % {len(_SAID)} {words} END || ' ' || n"
    for statement in (
        "INSERT INTO channel_accounts (id, channel, account, name, mode, is_active,"
        " is_manageable, limits, created_at, version) VALUES"
        f" ('a', 'x', 'x', '疾控', 'console', true, true, '{{}}', {_NOW}, 1)",
        "INSERT INTO customers (id, name, avatar_url, is_temporary, phone_sealed, phone_index,"
        " phone_masked, note, tags, custom, created_at, version) VALUES"
        f" ('c', '王建国', '', false, '', '', '', '', '[]', '{{}}', {_NOW}, 1)",
        f"INSERT INTO identities VALUES ('i', 'c', 'x', 'x', 'x', {_NOW})",
        "INSERT INTO conversations (id, address_key, account_id, identity_id, customer_id,"
        " last_customer_text, is_muted, pending_lines, form, scene, scene_param, created_at)"
        f" VALUES ('v', 'v', 'a', 'i', 'c', '', false, '[]', '{{}}', '', '', {_NOW})",
        f"INSERT INTO messages (id, account_id, conversation_id, sender, content, text, sent_at,"
        f" created_at, delivery, failure, part, source) {_SERIES[tx.dialect]} SELECT"
        f" CAST(n AS text), 'a', 'v', 'customer', '{{\"type\":\"text\",\"text\":\"x\"}}'{json},"
        f" {said}, {_NOW}, {_NOW}, 'received', '', 0, '{{}}'{json} FROM s",
        "ANALYZE",
    ):
        await tx.db.execute(text(statement.replace(":", "\\:")))


async def _timed(uow: UnitOfWork, wanted: Wanted) -> float:
    async with uow.read() as tx:
        began = time.perf_counter()
        await search(tx, wanted)
        return (time.perf_counter() - began) * 1000


def _ms(began: float) -> float:
    return (time.process_time() - began) * 1000
