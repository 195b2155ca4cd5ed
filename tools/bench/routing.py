"""Who gets the next session, with 10,000 waiting and 1,000 servicers."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from statistics import quantiles

from sqlalchemy import insert, text

from core import schema
from core.accounts.limits import AccountLimits
from core.accounts.models import AccountRow
from core.accounts.service import register
from core.assignment.queries import Wanted
from core.assignment.routing import choose
from core.assignment.strategy import Choice
from core.clock import SystemClock
from core.content import Address
from core.conversations.models import ConversationRow
from core.customers.models import CustomerRow, IdentityRow
from core.db import Base, Tx, UnitOfWork, make_engine
from core.servicers.models import ServicerRow
from core.sessions.assigning import assign_next, places_of
from core.sessions.models import SessionRow
from core.sessions.moves import get_session, hold_session
from core.sessions.queries import last_servicer_of
from core.sessions.queue import queue_position
from core.teams.models import ServicerSkillRow, SkillRow, TeamMemberRow, TeamRow
from core.users.models import UserRow
from core.views import ServiceMode
from tools.bench.stage import database

Results = list[tuple[str, float, str]]
WAITING, PEOPLE, DECISIONS = 10_000, 1_000, 300
_TEAM = "team"


async def bench_routing() -> Results:
    """Milliseconds of single decisions, one after another, on both databases."""
    rows: Results = []
    for kind in ("sqlite", "postgres"):
        with tempfile.TemporaryDirectory() as folder, database(kind, Path(folder)) as url:
            engine = make_engine(url)
            async with engine.begin() as connection:
                await connection.run_sync(schema.metadata.create_all)
            uow = UnitOfWork(engine, SystemClock())
            try:
                await _fill(uow)
                rows += [(f"{what}, {kind}", *rest) for what, *rest in await _measure(uow)]  # type: ignore[misc]  # of one shape
            finally:
                await uow.close()
    return rows


async def _measure(uow: UnitOfWork) -> Results:
    waiting = [f"s{number:05d}" for number in range(DECISIONS)]
    rows: Results = []

    async def place(session_id: str) -> None:
        async with uow.read() as tx:
            await queue_position(tx, await get_session(tx, session_id))

    async def assign(session_id: str) -> None:
        async with uow.write() as tx:
            await assign_next(tx, session_id)

    for strategy in ("least_busy", "skill", "round_robin"):
        async with uow.write() as tx:
            await tx.db.execute(text("UPDATE teams SET strategy = :one"), {"one": strategy})
        rows += await _timed(f"decision, {strategy}", waiting, _deciding(uow))
    rows += await _timed("place in the queue", waiting, place)
    rows += await _timed("assignment, written", waiting, assign)
    return rows


def _deciding(uow: UnitOfWork) -> Callable[[str], Awaitable[object]]:
    async def decide(session_id: str) -> Choice | None:
        async with uow.read() as tx:
            row, _ = await hold_session(tx, session_id)
            last = await last_servicer_of(tx, row)
            place = (await places_of(tx, row))[0]
            mode = ServiceMode(row.mode)
            strategy = place.strategy
            wanted = Wanted(row.account_id, mode, place.team_id, row.topic, strategy=strategy)
            return await choose(tx, wanted, last_servicer_id=last)

    return decide


async def _timed(
    what: str, session_ids: list[str], work: Callable[[str], Awaitable[object]]
) -> Results:
    await work(session_ids[0])  # warms up
    took, worked = [], []
    for session_id in session_ids[1:]:
        began, cpu = time.perf_counter(), time.process_time()
        await work(session_id)
        took.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - cpu) * 1000)
    budget = " (≤ 5)" if what.startswith("decision") else ""
    return [
        (f"{what}, p50", quantiles(took, n=100)[49], "ms"),
        (f"{what}, p99", quantiles(took, n=100)[98], f"ms{budget}"),
        (f"{what}, processor time of ours, p99", quantiles(worked, n=100)[98], "ms"),
    ]


async def _fill(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        limits = AccountLimits(window_messages=5, window_s=172800)
        account = await register(tx, channel="k", account="a", name="支持", limits=limits)
        await _people(tx)
        row = await tx.db.get_one(AccountRow, account.id)
        row.team_id = _TEAM
        await tx.db.flush()
        await _queue(tx, account.id)
    async with uow.write() as tx:
        await tx.db.execute(text("ANALYZE"))
    gc.collect()  # as the product does when it is ready
    gc.freeze()


async def _people(tx: Tx) -> None:
    names = [f"{number:04d}" for number in range(PEOPLE)]
    at = {"created_at": tx.now}
    users = [
        {"id": f"u{one}", "username": one, "name": one, "role": "servicer", "password_hash": "",
         "password_changed_at": tx.now, **at}
        for one in names
    ]  # fmt: skip
    people = [
        {"id": f"p{one}", "user_id": f"u{one}", "name": one, "presence": "online", "capacity": 20,
         "open_sessions": int(one) % 20, "idle_since": tx.now - timedelta(seconds=int(one))}
        for one in names
    ]  # fmt: skip
    ring = {"joined_at": tx.now, "last_assigned_at": tx.now}
    members = [{"team_id": _TEAM, "servicer_id": f"p{one}", **ring} for one in names]
    levels = [
        {"servicer_id": f"p{one}", "skill_id": "vpn", "level": int(one) % 5 + 1} for one in names
    ]
    await _insert(tx, UserRow, users)
    await _insert(tx, ServicerRow, people)
    await _insert(tx, TeamRow, [{"id": _TEAM, "name": "支持组", **at}])
    await _insert(tx, TeamMemberRow, members)
    await _insert(tx, SkillRow, [{"id": "vpn", "name": "VPN"}])
    await _insert(tx, ServicerSkillRow, levels)


async def _queue(tx: Tx, account_id: str) -> None:
    names = [f"{number:05d}" for number in range(WAITING)]
    at = {"created_at": tx.now}
    customers = [{"id": f"c{one}", "name": one, **at} for one in names]
    identities = [
        {"id": f"i{one}", "customer_id": f"c{one}", "channel": "k", "account": "a", "user": one,
         **at}
        for one in names
    ]  # fmt: skip
    threads = [
        {"id": f"t{one}", "address_key": Address("k", "a", one).key, "account_id": account_id,
         "identity_id": f"i{one}", "customer_id": f"c{one}", "pending_lines": [], "form": {},
         **at}
        for one in names
    ]  # fmt: skip
    since = [tx.now + timedelta(milliseconds=int(one)) for one in names]
    waiting = [
        {"id": f"s{one}", "conversation_id": f"t{one}", "account_id": account_id,
         "customer_id": f"c{one}", "state": "queued", "mode": "console", "team_id": _TEAM,
         "route": _TEAM, "rank_at": begun, "queued_at": begun, "opened_at": begun,
         "lost_by": [], "topic": "VPN 连不上"}
        for one, begun in zip(names, since, strict=True)
    ]  # fmt: skip
    await _insert(tx, CustomerRow, customers)
    await _insert(tx, IdentityRow, identities)
    await _insert(tx, ConversationRow, threads)
    await _insert(tx, SessionRow, waiting)


async def _insert(tx: Tx, table: type[Base], rows: list[dict[str, object]]) -> None:
    await tx.db.execute(insert(table), rows)
