"""Once a day: what is older than its keeping time goes, in batches that hold nobody up."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from core import retention
from core.attachments.service import AttachmentStore
from core.db import Tx, UnitOfWork
from core.settings.sections import Retention

log = logging.getLogger(__name__)

Purge = Callable[[Tx, datetime], Awaitable[int]]
#: The setting that says how many days each is kept; 0 days: for ever.
PURGES: Final[tuple[tuple[str, Purge], ...]] = (
    ("events_days", retention.purge_events),
    ("events_days", retention.purge_inbox),
    ("events_days", retention.purge_outbox),
    ("messages_days", retention.purge_messages),
    ("audit_days", retention.purge_audit),
)


async def purge(uow: UnitOfWork, files: AttachmentStore) -> None:
    """Messages go before attachments, so that their files are free at once."""
    settings = uow.settings.get(Retention)
    for name, work in PURGES:
        if before := _before(uow, getattr(settings, name)):
            count = await _in_batches(uow, work, before)
            log.info(
                "Old rows were removed.",
                extra={"action": "retention.purged", "what": work.__name__, "count": count},
            )
    if before := _before(uow, settings.attachments_days):
        await _purge_files(uow, files, before)


def _before(uow: UnitOfWork, days: int) -> datetime | None:
    return uow.clock.now() - timedelta(days=days) if days else None


async def _in_batches(uow: UnitOfWork, work: Purge, before: datetime) -> int:
    count = 0
    while True:
        async with uow.write() as tx:
            gone = await work(tx, before)
        if not gone:
            return count
        count += gone


async def _purge_files(uow: UnitOfWork, files: AttachmentStore, before: datetime) -> None:
    async with uow.read() as tx:
        unused = await retention.unused_attachments(tx, before)
    for attachment_id in unused:
        async with uow.write() as tx:
            is_gone = await retention.forget_attachment(tx, attachment_id, before)
        if is_gone:
            await files.discard(attachment_id)
