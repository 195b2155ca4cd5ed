"""What is older than its keeping time goes; what is in use, waits or is younger stays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select

from bot.jobs.retention import purge
from core.actor import Actor
from core.attachments.blobs import LocalBlobs
from core.attachments.models import AttachmentRow
from core.attachments.service import AttachmentStore
from core.audit import service as audit
from core.audit.models import AuditRow
from core.audit.queries import list_audit, verify
from core.clock import ManualClock
from core.content import File, Media, Text
from core.conversations.models import MessageRow
from core.conversations.notes import add_note
from core.conversations.threads import ensure_thread
from core.db import UnitOfWork
from core.event_log import EventRow, ListenerCursor
from core.inbox import InboxRow
from core.outbox import OutboxRow
from core.sessions.service import close
from core.settings.live import LiveSettings
from core.settings.sections import Retention
from tests.admin_api.desk import Customer
from tests.knowledge_base.conftest import published


class Kept:
    """Settings of one section."""

    def __init__(self, value: Retention) -> None:
        self.value = value

    def get(self, section: type[Any]) -> Any:
        return self.value if section is Retention else section()


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs")


@pytest.fixture
def files(uow: UnitOfWork, blobs: LocalBlobs) -> AttachmentStore:
    return AttachmentStore(uow, blobs, LiveSettings(uow))


async def _purge(uow: UnitOfWork, files: AttachmentStore, **days: int) -> None:
    uow.settings = Kept(Retention(**{"events_days": 3650, **days}))
    await purge(uow, files)


async def _count(uow: UnitOfWork, row: Any) -> int:
    async with uow.read() as tx:
        return await tx.db.scalar(select(func.count()).select_from(row)) or 0


async def _add_events(uow: UnitOfWork, count: int) -> None:
    async with uow.write() as tx:
        rows = [{"type": "x", "at": tx.now, "payload": {}} for _ in range(count)]
        await tx.db.execute(insert(EventRow), rows)


async def test_old_events_go_unless_a_listener_has_not_heard_them(
    uow: UnitOfWork, clock: ManualClock, files: AttachmentStore
) -> None:
    await _add_events(uow, 2500)  # several batches
    async with uow.write() as tx:
        newest = await tx.db.scalar(select(func.max(EventRow.id))) or 0
        tx.db.add(ListenerCursor(name="quick", event_id=newest))
        tx.db.add(ListenerCursor(name="slow", event_id=newest - 3))
    clock.advance(days=8)
    await _add_events(uow, 1)
    await _purge(uow, files, events_days=7)
    async with uow.read() as tx:
        left = (await tx.db.scalars(select(EventRow.id).order_by(EventRow.id))).all()
    assert left == [newest - 2, newest - 1, newest, newest + 1]


async def test_event_numbers_go_on_after_a_week_without_any(
    uow: UnitOfWork, clock: ManualClock, files: AttachmentStore
) -> None:
    await _add_events(uow, 3)
    clock.advance(days=30)
    await _purge(uow, files, events_days=7)
    await _add_events(uow, 1)
    async with uow.read() as tx:
        left = (await tx.db.scalars(select(EventRow.id).order_by(EventRow.id))).all()
    assert left == [3, 4]  # a reader at 3 hears of 4


async def test_finished_traffic_goes_and_what_waits_stays(
    uow: UnitOfWork, clock: ManualClock, files: AttachmentStore
) -> None:
    inbox: Mapping[str, str] = {"a": "done", "b": "new", "c": "failed"}
    sent: Mapping[str, str] = {"a": "sent", "b": "pending", "c": "held", "d": "failed"}
    async with uow.write() as tx:
        for key, state in inbox.items():
            row = InboxRow(
                dedupe_key=key, address_key="x|y|z", payload="", state=state,
                occurred_at=tx.now, received_at=tx.now,
            )  # fmt: skip
            tx.db.add(row)
        for key, state in sent.items():
            at = tx.now if state == "sent" else None
            owed = OutboxRow(
                item_id=key, address_key="x|y|z", item={}, state=state, created_at=tx.now,
                sent_at=at,
            )  # fmt: skip
            tx.db.add(owed)
    clock.advance(days=8)
    await _purge(uow, files, events_days=7)
    async with uow.read() as tx:
        assert set(await tx.db.scalars(select(InboxRow.state))) == {"new", "failed"}
        left = set(await tx.db.scalars(select(OutboxRow.state)))
    assert left == {"pending", "held", "failed"}


async def test_messages_of_ended_sessions_go_after_their_time_and_not_before(
    uow: UnitOfWork, clock: ManualClock, files: AttachmentStore
) -> None:
    gone, open_still = Customer(uow, "wm-gone"), Customer(uow, "wm-open")
    await gone.says("很久以前")
    await open_still.says("还没结束")
    async with uow.write() as tx:
        thread = await ensure_thread(tx, gone.address)
        await add_note(tx, thread, gone.session_id, "内部备注", author=("u", "张三"))
        await close(tx, gone.session_id, reason="resolved", by=Actor.system())
    clock.advance(days=31)
    await gone.says("今天")
    await _purge(uow, files)
    assert await _count(uow, MessageRow) == 3  # 0 days: for ever
    await _purge(uow, files, messages_days=30)
    async with uow.read() as tx:
        assert set(await tx.db.scalars(select(MessageRow.text))) == {"还没结束", "今天"}


async def test_files_go_when_nothing_mentions_them_and_their_bytes_with_them(
    uow: UnitOfWork, clock: ManualClock, files: AttachmentStore, blobs: LocalBlobs
) -> None:
    said, quoted, loose, again = [
        await files.store(name.encode(), name=f"{name}.txt")
        for name in ("said", "quoted", "loose", "again")
    ]
    wang = Customer(uow)
    await wang.says(Text(text="附件"), File(media=Media(attachment_id=said)))
    await published(uow, answer_html=f'<p>图</p><img src="attachment:{quoted}">')
    clock.advance(days=31)
    await files.store(b"again", name="again.txt")
    await _purge(uow, files, attachments_days=30)
    async with uow.read() as tx:
        assert set(await tx.db.scalars(select(AttachmentRow.id))) == {said, quoted, again}
    assert [await blobs.has(one) for one in (said, quoted, loose, again)] == [
        True,
        True,
        False,
        True,
    ]


async def test_the_audit_log_without_its_oldest_part_still_verifies(
    uow: UnitOfWork, clock: ManualClock, files: AttachmentStore
) -> None:
    for day in range(4):
        async with uow.write() as tx:
            await audit.append(tx, by=Actor.system(), action=f"day.{day}")
        clock.advance(days=10)
    await _purge(uow, files, audit_days=25)
    async with uow.read() as tx:
        verdict = await verify(tx)
        page = await list_audit(tx)
    assert verdict.is_intact
    assert [one.action for one in page.items] == ["audit.purged", "day.3", "day.2"]
    await _purge(uow, files, audit_days=15)
    async with uow.read() as tx:
        assert (await verify(tx)).is_intact


async def test_cutting_off_the_oldest_records_by_hand_is_still_found(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        for number in range(3):
            await audit.append(tx, by=Actor.system(), action=f"act.{number}")
    async with uow.write() as tx:
        oldest = select(func.min(AuditRow.id)).scalar_subquery()
        await tx.db.execute(delete(AuditRow).where(AuditRow.id == oldest))
    async with uow.read() as tx:
        assert not (await verify(tx)).is_intact
