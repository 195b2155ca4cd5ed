"""Every kind of timer and what it does."""

from __future__ import annotations

from collections.abc import Mapping

from bot.burst import BURST_TIMER, end_burst
from bot.channels import Channels
from bot.context import Tools
from bot.desk.jobs import timer_jobs as desk_jobs
from bot.jobs import directory, recurring
from bot.jobs.media import fetch_media
from bot.jobs.oa import fetch
from bot.jobs.reading import read_picture
from bot.jobs.recurring import Recurring
from bot.turn import MEDIA_TIMER, PROFILE_TIMER, READING_TIMER
from core.attachments.service import AttachmentStore
from core.conversations import joining
from core.imports.service import IMPORT_TIMER, step
from core.oa.pull import PULL_TIMER
from core.ports import OaSource
from core.servicers.absence import ABSENCE_TIMER, go_offline
from core.tickets.deadlines import timer_jobs as ticket_jobs
from core.timers.runner import Job
from knowledge.jobs import timer_jobs as knowledge_jobs


def jobs_by_timer(
    tools: Tools,
    channels: Channels,
    files: AttachmentStore,
    rounds: Mapping[str, Recurring],
    oa: OaSource,
) -> dict[str, Job]:
    uow = tools.uow
    return {
        BURST_TIMER: lambda timer: end_burst(tools, timer),
        MEDIA_TIMER: lambda timer: fetch_media(uow, channels, files, timer),
        READING_TIMER: lambda timer: read_picture(tools, files, timer),
        joining.JOIN_TIMER: joining.timer_job(uow),
        ABSENCE_TIMER: lambda timer: go_offline(uow, timer),
        PROFILE_TIMER: lambda timer: directory.read_profile(uow, channels, timer),
        PULL_TIMER: lambda timer: fetch(uow, tools.settings, tools.keys, oa, timer),
        IMPORT_TIMER: lambda timer: step(uow, tools.keys, timer),
        **desk_jobs(uow),
        **knowledge_jobs(uow),
        **ticket_jobs(uow),
        **recurring.jobs(uow, rounds),
    }
