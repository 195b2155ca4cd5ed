"""Many customers with the same question raise one alarm; one customer many times raises none."""

from __future__ import annotations

from sqlalchemy import select

from core.clock import ManualClock
from core.db import UnitOfWork
from core.event_log import EventRow
from knowledge.retriever import Band
from tests.knowledge_base.conftest import decided, published


async def _alarms(uow: UnitOfWork) -> list[str]:
    async with uow.read() as tx:
        rows = await tx.db.scalars(
            select(EventRow).where(EventRow.type == "alarm.raised").order_by(EventRow.id)
        )
        return [f"{row.payload['code']} {row.payload['facts']['sessions']}" for row in rows]


async def test_the_eighth_customer_raises_one_alarm(uow: UnitOfWork) -> None:
    article = await published(uow)
    for number in range(7):
        await decided(uow, article, session_id=f"s{number}")
        await decided(uow, article, session_id=f"s{number}")
    assert await _alarms(uow) == []
    for number in (7, 7, 8, 9):
        await decided(uow, article, session_id=f"s{number}")
    assert await _alarms(uow) == ["question_surge 8"]


async def test_unknown_questions_count_by_their_words_and_within_the_window(
    uow: UnitOfWork, clock: ManualClock
) -> None:
    for number in range(7):
        await decided(uow, None, session_id=f"s{number}", question="系统打不开了")
    clock.advance(seconds=601)
    await decided(uow, None, session_id="late", question="系统打不开了")
    assert await _alarms(uow) == []
    for number in range(7):
        await decided(uow, None, session_id=f"t{number}", question="系统打不开了", band=Band.MENU)
    assert await _alarms(uow) == ["question_surge 8"]
