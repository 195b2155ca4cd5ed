"""The audit log cannot be changed unseen."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import delete, update

from core.actor import Actor
from core.audit import service
from core.audit.models import AuditRow
from core.audit.queries import Verdict, list_audit, verify
from core.clock import ManualClock
from core.db import UnitOfWork

SYSTEM = Actor.system()


async def _append(uow: UnitOfWork, *actions: str) -> None:
    async with uow.write() as tx:
        for action in actions:
            await service.append(tx, by=SYSTEM, action=action, target="t", facts={"n": 1})


async def _append_and_fail(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        await service.append(tx, by=SYSTEM, action="b")
        raise RuntimeError("undone")


async def _verify(uow: UnitOfWork, head: str | None = None) -> Verdict:
    async with uow.read() as tx:
        return await verify(tx, expected_head=head)


async def test_an_untouched_log_is_intact(uow: UnitOfWork, clock: ManualClock) -> None:
    assert await _verify(uow) == Verdict(0, None, service.GENESIS)
    await _append(uow, "a", "b")
    clock.advance(seconds=1.234567)
    await _append(uow, "c")
    verdict = await _verify(uow)
    assert (verdict.checked, verdict.is_intact) == (3, True)


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "somebody else"},
        {"action": "x"},
        {"target": "x"},
        {"ip": "x"},
        {"facts": {"n": "2"}},
        {"previous_hash": "0" * 64},
        {"hash": "0" * 64},
    ],
)
async def test_any_change_of_a_row_is_found(uow: UnitOfWork, change: dict[str, object]) -> None:
    await _append(uow, "a", "b", "c")
    async with uow.write() as tx:
        rows = (await tx.db.scalars(AuditRow.__table__.select())).all()
        second = sorted(rows)[1]
        await tx.db.execute(update(AuditRow).where(AuditRow.id == second).values(change))
    verdict = await _verify(uow)
    assert verdict.broken_at == second
    assert verdict.checked == 1


async def test_a_missing_row_is_found_at_the_end_too(uow: UnitOfWork) -> None:
    await _append(uow, "a", "b", "c")
    head = (await _verify(uow)).head
    assert (await _verify(uow, head)).is_intact
    async with uow.write() as tx:
        await tx.db.execute(delete(AuditRow).where(AuditRow.action == "c"))
    assert (await _verify(uow)).is_intact  # nothing inside tells that the newest is gone
    assert not (await _verify(uow, head)).is_intact
    async with uow.write() as tx:
        await tx.db.execute(delete(AuditRow).where(AuditRow.action == "a"))
    assert not (await _verify(uow)).is_intact


async def test_what_is_rolled_back_leaves_no_trace_and_no_gap(uow: UnitOfWork) -> None:
    await _append(uow, "a")
    with pytest.raises(RuntimeError, match="undone"):
        await _append_and_fail(uow)
    await _append(uow, "c")
    verdict = await _verify(uow)
    assert (verdict.checked, verdict.is_intact) == (2, True)


async def test_appending_at_once_keeps_one_chain(uow: UnitOfWork) -> None:
    await asyncio.gather(*(_append(uow, f"a{number}") for number in range(12)))
    verdict = await _verify(uow)
    assert (verdict.checked, verdict.is_intact) == (12, True)


async def test_the_log_is_read_newest_first_by_page_and_by_action(uow: UnitOfWork) -> None:
    await _append(uow, "user.created", "user.locked", "setting.changed", "user_x")
    async with uow.read() as tx:
        first = await list_audit(tx, limit=3)
        rest = await list_audit(tx, limit=3, cursor=first.next_cursor)
        users = await list_audit(tx, action="user.")
        exact = await list_audit(tx, action="user.locked", actor="system")
    assert [view.action for view in (*first.items, *rest.items)] == [
        "user_x",
        "setting.changed",
        "user.locked",
        "user.created",
    ]
    assert rest.next_cursor is None
    assert len(users.items) == 2
    assert [view.actor_name for view in exact.items] == ["system"]
