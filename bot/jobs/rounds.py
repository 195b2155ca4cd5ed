"""The recurring jobs that every installation has, by the name of their timer."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from bot.channels import Channels
from bot.jobs.directory import sync_directory
from bot.jobs.recurring import Recurring
from bot.jobs.retention import purge
from bot.jobs.sweep import sweep_sessions
from core.attachments.service import AttachmentStore
from core.db import UnitOfWork
from core.history import index

DIRECTORY_JOB: Final = "directory.sync"
SWEEP_JOB: Final = "sessions.sweep"
RETENTION_JOB: Final = "retention.purge"
HISTORY_JOB: Final = "history.index"


def rounds(uow: UnitOfWork, channels: Channels, files: AttachmentStore) -> dict[str, Recurring]:
    return {
        DIRECTORY_JOB: Recurring(timedelta(minutes=10), partial(sync_directory, uow, channels)),
        SWEEP_JOB: Recurring(timedelta(seconds=30), partial(sweep_sessions, uow)),
        RETENTION_JOB: Recurring(timedelta(days=1), partial(purge, uow, files)),
        HISTORY_JOB: Recurring(timedelta(seconds=5), partial(_index_history, uow)),
    }


async def _index_history(uow: UnitOfWork) -> None:
    await index.follow(uow)
