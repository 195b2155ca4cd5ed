from __future__ import annotations

from core.clock import ManualClock
from core.db import UnitOfWork
from core.timeline import queries
from core.timeline.queries import TimelineKind
from tests.core.segments.test_segments import company


async def test_everything_of_a_customer_on_one_line_page_by_page(
    uow: UnitOfWork, clock: ManualClock
) -> None:
    async with uow.write() as tx:
        ids = await company(tx)
    seen = []
    cursor = None
    async with uow.read() as tx:
        while True:
            page = await queries.of_customer(tx, ids["a"], cursor=cursor, limit=2)
            seen += [(item.kind, item.id) for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        moments = [item.at for item in (await queries.of_customer(tx, ids["a"])).items]
        (ticket,) = (await queries.of_customer(tx, ids["c"])).items
        only = await queries.of_customer(tx, ids["a"], kinds=(TimelineKind.RATING,))
    assert sorted(seen) == [
        (TimelineKind.RATING, "r0"),
        (TimelineKind.RATING, "r1"),
        (TimelineKind.SESSION, "s0"),
        (TimelineKind.SESSION, "s1"),
    ]
    assert moments == sorted(moments, reverse=True)
    assert (ticket.kind, ticket.text) == (TimelineKind.TICKET, "GD20260302-0001 故障")
    assert {item.score for item in only.items} == {4, 5}
