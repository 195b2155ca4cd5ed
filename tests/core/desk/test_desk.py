"""Numbers, cards and joined lines on a desk in the app."""

from __future__ import annotations

from sqlalchemy import select

from core import outbox
from core.clock import ManualClock
from core.content import Address, Image, Media, Text
from core.db import Tx, UnitOfWork
from core.desk import cards, outgoing
from core.desk.service import Desk
from core.outbox import OutboxRow
from core.ports import CardMessage, CardUpdate, OutboundMessage
from core.servicers.queries import get_servicer
from core.timers.service import claim_due, is_set
from tests.core.seed import servicer

APP = "1000002"


async def desk_of(tx: Tx, name: str = "陈静") -> Desk:
    actor = await servicer(tx, name)
    assert actor.servicer_id is not None
    view = await get_servicer(tx, actor.servicer_id)
    return await Desk.open(tx, view, Address("wecom_app", APP, name))


async def reopened(tx: Tx, desk: Desk) -> Desk:
    found = await Desk.of_servicer(tx, desk.servicer.id)
    assert found is not None
    return found


async def owed(tx: Tx, desk: Desk) -> list[object]:
    rows = await tx.db.scalars(
        select(OutboxRow).where(OutboxRow.address_key == desk.row.address_key)
    )
    return [outbox.load_item(row.item) for row in sorted(rows, key=lambda row: row.id)]


async def texts(tx: Tx, desk: Desk) -> list[str]:
    items = await owed(tx, desk)
    return [
        item.content.text
        for item in items
        if isinstance(item, OutboundMessage) and isinstance(item.content, Text)
    ]


async def send_everything(tx: Tx, desk: Desk) -> None:
    for parcel in await outbox.pending(tx, desk.row.address_key, limit=100):
        await outbox.settle(tx, parcel, "sent")


async def test_lines_wait_for_room_and_come_joined(uow: UnitOfWork, clock: ManualClock) -> None:
    async with uow.write() as tx:
        desk = await desk_of(tx)
        for number in range(30):
            await desk.notify(f"第{number}行")
            await send_everything(tx, desk)
        assert await texts(tx, desk) == [f"第{number}行" for number in range(8)]
        assert await is_set(tx, outgoing.FLUSH_TIMER, desk.servicer.id)
    clock.advance(seconds=9)
    async with uow.write() as tx:
        (due,) = await claim_due(tx, limit=5)
        assert due.kind == outgoing.FLUSH_TIMER
        desk = await reopened(tx, desk)
        await outgoing.flush(tx, desk.row)
        said = await texts(tx, desk)
    assert said[8:] == ["\n".join(f"第{number}行" for number in range(8, 30))]


async def test_pictures_keep_their_place_among_the_lines(
    uow: UnitOfWork, clock: ManualClock
) -> None:
    picture = Image(media=Media(attachment_id="a"))
    async with uow.write() as tx:
        desk = await desk_of(tx)
        for number in range(8):
            await desk.notify(f"满{number}")
            await send_everything(tx, desk)
        for content in ("一", "二", picture, "三"):
            await desk.notify(content)
    clock.advance(seconds=30)
    async with uow.write() as tx:
        desk = await reopened(tx, desk)
        await outgoing.flush(tx, desk.row)
        late = [item.content for item in (await owed(tx, desk))[8:]]  # type: ignore[attr-defined]
    assert late == [Text(text="一\n二"), picture, Text(text="三")]


async def test_while_the_platform_is_down_lines_are_joined(
    uow: UnitOfWork, clock: ManualClock
) -> None:
    async with uow.write() as tx:
        desk = await desk_of(tx)
    for number in range(20):  # one a minute: the pace alone would let all of them pass
        clock.advance(minutes=1)
        async with uow.write() as tx:
            await (await reopened(tx, desk)).notify(f"第{number}行")
    async with uow.write() as tx:
        assert len(await owed(tx, desk)) == 4
        await send_everything(tx, desk)
        await outgoing.flush(tx, (await reopened(tx, desk)).row)
        rows = "\n".join(await texts(tx, desk)).splitlines()
    assert rows == [f"第{number}行" for number in range(20)]


async def test_an_answer_takes_along_what_waits(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        desk = await desk_of(tx)
        for number in range(10):
            await desk.notify(f"第{number}行")
            await send_everything(tx, desk)
        await desk.answer("您问的答案")
        assert (await texts(tx, desk))[-1] == "第8行\n第9行\n您问的答案"


async def test_a_code_closes_a_card_once(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        desk = await desk_of(tx)
        card_id = await cards.lay(tx, desk.servicer.id, "s1")
        await cards.keep_code(tx, card_id, "RC1", tx.now)
        await cards.keep_code(tx, card_id, "RC2", tx.now)  # a press brought a fresh one
        await cards.close_about(tx, "s1", "已由李军接入")
        await cards.close_about(tx, "s1", "已结束")
        await cards.close(tx, card_id, "您已接入")
        updates = [item for item in await owed(tx, desk) if isinstance(item, CardUpdate)]
    assert [(one.response_code, one.label, one.user_refs) for one in updates] == [
        ("RC2", "已由李军接入", ("陈静",))
    ]


async def test_a_card_claimed_before_its_code_is_known_is_closed_with_it(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        desk = await desk_of(tx)
        card_id = await cards.lay(tx, desk.servicer.id, "s1")
        await cards.close_about(tx, "s1", "已由李军接入")
        assert await owed(tx, desk) == []
        await cards.keep_code(tx, card_id, "RC1", tx.now)
        (update,) = await owed(tx, desk)
    assert isinstance(update, CardUpdate)
    assert (update.response_code, update.label) == ("RC1", "已由李军接入")


async def test_a_code_older_than_its_72_hours_is_not_tried(
    uow: UnitOfWork, clock: ManualClock
) -> None:
    async with uow.write() as tx:
        desk = await desk_of(tx)
        card_id = await cards.lay(tx, desk.servicer.id, "s1")
        await cards.keep_code(tx, card_id, "RC1", tx.now)
    clock.advance(hours=72)
    async with uow.write() as tx:
        await cards.close_about(tx, "s1", "已结束")
        assert await owed(tx, desk) == []


async def test_a_card_that_is_over_before_it_was_sent_is_not_sent(
    uow: UnitOfWork, clock: ManualClock
) -> None:
    async with uow.write() as tx:
        desk = await desk_of(tx)
        for number in range(9):
            await desk.notify(f"第{number}行")
            await send_everything(tx, desk)
        card_id = await cards.lay(tx, desk.servicer.id, "s1")
        await desk.deal(CardMessage(desk.address, card_id, card_id, "新会话"))
        await cards.close_about(tx, "s1", "已由李军接入")
    clock.advance(seconds=30)
    async with uow.write() as tx:
        await outgoing.flush(tx, (await reopened(tx, desk)).row)
        assert not [item for item in await owed(tx, desk) if isinstance(item, CardMessage)]


async def test_silence_is_kept_when_notices_are_off(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        desk = await desk_of(tx)
        desk.keep_quiet(is_quiet=True)
        await desk.notify("客户说了什么")
        await desk.answer("您问的答案")
        assert await texts(tx, desk) == ["您问的答案"]


async def test_a_freed_number_is_not_the_next_customers(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        desk = await desk_of(tx)
        assert [await desk.take(f"s{n}") for n in range(3)] == [1, 2, 3]
        assert await desk.take("s1") == 2
        assert await desk.release("s1") == 2
        assert await desk.release("s1") is None
        assert await desk.take("s9") == 4
